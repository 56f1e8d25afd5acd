//! Merging the series of several shards.
//!
//! Series of only one shard are shared with it, not copied. If a shard has only
//! the metric itself, the series of the other are not read.

use hashbrown::HashMap;

use super::{
    order::{self, NO_PARENT, Position, index},
    series::{Series, SeriesList},
};
use crate::{
    Exemplar, Label,
    store::{
        Store, key::Key, observations::Mark, segmented::SEGMENT_SERIES,
        shared_segment::SharedSegment,
    },
};

/// Segments, and the order of their series in a dump.
pub(crate) type Merged = (Vec<SharedSegment>, Vec<Position>);

/// Merges the series of two shards. Series of `other` only follow their
/// siblings in `into`.
pub(crate) fn merge(into: SeriesList<'_>, other: SeriesList<'_>) -> Merged {
    let both = both(into, other);
    let mut segments = into.segments().to_vec();
    let mut positions = into.positions().to_vec();
    let mut sums = Builder::default();
    let mut next = first_of(&segments);
    for (here, there) in &both {
        let (here, there) = (*here as usize, *there as usize);
        let series = into.get(here).zip(other.get(there));
        if let (Some((one, other)), Some(position)) = (series, positions.get_mut(here)) {
            sums.push_sum(one, other);
            position.at = next;
            next += 1;
        }
    }
    segments.extend(sums.finish());
    if both.len() < other.len() {
        positions = with_rest(positions, other, &both, first_of(&segments));
        segments.extend_from_slice(other.segments());
    }
    let segments = only_used(segments, &mut positions);
    (segments, positions)
}

/// Takes the newer value of each series of two snapshots of one store: that with more
/// events. Series of `other` only follow their siblings if `admits` them.
pub(crate) fn join(into: SeriesList<'_>, other: SeriesList<'_>, admits: bool) -> Merged {
    let both = both(into, other);
    let mut segments = into.segments().to_vec();
    let mut positions = into.positions().to_vec();
    let first = first_of(&segments);
    let has_new = admits && both.len() < other.len();
    let mut is_newer = has_new;
    for (here, there) in &both {
        let (here, there) = (*here as usize, *there as usize);
        let events = |series: Option<Series<'_>>| series.map_or(0, |one| one.duration().count());
        let newer = other.positions().get(there);
        if let (Some(position), Some(newer)) = (positions.get_mut(here), newer)
            && events(other.get(there)) > events(into.get(here))
        {
            position.at = first.saturating_add(newer.at);
            is_newer = true;
        }
    }
    if has_new {
        positions = with_rest(positions, other, &both, first);
    }
    if is_newer {
        segments.extend_from_slice(other.segments());
    }
    without_old_values(segments, positions)
}

