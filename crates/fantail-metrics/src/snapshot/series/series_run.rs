//! Runs of series that are adjacent in memory.
//!
//! A metric with one level is stored in the order of a dump; with more levels
//! or after a merge, parts of it are. A writer handles a run as a whole: the
//! labels of a segment are one text, checked in one pass.

use std::{iter, ops::Range};

use super::{Order, Series, SeriesList};
use crate::{
    Distribution,
    snapshot::order::Position,
    store::{label_texts::LabelTexts, segmented::SEGMENT_SERIES},
};

/// The minimum length of a run: fewer series are faster to write one by one.
const MIN_RUN_SERIES: usize = 4;

/// The next part of a list of series.
#[derive(Debug, Clone, Copy)]
pub enum RunOrSeries<'a> {
    /// One series of any kind.
    Series(Series<'a>),
    /// A run of at least one series.
    Run(SeriesRun<'a>),
}

/// Consecutive children of one series, all without children of their own and
/// with [values](crate::Label::Value) as labels.
#[derive(Debug, Clone, Copy)]
pub struct SeriesRun<'a> {
    list: SeriesList<'a>,
    texts: LabelTexts<'a>,
    distributions: &'a [Distribution],
}

impl<'a> SeriesRun<'a> {
    /// Returns the series of the run.
    #[must_use]
    pub const fn series(&self) -> SeriesList<'a> {
        self.list
    }

    /// Returns how many levels below the metric the series are, at least one.
    #[must_use]
    #[inline]
    pub fn depth(&self) -> usize {
        self.list.get(0).map_or(1, |series| series.depth())
    }

    /// Returns the values of all labels, concatenated.
    #[must_use]
    #[inline]
    pub const fn texts(&self) -> &'a [u8] {
        self.texts.all
    }

    /// Returns the range of each label's value in [`texts`](Self::texts).
    #[inline]
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'a> {
        self.texts.ranges()
    }

    /// Returns the length of each label's value in bytes.
    #[inline]
    pub fn each_length(&self) -> impl Iterator<Item = usize> + Clone + use<'a> {
        self.texts.each_length()
    }

    /// Returns the distributions of each series, like [`Series::distributions`].
    #[inline]
    pub fn each(&self) -> impl Iterator<Item = &'a [Distribution]> {
        let each = self.distributions.len() / self.texts.len().max(1);
        self.distributions.chunks_exact(each.max(1))
    }

    /// Returns the distributions of all series, concatenated.
    #[inline]
    #[must_use]
    pub const fn distributions(&self) -> &'a [Distribution] {
        self.distributions
    }

    /// Returns the lengths of the shortest and the longest value in bytes.
    #[must_use]
    #[inline]
    pub const fn lengths(&self) -> (usize, usize) {
        self.texts.lengths
    }
}

impl<'a> SeriesList<'a> {
    /// Returns all series in order, in runs where possible. Not stable: see
    /// [`internal`](crate::internal).
    #[doc(hidden)]
    #[inline]
    pub fn runs(self) -> impl Iterator<Item = RunOrSeries<'a>> {
        let mut at = 0;
        iter::from_fn(move || {
            let next = match self.run(at) {
                Some(run) => RunOrSeries::Run(run),
                None => RunOrSeries::Series(self.get(at)?),
            };
            at += match &next {
                RunOrSeries::Series(_) => 1,
                RunOrSeries::Run(run) => run.list.len(),
            };
            Some(next)
        })
    }

    #[inline]
    fn run(self, at: usize) -> Option<SeriesRun<'a>> {
        let (first, count) = match self.order {
            // The metric itself is not part of a run.
            Order::Flat { from, to } => Some(from as usize + at)
                .filter(|first| *first > 0)
                .and_then(|first| Some((first, (to as usize).checked_sub(first)?)))?,
            Order::Sorted(positions) => leaves(positions.get(at..)?)?,
        };
        let within = first % SEGMENT_SERIES;
        let count = (SEGMENT_SERIES - within).min(count);
        let segment = self.segments.get(first / SEGMENT_SERIES)?;
        // Events without a value have a series among the others.
        let count = segment.count_texts(within, within + count);
        let (texts, distributions) = segment.texts(within, within + count)?;
        (count > 0).then(|| SeriesRun {
            list: self.part(at, at + count),
            texts,
            distributions,
        })
    }
}

/// Returns the index of the first series and the number of adjacent siblings
/// without children from there on. They may be in several segments; their
/// number is at most that of one segment.
#[inline]
fn leaves(positions: &[Position]) -> Option<(usize, usize)> {
    let first = positions.first().filter(|first| first.depth > 0)?;
    let is_next =
        |(position, at): &(&Position, u32)| position.at == *at && position.depth == first.depth;
    let so_far = positions
        .iter()
        .zip(first.at..)
        .take(SEGMENT_SERIES)
        .take_while(is_next);
    let count = so_far.count();
    // A following deeper series is a child of the last one.
    let is_above = |next: &Position| next.depth > first.depth;
    let count = count - usize::from(positions.get(count).is_some_and(is_above));
    (count >= MIN_RUN_SERIES).then_some((first.at as usize, count))
}
