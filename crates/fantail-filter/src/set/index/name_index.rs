//! The filters that can match events with a name.
//!
//! A filter that matches only if a name test holds concerns only the classes for
//! which one of its name tests is true. Other filters concern all classes; those
//! that test nothing that a class determines are kept apart.

use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::HashMap;

use super::index_key;
use crate::{
    Test,
    set::{
        checks::{CheckId, Checks},
        code::{Folder, Op},
    },
};

/// All filters of a set by the name tests that they require. Filters are named by
/// their positions in the set; each list is ascending.
#[derive(Debug, Clone, Default)]
pub(in crate::set) struct NameIndex {
    by_name: HashMap<CheckId, Vec<u32>>,
    ungated: Vec<u32>,
    independent: Vec<u32>,
    folder: Folder,
    cover: Vec<CheckId>,
}

impl NameIndex {
    /// Adds a filter; its position is greater than all before.
    pub(in crate::set) fn add(&mut self, filter: u32, ops: &[Op], checks: &Checks) {
        if ops.is_empty() {
            return;
        }
        // A pattern fits many names: one among alternatives is the last resort.
        let cost = |check| match checks.test(check) {
            Some(Test::Name(pattern)) => Some(if pattern.literal().is_some() { 1 } else { 1000 }),
            _ => None,
        };
        if self.folder.cover(ops, cost, &mut self.cover) {
            for check in &self.cover {
                self.by_name.entry(*check).or_default().push(filter);
            }
            return;
        }
        let is_of_class = |op: &Op| checks.test(op.check).is_some_and(index_key::is_of_class);
        if ops.iter().any(is_of_class) {
            self.ungated.push(filter);
        } else {
            self.independent.push(filter);
        }
    }

    /// The filters of this range that require one of these name tests.
    pub(in crate::set) fn named<'a>(
        &'a self,
        names: &'a [CheckId],
        range: &'a Range<u32>,
    ) -> impl Iterator<Item = u32> + 'a {
        names.iter().flat_map(|name| {
            let filters = self.by_name.get(name).map(Vec::as_slice);
            within(filters.unwrap_or_default(), range).iter().copied()
        })
    }

    /// Filters that require no name test, but test what a class determines.
    pub(in crate::set) fn ungated(&self, range: &Range<u32>) -> &[u32] {
        within(&self.ungated, range)
    }

    /// Filters that test nothing that a class determines.
    pub(in crate::set) fn independent(&self, range: &Range<u32>) -> &[u32] {
        within(&self.independent, range)
    }
}

fn within<'a>(filters: &'a [u32], range: &Range<u32>) -> &'a [u32] {
    let start = filters.partition_point(|filter| *filter < range.start);
    let end = filters.partition_point(|filter| *filter < range.end);
    filters.get(start..end).unwrap_or_default()
}
