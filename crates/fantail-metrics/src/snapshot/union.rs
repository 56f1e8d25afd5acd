//! The series of several lists, each once.
//!
//! The series of the first list keep their order; the others follow their siblings.
//! Segments are shared with the lists, so that a label is never copied. The values of a
//! segment are copied once, when the first of them changes.

use std::sync::Arc;

use super::{
    order::{self, NO_PARENT, Position, index},
    series::{Series, SeriesList},
};
use crate::{
    Distribution,
    store::{
        index::Index,
        key::Key,
        labels::Labels,
        observations::Observations,
        segmented::{SEGMENT_SERIES, Segment},
        shared_segment::SharedSegment,
    },
};

/// Segments, and the order of their series in a dump.
pub(crate) type Ordered = (Vec<SharedSegment>, Vec<Position>);

/// The index of the series that is the metric itself.
const ROOT: u32 = 0;

/// A union of lists: its series have the indices 0, 1, 2 … in the order of their
/// addition.
#[derive(Debug)]
pub(crate) struct Union {
    columns: Columns,
    positions: Vec<Position>,
    /// The index of the parent of each series.
    parents: Vec<u32>,
    by_key: Index,
    /// The number of series of the first list, whose positions are in order.
    in_order: usize,
}

/// What happens to a series that the union has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// The list is of another shard: values add up.
    Sum,
    /// The list is of the same store: the values with more events replace the others. New
    /// series are added if `admits` says so.
    Newer { admits: bool },
}

/// The segments of all lists.
#[derive(Debug, Default)]
struct Columns {
    labels: Vec<Arc<Labels>>,
    values: Vec<Segment<Observations>>,
}

impl Columns {
    /// Adds segments; returns the index of the first series in them.
    fn extend(&mut self, segments: &[SharedSegment]) -> u32 {
        let first = index(self.labels.len() * SEGMENT_SERIES);
        for segment in segments {
            self.labels.push(Arc::clone(segment.labels()));
            self.values.push(Segment::Shared(segment.values()));
        }
        first
    }

    #[inline]
    fn has_key(&self, at: u32, key: (u32, &[u8])) -> bool {
        let at = at as usize;
        let labels = self.labels.get(at / SEGMENT_SERIES);
        labels.is_some_and(|labels| labels.has_key(at % SEGMENT_SERIES, key))
    }
}

impl Union {
    /// Returns the series of `first`, to which lists of at most `longest` series are added.
    pub(crate) fn of(first: SeriesList<'_>, longest: usize) -> Self {
        let mut union = Self {
            columns: Columns::default(),
            positions: first.positions().to_vec(),
            parents: Vec::new(),
            by_key: Index::default(),
            in_order: first.len(),
        };
        union.columns.extend(first.segments());
        // Lists with only the metric itself need no look-ups.
        if longest > 1 {
            union.index(first, first.len().max(longest));
        }
        union
    }

    /// Enters the series of the first list, with capacity for `count` series.
    fn index(&mut self, first: SeriesList<'_>, count: usize) {
        self.parents.reserve_exact(count);
        self.by_key = Index::with_capacity(count);
        // The indices of the last series and its ancestors, from the metric down.
        let mut path: Vec<u32> = Vec::new();
        for (at, series) in (0..).zip(first.iter()) {
            path.truncate(series.depth());
            let parent = path.last().copied().unwrap_or(NO_PARENT);
            self.parents.push(parent);
            if parent != NO_PARENT {
                let hash = self.by_key.hash(parent, series.key().parts());
                self.by_key.push(hash);
            }
            path.push(at);
        }
    }

    /// Adds the series of a list.
    pub(crate) fn add(&mut self, list: SeriesList<'_>, rule: Rule) {
        // The index of the first series of its segments, once they are here.
        let mut first = None;
        let mut path: Vec<u32> = Vec::new();
        for (position, series) in list.positions().iter().zip(list.iter()) {
            path.truncate(series.depth());
            let found = match path.last() {
                None => Ok(ROOT),
                Some(parent) => self.find(*parent, series.key()),
            };
            let here = match (found, rule) {
                (Ok(here), Rule::Sum) => {
                    self.add_values(here, series);
                    here
                }
                (Ok(here), Rule::Newer { .. }) => {
                    if series.duration().count() > self.count(here) {
                        let first =
                            first.get_or_insert_with(|| self.columns.extend(list.segments()));
                        self.replace_values(here, first.saturating_add(position.at));
                    }
                    here
                }
                (Err(_), Rule::Newer { admits: false }) => NO_PARENT,
                (Err(hash), _) => {
                    let first = first.get_or_insert_with(|| self.columns.extend(list.segments()));
                    let at = first.saturating_add(position.at);
                    let parent = path.last().copied().unwrap_or(NO_PARENT);
                    let depth = position.depth;
                    self.push(parent, hash, Position { at, depth })
                }
            };
            path.push(here);
        }
    }

