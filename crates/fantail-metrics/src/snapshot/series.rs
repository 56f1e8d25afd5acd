//! A series of a snapshot, and the list of all series in the order of a dump.

mod series_run;

use std::{fmt, sync::LazyLock};

pub use self::series_run::{RunOrSeries, SeriesRun};
use super::order::{Position, index};
use crate::{
    Distribution, Exemplar, GroupBy, Label, MetricSettings,
    store::{key::Key, segmented::SEGMENT_SERIES, shared_segment::SharedSegment},
};

/// A metric itself or one of its sub-metrics, in a
/// [snapshot](crate::MetricSnapshot).
#[derive(Clone, Copy)]
pub struct Series<'a> {
    segment: &'a SharedSegment,
    within: usize,
    depth: u32,
}

/// The series of a metric: parents before children, siblings in the order of
/// their creation, as in Dovecot's dumps.
#[derive(Clone, Copy)]
pub struct SeriesList<'a> {
    segments: &'a [SharedSegment],
    order: Order<'a>,
}

/// The order of the series in their segments.
#[derive(Clone, Copy)]
enum Order<'a> {
    /// The order of storage; all segments except the last are full. The first
    /// series is the metric itself, all others are its children.
    Flat {
        from: u32,
        to: u32,
    },
    Sorted(&'a [Position]),
}

impl<'a> SeriesList<'a> {
    pub(crate) const fn new(segments: &'a [SharedSegment], positions: &'a [Position]) -> Self {
        let order = Order::Sorted(positions);
        Self { segments, order }
    }

    /// Returns the series of a registry with at most one level.
    pub(crate) fn flat(segments: &'a [SharedSegment]) -> Self {
        let full = segments.len().saturating_sub(1) * SEGMENT_SERIES;
        let to = index(full + segments.last().map_or(0, SharedSegment::len));
        let order = Order::Flat { from: 0, to };
        Self { segments, order }
    }

    pub(crate) const fn segments(self) -> &'a [SharedSegment] {
        self.segments
    }

    /// Returns the positions; none if the series are in the order of storage.
    pub(crate) const fn positions(self) -> &'a [Position] {
        match self.order {
            Order::Flat { .. } => &[],
            Order::Sorted(positions) => positions,
        }
    }

    /// Returns the number of series.
    #[must_use]
    #[inline]
    pub const fn len(self) -> usize {
        match self.order {
            Order::Flat { from, to } => to.saturating_sub(from) as usize,
            Order::Sorted(positions) => positions.len(),
        }
    }

    /// Returns whether there are no series.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn position(self, at: usize) -> Option<Position> {
        match self.order {
            Order::Flat { from, .. } if at < self.len() => {
                let at = from + index(at);
                let depth = u32::from(at > 0);
                Some(Position { at, depth })
            }
            Order::Flat { .. } => None,
            Order::Sorted(positions) => positions.get(at).copied(),
        }
    }

    /// Returns the series at this index.
    #[must_use]
    #[inline]
    pub fn get(self, at: usize) -> Option<Series<'a>> {
        Series::at(self.segments, self.position(at)?)
    }

    /// Returns the series at this index and its descendants.
    #[must_use]
    pub fn branch(self, at: usize) -> Self {
        let depth = |at| self.position(at).map(|position| position.depth);
        let first = depth(at);
        let below = (at.saturating_add(1)..self.len()).take_while(|at| depth(*at) > first);
        self.part(at, at.saturating_add(1 + below.count()))
    }

    /// Returns the series from index `start` to before `end`.
    fn part(self, start: usize, end: usize) -> Self {
        let end = end.min(self.len());
        let start = start.min(end);
        let order = match self.order {
            Order::Flat { from, .. } => Order::Flat {
                from: from + index(start),
                to: from + index(end),
            },
            Order::Sorted(positions) => {
                Order::Sorted(positions.get(start..end).unwrap_or_default())
            }
        };
        Self { order, ..self }
    }

    /// Returns all series in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Series<'a>> + Clone {
        (0..self.len()).filter_map(move |at| self.get(at))
    }
}

impl fmt::Debug for SeriesList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Series<'a> {
    #[inline]
    fn at(segments: &'a [SharedSegment], position: Position) -> Option<Self> {
        let at = position.at as usize;
        Some(Self {
            segment: segments.get(at / SEGMENT_SERIES)?,
            within: at % SEGMENT_SERIES,
            depth: position.depth,
        })
    }

    /// Returns the number of levels below the metric; 0 is the metric itself.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth as usize
    }

    /// Returns the label, which no sibling has; the metric itself has the empty
    /// value.
    #[must_use]
    #[inline]
    pub fn label(&self) -> Label<'a> {
        self.key().into()
    }

    #[inline]
    pub(crate) fn key(&self) -> Key<'a> {
        self.segment.key(self.within)
    }

    /// Returns the level of `group_by` that created the series; `None` for the
    /// metric itself.
    #[must_use]
    #[inline]
    pub fn level<'s>(&self, settings: &'s MetricSettings) -> Option<&'s GroupBy> {
        settings.group_by.get(self.depth().checked_sub(1)?)
    }

    /// Returns the distribution of the duration, then that of each field of the
    /// settings.
    #[must_use]
    #[inline]
    pub fn distributions(&self) -> &'a [Distribution] {
        self.segment.distributions(self.within)
    }

    /// Returns the durations in microseconds; their count is the number of
    /// events.
    #[must_use]
    #[inline]
    pub fn duration(&self) -> &'a Distribution {
        static EMPTY: LazyLock<Distribution> = LazyLock::new(Distribution::new);
        match self.distributions() {
            [duration, ..] => duration,
            [] => &EMPTY,
        }
    }

    /// Returns the distribution of each field, in the order of the settings.
    #[must_use]
    #[inline]
    pub fn fields(&self) -> &'a [Distribution] {
        self.distributions().get(1..).unwrap_or_default()
    }

    /// Returns the exact, signed sum of the values in this bucket of the last
    /// level. It exists if the last level is quantized by a field other than
    /// the duration.
    #[must_use]
    pub fn own_sum(&self) -> Option<i128> {
        self.segment.own_sum(self.within)
    }

    /// Returns the last event of the series, if exemplars are kept: see
    /// [`Registry::keep_exemplars`](crate::Registry::keep_exemplars).
    #[must_use]
    pub fn exemplar(&self) -> Option<&'a Exemplar> {
        self.shared_exemplar().map(AsRef::as_ref)
    }

    pub(crate) fn shared_exemplar(&self) -> Option<&'a std::sync::Arc<Exemplar>> {
        self.segment.exemplar(self.within)
    }
}

impl fmt::Debug for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("depth", &self.depth)
            .field("label", &self.label())
            .field("distributions", &self.distributions())
            .field("own_sum", &self.own_sum())
            .field("exemplar", &self.exemplar())
            .finish()
    }
}
