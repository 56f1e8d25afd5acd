//! Merging the series of several shards.

use super::{
    order::{NO_PARENT, Position, index},
    series::{Series, SeriesList},
    union::{Ordered, Rule, Union},
};
use crate::{
    Label,
    store::{
        Store, key::Key, observations::Mark, segmented::SEGMENT_SERIES,
        shared_segment::SharedSegment,
    },
};

/// Merges the series of shards. Series of later shards only follow their siblings.
pub(crate) fn merge(first: SeriesList<'_>, others: &[SeriesList<'_>]) -> Ordered {
    let longest = others.iter().map(|other| other.len()).max();
    let mut union = Union::of(first, longest.unwrap_or_default());
    for other in others {
        union.add(*other, Rule::Sum);
    }
    union.finish()
}

/// Takes the newer value of each series of two snapshots of one store: that with more
/// events. Series of `other` only follow their siblings if `admits` them.
pub(crate) fn join(into: SeriesList<'_>, other: SeriesList<'_>, admits: bool) -> Ordered {
    let mut union = Union::of(into, other.len());
    union.add(other, Rule::Newer { admits });
    let (segments, positions) = union.finish();
    without_old_values(segments, positions)
}

/// Copies the series once most of what the segments hold are values that newer ones
/// have replaced.
fn without_old_values(segments: Vec<SharedSegment>, mut positions: Vec<Position>) -> Ordered {
    let stored: usize = segments.iter().map(SharedSegment::len).sum();
    if stored <= 2 * positions.len() + SEGMENT_SERIES {
        return (segments, positions);
    }
    let mut copies = Builder::default();
    for series in SeriesList::new(&segments, &positions).iter() {
        copies.push_copy(series);
    }
    for (at, position) in positions.iter_mut().enumerate() {
        position.at = index(at);
    }
    (copies.finish(), positions)
}

/// Returns the series of disjoint parts below one root, which sums theirs.
pub(crate) fn union(root: Series<'_>, parts: &[SeriesList<'_>]) -> Ordered {
    let mut sum = Builder::default();
    sum.push_copy(root);
    let mut segments = sum.finish();
    let mut positions = vec![Position { at: 0, depth: 0 }];
    for part in parts {
        let first = first_of(&segments);
        segments.extend_from_slice(part.segments());
        let below = part.positions().iter().skip(1);
        positions.extend(below.map(|position| Position {
            at: first.saturating_add(position.at),
            depth: position.depth,
        }));
    }
    (segments, positions)
}

/// Returns the index of the first series of a segment after `segments`.
fn first_of(segments: &[SharedSegment]) -> u32 {
    index(segments.len() * SEGMENT_SERIES)
}

/// Builds series without a registry.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    store: Store,
}

impl Builder {
    /// Adds a series; its parent is not stored.
    pub(crate) fn push(
        &mut self,
        label: Label<'_>,
        distributions: impl ExactSizeIterator<Item = crate::Distribution>,
        own_sum: Option<i128>,
    ) {
        let mark = Mark::new(true);
        self.store
            .push(NO_PARENT, Key::from(label), mark, distributions, own_sum);
    }

    /// Adds a copy of a series.
    pub(crate) fn push_copy(&mut self, series: Series<'_>) {
        let distributions = series.distributions().iter().cloned();
        self.push(series.label(), distributions, series.own_sum());
    }

    /// Returns the segments, all full except the last.
    pub(crate) fn finish(mut self) -> Vec<SharedSegment> {
        self.store.share()
    }
}
