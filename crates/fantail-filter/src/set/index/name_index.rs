//! Which filters can match events of a name.
//!
//! A filter whose every way to match leads through a name test concerns only
//! classes of events for which one of these tests is true. Other filters concern
//! all classes or, if they test nothing that a class fixes, none in particular.

use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::HashMap;

use super::{
    Folder,
    checks::{CheckId, Checks},
    code::Op,
    index_key,
};
use crate::Test;

/// All filters of a set, by the name tests that they need. Filters are named
/// by their places in the set, and each list is ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct NameIndex {
    by_name: HashMap<CheckId, Vec<u32>>,
    ungated: Vec<u32>,
    independent: Vec<u32>,
    folder: Folder,
    cover: Vec<CheckId>,
}

impl NameIndex {
    /// Enters a filter; its place is higher than all before.
    pub(super) fn add(&mut self, filter: u32, ops: &[Op], checks: &Checks) {
        if ops.is_empty() {
            return;
        }
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

    /// The filters of this range that one of these name tests lets in.
    pub(super) fn named<'a>(
        &'a self,
        names: &'a [CheckId],
        range: &'a Range<u32>,
    ) -> impl Iterator<Item = u32> + 'a {
        names.iter().flat_map(|name| {
            let filters = self.by_name.get(name).map(Vec::as_slice);
            within(filters.unwrap_or_default(), range).iter().copied()
        })
    }

    /// Those that need no name test, but ask for what a class fixes.
    pub(super) fn ungated(&self, range: &Range<u32>) -> &[u32] {
        within(&self.ungated, range)
    }

    /// Those that ask for nothing that a class fixes.
    pub(super) fn independent(&self, range: &Range<u32>) -> &[u32] {
        within(&self.independent, range)
    }
}

fn within<'a>(filters: &'a [u32], range: &Range<u32>) -> &'a [u32] {
    let start = filters.partition_point(|filter| *filter < range.start);
    let end = filters.partition_point(|filter| *filter < range.end);
    filters.get(start..end).unwrap_or_default()
}
