//! Series as they are read: in preorder, and those of several shards as one
//! tree.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Exemplar, Label,
    snapshot::Series,
    store::{Chunk, Mark, Store},
    tree::Key,
};

/// The parent of the metric itself.
const NO_PARENT: u32 = u32::MAX;

/// The series of a registry, each before those below it; siblings keep their
/// order.
pub(crate) fn in_preorder(chunks: &[Chunk]) -> Vec<Series> {
    let chunks: Vec<Arc<Chunk>> = chunks.iter().cloned().map(Arc::new).collect();
    let parents: Vec<u32> = chunks.iter().flat_map(|chunk| chunk.parents()).collect();
    let order = preorder(&parents);
    let series = order
        .into_iter()
        .filter_map(|(at, depth)| Series::of(&chunks, at as usize, depth));
    series.collect()
}

/// Where each series goes, and how deep it is: `parents` are the indices of
/// their parents, which come before them.
fn preorder(parents: &[u32]) -> Vec<(u32, u32)> {
    // Of each, how many there are from it down.
    let mut sizes = vec![1_u32; parents.len()];
    for (at, parent) in parents.iter().enumerate().rev() {
        let size = sizes.get(at).copied().unwrap_or(0);
        if let Some(above) = sizes.get_mut(*parent as usize) {
            *above += size;
        }
    }
    // Of each, where the next one below it goes, and its depth.
    let mut places: Vec<(u32, u32)> = Vec::with_capacity(parents.len());
    let mut next_root = 0;
    let mut order = vec![(0, 0); parents.len()];
    for ((at, parent), size) in (0..).zip(parents).zip(sizes) {
        let (next, depth) = match places.get_mut(*parent as usize) {
            Some((next, depth)) => (next, *depth + 1),
            None => (&mut next_root, 0),
        };
        let place = *next;
        *next += size;
        places.push((place + 1, depth));
        if let Some(here) = order.get_mut(place as usize) {
            *here = (at, depth);
        }
    }
    order
}

/// A series of either side, or of both.
struct Node<'a> {
    one: &'a Series,
    other: Option<&'a Series>,
}

/// Merges two lists of series, each in preorder. What only one of them has is
/// not copied.
pub(crate) fn merge(into: &[Series], other: &[Series]) -> Vec<Series> {
    let mut parents = parents(into);
    let mut nodes: Vec<Node<'_>> = into.iter().map(|one| Node { one, other: None }).collect();
    let keys = parents.iter().zip(into).map(|(p, s)| (*p, s.label()));
    let places: HashMap<(u32, Label<'_>), u32> = keys.zip(0..).collect();
    // Where each of the other's series goes.
    let mut targets: Vec<u32> = Vec::with_capacity(other.len());
    for (series, parent) in other.iter().zip(self::parents(other)) {
        let parent = targets.get(parent as usize).copied().unwrap_or(NO_PARENT);
        let known = places.get(&(parent, series.label())).copied();
        let known = known.and_then(|at| Some((at, nodes.get_mut(at as usize)?)));
        if let Some((at, here)) = known {
            here.other = Some(series);
            targets.push(at);
        } else {
            targets.push(index(nodes.len()));
            parents.push(parent);
            nodes.push(Node {
                one: series,
                other: None,
            });
        }
    }
    let order = preorder(&parents);
    let order = order
        .iter()
        .filter_map(|(at, depth)| Some((nodes.get(*at as usize)?, *depth)));
    collect(order)
}

fn collect<'a>(nodes: impl Iterator<Item = (&'a Node<'a>, u32)> + Clone) -> Vec<Series> {
    let mut sums = Builder::default();
    for (node, _) in nodes.clone() {
        if let Some(other) = node.other {
            sums.push_sum(node.one, other);
        }
    }
    let sums = sums.finish();
    let mut next = 0;
    let series = nodes.filter_map(|(node, depth)| match node.other {
        None => Some(node.one.at_depth(depth)),
        Some(_) => {
            next += 1;
            Series::of(&sums, next - 1, depth)
        }
    });
    series.collect()
}

fn parents(series: &[Series]) -> Vec<u32> {
    // The last series seen at each depth.
    let mut path: Vec<u32> = Vec::new();
    let parent = |(at, series): (u32, &Series)| {
        path.truncate(series.depth());
        let parent = path.last().copied().unwrap_or(NO_PARENT);
        path.push(at);
        parent
    };
    (0..).zip(series).map(parent).collect()
}

/// Memory ends before there are so many series.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NO_PARENT)
}

/// Makes series that no registry has.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    store: Store,
}

impl Builder {
    /// Adds a series; its parent is not kept.
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

    fn push_sum(&mut self, one: &Series, other: &Series) {
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

    /// All of them in segments, for [`Series::of`].
    pub(crate) fn finish(mut self) -> Vec<Arc<Chunk>> {
        self.store.share().into_iter().map(Arc::new).collect()
    }
}
