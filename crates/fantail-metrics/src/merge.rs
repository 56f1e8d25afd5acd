//! The series of several shards as one tree.

use std::collections::HashMap;

use crate::{
    Distribution, Exemplar,
    snapshot::{OwnedLabel, Series},
};

/// A series and where it belongs.
#[derive(Debug)]
pub(crate) struct Node {
    /// The index of its parent, which comes before it; beyond all indices for
    /// the metric itself.
    pub(crate) parent: usize,
    pub(crate) label: OwnedLabel,
    pub(crate) distributions: Box<[Distribution]>,
    pub(crate) own_sum: Option<i128>,
    pub(crate) exemplar: Option<Box<Exemplar>>,
}

const NO_PARENT: usize = usize::MAX;

/// Puts each series before those below it, and keeps the order of siblings.
pub(crate) fn in_preorder(nodes: Vec<Node>) -> Vec<Series> {
    // Children as linked lists, from the last to the first.
    let mut next = vec![None; nodes.len()];
    let mut last_child = vec![None; nodes.len()];
    let mut roots = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        match last_child.get_mut(node.parent) {
            Some(last) => next[at] = last.replace(at),
            None => roots.push(at),
        }
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut series = Vec::with_capacity(nodes.len());
    let mut pending: Vec<(usize, usize)> = roots.into_iter().rev().map(|at| (at, 0)).collect();
    while let Some((at, depth)) = pending.pop() {
        let Some(node) = nodes[at].take() else {
            continue;
        };
        series.push(Series {
            depth,
            label: node.label,
            distributions: node.distributions,
            own_sum: node.own_sum,
            exemplar: node.exemplar,
        });
        // Pushed from the last to the first, popped from the first.
        let mut child = last_child[at];
        while let Some(at) = child {
            pending.push((at, depth + 1));
            child = next[at];
        }
    }
    series
}

/// Merges two lists of series, each in preorder.
pub(crate) fn merge(into: Vec<Series>, other: Vec<Series>) -> Vec<Series> {
    let mut nodes = with_parents(into);
    let places: HashMap<(usize, &OwnedLabel), usize> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| ((node.parent, &node.label), at))
        .collect();
    // Where each of the other's series goes.
    let other = with_parents(other);
    let mut targets: Vec<usize> = Vec::with_capacity(other.len());
    let mut end = nodes.len();
    for node in &other {
        let parent = targets.get(node.parent).copied().unwrap_or(NO_PARENT);
        let known = places.get(&(parent, &node.label)).copied();
        targets.push(known.unwrap_or_else(|| {
            end += 1;
            end - 1
        }));
    }
    for (node, &target) in other.into_iter().zip(&targets) {
        let parent = targets.get(node.parent).copied().unwrap_or(NO_PARENT);
        match nodes.get_mut(target) {
            Some(here) => here.add(&node),
            None => nodes.push(Node { parent, ..node }),
        }
    }
    in_preorder(nodes)
}

impl Node {
    fn add(&mut self, other: &Self) {
        for (here, there) in self.distributions.iter_mut().zip(&other.distributions) {
            here.merge(there);
        }
        if let (Some(here), Some(there)) = (&mut self.own_sum, other.own_sum) {
            *here = here.saturating_add(there);
        }
        Exemplar::later(&mut self.exemplar, other.exemplar.as_deref());
    }
}

fn with_parents(series: Vec<Series>) -> Vec<Node> {
    // The last series seen at each depth.
    let mut path: Vec<usize> = Vec::new();
    series
        .into_iter()
        .enumerate()
        .map(|(at, series)| {
            path.truncate(series.depth);
            let parent = path.last().copied().unwrap_or(NO_PARENT);
            path.push(at);
            Node {
                parent,
                label: series.label,
                distributions: series.distributions,
                own_sum: series.own_sum,
                exemplar: series.exemplar,
            }
        })
        .collect()
}