    #[inline]
    fn find(&self, parent: u32, key: Key<'_>) -> Result<u32, u32> {
        let parts = key.parts();
        let hash = self.by_key.hash(parent, parts);
        let found = self.by_key.find(hash, |series| {
            let position = self.positions.get(series as usize);
            self.parents.get(series as usize) == Some(&parent)
                && position.is_some_and(|position| self.columns.has_key(position.at, parts))
        });
        found.ok_or(hash)
    }

    /// Adds a series; returns its index.
    fn push(&mut self, parent: u32, hash: u32, position: Position) -> u32 {
        let here = index(self.positions.len());
        self.positions.push(position);
        self.parents.push(parent);
        self.by_key.push(hash);
        here
    }

    /// Returns the segment of a series, and its index there.
    #[inline]
    fn place(&self, here: u32) -> (usize, usize) {
        let position = self.positions.get(here as usize);
        debug_assert!(position.is_some(), "no series {here}");
        let at = position.map_or(0, |position| position.at as usize);
        (at / SEGMENT_SERIES, at % SEGMENT_SERIES)
    }

    /// Returns the number of events of a series.
    fn count(&self, here: u32) -> u64 {
        let (segment, within) = self.place(here);
        let values = self.columns.values.get(segment).map(Segment::get);
        let duration = values.and_then(|values| values.distributions(within).first());
        duration.map_or(0, Distribution::count)
    }

    /// Adds the values of a series to those of the series `here`.
    #[inline]
    fn add_values(&mut self, here: u32, other: Series<'_>) {
        let (segment, within) = self.place(here);
        let values = self.columns.values.get_mut(segment);
        if let Some(values) = values.and_then(Segment::get_mut) {
            let (sum, exemplar) = (other.own_sum(), other.shared_exemplar());
            values.add(within, other.distributions(), sum, exemplar);
        }
    }

    /// Replaces the values of the series `here` by those of the series at `at`, which has
    /// the same label.
    fn replace_values(&mut self, here: u32, at: u32) {
        if let Some(position) = self.positions.get_mut(here as usize) {
            position.at = at;
        }
    }

    /// Returns the segments, and the series in the order of a dump.
    pub(crate) fn finish(mut self) -> Ordered {
        if self.positions.len() > self.in_order {
            let order = order::of_parents(&self.parents).into_iter();
            let ordered = order.filter_map(|Position { at, depth }| {
                let at = self.positions.get(at as usize)?.at;
                Some(Position { at, depth })
            });
            self.positions = ordered.collect();
        }
        let Columns { labels, values } = self.columns;
        let values = values.into_iter().map(|mut values| values.share());
        let segments = labels.into_iter().zip(values);
        let segments = segments.map(|(labels, values)| SharedSegment::new(labels, values));
        only_used(segments.collect(), self.positions)
    }
}

/// Removes segments without series: after many merges, most segments have none.
fn only_used(segments: Vec<SharedSegment>, mut positions: Vec<Position>) -> Ordered {
    if segments.len() <= 2 * (positions.len() / SEGMENT_SERIES) + 8 {
        return (segments, positions);
    }
    let mut used = vec![false; segments.len()];
    for position in &positions {
        if let Some(used) = used.get_mut(position.at as usize / SEGMENT_SERIES) {
            *used = true;
        }
    }
    let mut kept = 0;
    let firsts: Vec<usize> = used
        .iter()
        .map(|used| {
            let first = kept * SEGMENT_SERIES;
            kept += usize::from(*used);
            first
        })
        .collect();
    for position in &mut positions {
        let at = position.at as usize;
        let first = firsts.get(at / SEGMENT_SERIES).copied();
        debug_assert!(first.is_some(), "no segment of series {at}");
        let first = first.unwrap_or_default();
        position.at = index(first + at % SEGMENT_SERIES);
    }
    let both = segments.into_iter().zip(used);
    let segments = both.filter_map(|(segment, used)| used.then_some(segment));
    (segments.collect(), positions)
}
