//! Series that lie one after another, to be written as fast as memory is read.
//!
//! A metric with one level has its series in memory in the order of a dump;
//! with more levels, or after a merge, some of them. Whoever writes all of them
//! need not ask each for its label and what that is: the texts of a segment's
//! labels stand in one piece, and are looked at as one.

use std::{iter, ops::Range};

use super::{Order, Series, SeriesList};
use crate::{
    Distribution,
    snapshot::order::Place,
    store::{label_texts::Texts, segmented::SEGMENT},
};

/// Fewer than these are quicker written one by one.
const FEW: usize = 4;

/// What comes next in a list of series.
#[derive(Debug, Clone, Copy)]
pub enum Stretch<'a> {
    /// Any series.
    One(Series<'a>),
    /// Some in one piece, one at least.
    Many(Siblings<'a>),
}

/// Series right below the same one, whose labels are all
/// [values](crate::Label::Value), and which nothing is below.
#[derive(Debug, Clone, Copy)]
pub struct Siblings<'a> {
    list: SeriesList<'a>,
    texts: Texts<'a>,
    distributions: &'a [Distribution],
}

impl<'a> Siblings<'a> {
    /// The same series, one by one.
    #[must_use]
    pub const fn series(&self) -> SeriesList<'a> {
        self.list
    }

    /// How many levels below the metric they are; at least one.
    #[must_use]
    #[inline]
    pub fn depth(&self) -> usize {
        self.list.get(0).map_or(1, |series| series.depth())
    }

    /// The values of all labels, one after another.
    #[must_use]
    #[inline]
    pub const fn texts(&self) -> &'a [u8] {
        self.texts.all
    }

    /// Where in [`texts`](Self::texts) the value of each label is.
    #[inline]
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'a> {
        self.texts.ranges()
    }

    /// How long the value of each label is.
    #[inline]
    pub fn each_length(&self) -> impl Iterator<Item = usize> + Clone + use<'a> {
        self.texts.each_length()
    }

    /// The distributions of each series, as
    /// [`Series::distributions`] has them.
    #[inline]
    pub fn each(&self) -> impl Iterator<Item = &'a [Distribution]> {
        let each = self.distributions.len() / self.texts.len().max(1);
        self.distributions.chunks_exact(each.max(1))
    }

    /// All of them in a row.
    #[inline]
    #[must_use]
    pub const fn distributions(&self) -> &'a [Distribution] {
        self.distributions
    }

    /// How long the shortest and the longest value are.
    #[must_use]
    #[inline]
    pub const fn lengths(&self) -> (usize, usize) {
        self.texts.lengths
    }
}

impl<'a> SeriesList<'a> {
    /// All of them in order, as many as possible in one piece.
    #[inline]
    pub fn stretches(self) -> impl Iterator<Item = Stretch<'a>> {
        let mut at = 0;
        iter::from_fn(move || {
            let stretch = match self.siblings(at) {
                Some(siblings) => Stretch::Many(siblings),
                None => Stretch::One(self.get(at)?),
            };
            at += match &stretch {
                Stretch::One(_) => 1,
                Stretch::Many(siblings) => siblings.list.len(),
            };
            Some(stretch)
        })
    }

    #[inline]
    fn siblings(self, at: usize) -> Option<Siblings<'a>> {
        let (first, count) = match self.order {
            // But not the metric itself.
            Order::Flat { from, to } => Some(from as usize + at)
                .filter(|first| *first > 0)
                .and_then(|first| Some((first, (to as usize).checked_sub(first)?)))?,
            Order::Sorted(places) => leaves(places.get(at..)?)?,
        };
        let within = first % SEGMENT;
        let count = (SEGMENT - within).min(count);
        let chunk = self.chunks.get(first / SEGMENT)?;
        let (texts, distributions) = chunk.texts(within, within + count)?;
        (count > 0).then(|| Siblings {
            list: self.part(at, at + count),
            texts,
            distributions,
        })
    }
}

/// Which the first of these is, and how many stand one after another from
/// there on, below the same series and with nothing below them. They may be in
/// several chunks, but there are not many more than one has.
#[inline]
fn leaves(places: &[Place]) -> Option<(usize, usize)> {
    let first = places.first().filter(|first| first.depth > 0)?;
    let is_next = |(place, at): &(&Place, u32)| place.at == *at && place.depth == first.depth;
    let so_far = places
        .iter()
        .zip(first.at..)
        .take(SEGMENT)
        .take_while(is_next);
    let count = so_far.count();
    // What is below the last of them comes next.
    let is_above = |next: &Place| next.depth > first.depth;
    let count = count - usize::from(places.get(count).is_some_and(is_above));
    (count >= FEW).then_some((first.at as usize, count))
}
