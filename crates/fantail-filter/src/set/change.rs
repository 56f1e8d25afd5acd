//! Adding and removing filters.

use core::sync::atomic::{AtomicU64, Ordering};

use super::{
    Entry, FilterId, FilterSet,
    checks::NO_CHECK,
    code::{self, Op},
    narrow,
};
use crate::Filter;

/// Filters next to each other that have classes of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) end: usize,
    /// Number of filters removed since the classes of this part were rebuilt.
    pub(super) removed: usize,
    /// Unique among all different parts of all sets; 0 for the empty part.
    pub(super) revision: u64,
}

impl Part {
    fn renew(&mut self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        self.revision = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.removed = 0;
    }
}

/// How many filters of the base may change before its classes are rebuilt: enough
/// that a rebuild is rare, few enough that the changes cost little.
const fn changes_before_rebuild(filters: usize) -> usize {
    64 + filters / 8
}

impl FilterSet {
    /// Adds a filter after all others.
    pub fn insert(&mut self, filter: &Filter) -> FilterId {
        let id = self.append(filter);
        self.tail.renew();
        if self.filters.len() - self.base.end > changes_before_rebuild(self.base.end) {
            self.settle();
        }
        id
    }

    /// Removes a filter; returns `false` if the set does not have it.
    pub fn remove(&mut self, id: FilterId) -> bool {
        let Some(at) = self.position(id) else {
            return false;
        };
        let Some(entry) = self.filters.get_mut(at) else {
            return false;
        };
        entry.is_removed = true;
        self.without_name -= usize::from(!entry.requires_name);
        self.removed += 1;
        if at >= self.base.end {
            self.tail.renew();
        } else {
            self.base.removed += 1;
            if self.base.removed > changes_before_rebuild(self.base.end) {
                self.base.renew();
            }
        }
        if self.removed > 64 + self.len() {
            self.compact();
        }
        true
    }

    fn append(&mut self, filter: &Filter) -> FilterId {
        let id = FilterId(self.next_id);
        self.next_id += 1;
        let first = self.ops.len();
        let (checks, slots) = (&mut self.checks, &mut self.slots);
        let comparisons = filter.comparisons();
        let check = |index: usize| {
            let comparison = comparisons.get(index);
            debug_assert!(comparison.is_some(), "a step without a comparison");
            comparison.map_or(NO_CHECK, |it| checks.intern(it.test(), slots))
        };
        self.ops.extend(code::compile(filter.program(), check));
        let ops = self.ops.get(first..).unwrap_or_default();
        self.name_index
            .add(narrow(self.filters.len()), ops, &self.checks);
        self.filters.push(Entry {
            id,
            first,
            len: narrow(ops.len()),
            requires_name: filter.requires_name(),
            is_removed: false,
        });
        self.without_name += usize::from(!filter.requires_name());
        id
    }

    /// Makes the tail a part of the base.
    fn settle(&mut self) {
        self.base.end = self.filters.len();
        self.base.renew();
        self.tail.renew();
    }

    /// Frees what only removed filters needed; slots stay.
    fn compact(&mut self) {
        let mut old = core::mem::take(self);
        self.slots = core::mem::take(&mut old.slots);
        self.next_id = old.next_id;
        for entry in old.filters.iter().filter(|entry| !entry.is_removed) {
            let first = self.ops.len();
            for op in old.ops_of(entry) {
                let test = old.checks.test(op.check);
                debug_assert!(test.is_some(), "an operation without a comparison");
                let intern = |test| self.checks.intern(test, &mut self.slots);
                let check = test.map_or(NO_CHECK, intern);
                self.ops.push(Op { check, ..*op });
            }
            let ops = self.ops.get(first..).unwrap_or_default();
            self.name_index
                .add(narrow(self.filters.len()), ops, &self.checks);
            self.without_name += usize::from(!entry.requires_name);
            self.filters.push(Entry {
                first,
                ..entry.clone()
            });
        }
        self.settle();
    }
}

impl<'a> Extend<&'a Filter> for FilterSet {
    /// Adds filters; cheaper than one by one.
    fn extend<I: IntoIterator<Item = &'a Filter>>(&mut self, filters: I) {
        for filter in filters {
            self.append(filter);
        }
        self.settle();
    }
}

impl<'a> FromIterator<&'a Filter> for FilterSet {
    fn from_iter<I: IntoIterator<Item = &'a Filter>>(filters: I) -> Self {
        let mut set = Self::new();
        set.extend(filters);
        set
    }
}

impl Extend<Filter> for FilterSet {
    /// Adds filters; cheaper than one by one.
    fn extend<I: IntoIterator<Item = Filter>>(&mut self, filters: I) {
        for filter in filters {
            self.append(&filter);
        }
        self.settle();
    }
}

impl FromIterator<Filter> for FilterSet {
    fn from_iter<I: IntoIterator<Item = Filter>>(filters: I) -> Self {
        let mut set = Self::new();
        set.extend(filters);
        set
    }
}