/// Copies the series once most of what the segments hold are values that newer ones
/// have replaced.
fn without_old_values(segments: Vec<SharedSegment>, mut positions: Vec<Position>) -> Merged {
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
pub(crate) fn union(root: Series<'_>, parts: &[SeriesList<'_>]) -> Merged {
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

/// Returns the indices in `into` and `other` of the series that both have.
///
/// The labels of the shorter list are hashed, because hashing is slower than
/// the look-up.
fn both(into: SeriesList<'_>, other: SeriesList<'_>) -> Vec<(u32, u32)> {
    if into.len() < other.len() {
        let both = found(other, into).into_iter();
        return both.map(|(there, here)| (here, there)).collect();
    }
    found(into, other)
}

/// Returns the indices in `many` and `few` of the series that both have.
fn found(many: SeriesList<'_>, few: SeriesList<'_>) -> Vec<(u32, u32)> {
    if few.len() == 1 {
        return vec![(0, 0)];
    }
    let below = few
        .iter()
        .zip(parents(few.positions()))
        .zip(0_u32..)
        .skip(1);
    let below: HashMap<(u32, Label<'_>), u32> = below
        .map(|((series, parent), at)| ((parent, series.label()), at))
        .collect();
    let has_children = |at: u32| {
        let depth = |at: usize| few.positions().get(at).map_or(0, |position| position.depth);
        depth(at as usize + 1) > depth(at as usize)
    };
    let mut found = Vec::with_capacity(few.len());
    // The indices in `few` of the last series and its ancestors, from the
    // metric down.
    let mut path: Vec<Option<u32>> = Vec::new();
    for (at, series) in (0..).zip(many.iter()) {
        path.truncate(series.depth());
        let here = match path.last() {
            None => (!few.is_empty()).then_some(0),
            Some(parent) => parent
                .filter(|parent| has_children(*parent))
                .and_then(|parent| below.get(&(parent, series.label())).copied()),
        };
        found.extend(here.map(|here| (at, here)));
        path.push(here);
    }
    found
}

/// Adds the series of `other` only; its first segment begins at index `first`.
fn with_rest(
    mut positions: Vec<Position>,
    other: SeriesList<'_>,
    both: &[(u32, u32)],
    first: u32,
) -> Vec<Position> {
    let mut parents_here: Vec<u32> = parents(&positions).collect();
    // The index in `positions` of each series of `other`.
    let mut targets = vec![NO_PARENT; other.len()];
    for (here, there) in both {
        if let Some(target) = targets.get_mut(*there as usize) {
            *target = *here;
        }
    }
    for (at, (position, parent)) in other
        .positions()
        .iter()
        .zip(parents(other.positions()))
        .enumerate()
    {
        if targets.get(at).is_some_and(|target| *target != NO_PARENT) {
            continue;
        }
        parents_here.push(targets.get(parent as usize).copied().unwrap_or(NO_PARENT));
        if let Some(target) = targets.get_mut(at) {
            *target = index(positions.len());
        }
        positions.push(Position {
            at: first.saturating_add(position.at),
            depth: position.depth,
        });
    }
    let order = order::of_parents(&parents_here).into_iter();
    let ordered = order.filter_map(|Position { at, depth }| {
        let at = positions.get(at as usize)?.at;
        Some(Position { at, depth })
    });
    ordered.collect()
}

/// Returns the index of each position's parent.
fn parents(positions: &[Position]) -> impl Iterator<Item = u32> {
    // The last index at each depth.
    let mut path: Vec<u32> = Vec::new();
    (0..).zip(positions).map(move |(at, position)| {
        path.truncate(position.depth as usize);
        let parent = path.last().copied().unwrap_or(NO_PARENT);
        path.push(at);
        parent
    })
}

/// Removes segments without series: after many merges, most segments have none.
fn only_used(segments: Vec<SharedSegment>, positions: &mut [Position]) -> Vec<SharedSegment> {
    if segments.len() <= 2 * (positions.len() / SEGMENT_SERIES) + 8 {
        return segments;
    }
    let mut used = vec![false; segments.len()];
    for position in &*positions {
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
    for position in positions {
        let at = position.at as usize;
        let first = firsts.get(at / SEGMENT_SERIES).copied();
        debug_assert!(first.is_some(), "no segment of series {at}");
        let first = first.unwrap_or_default();
        position.at = index(first + at % SEGMENT_SERIES);
    }
    let both = segments.into_iter().zip(used);
    both.filter_map(|(segment, used)| used.then_some(segment))
        .collect()
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

    fn push_sum(&mut self, one: Series<'_>, other: Series<'_>) {
        let both = one.distributions().iter().zip(other.distributions());
        let sums = both.map(|(one, other)| {
            let mut sum = one.clone();
            sum.merge(other);
            sum
        });
        let own = one.own_sum().zip(other.own_sum());
        let own = own.map(|(one, other)| one.saturating_add(other));
        self.push(one.label(), sums, own);
        let exemplar = Exemplar::later(one.shared_exemplar(), other.shared_exemplar());
        self.store.exemplify_last(exemplar.cloned());
    }

    /// Returns the segments, all full except the last.
    pub(crate) fn finish(mut self) -> Vec<SharedSegment> {
        self.store.share()
    }
}
