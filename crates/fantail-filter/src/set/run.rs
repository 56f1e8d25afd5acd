//! Matching of one event against its classes.

use alloc::vec::Vec;

use fantail_event::{Ip, ValueRef};

use super::{
    FilterSet,
    cache::{Cache, ClassAt},
    checks::CheckId,
    class::{Class, Node, Posting, Range, Rest},
    code,
    field_index::FieldIndex,
    hash::Seed,
    table::PostingId,
    view::SlotView,
};
use crate::number::around_float;

/// The results of the current event.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The number of the event: the upper 31 bits of each entry in `checks`.
    generation: u32,
    /// By comparison: the generation of its last result, and the result in bit 0.
    checks: Vec<u32>,
    /// By filter: the generation of its last evaluation.
    filters: Vec<u32>,
    /// A stack of the postings that elements of lists led to.
    listed: Vec<PostingId>,
    /// The filters that match.
    found: Vec<u32>,
}

impl Scratch {
    pub(super) fn next_event(&mut self) {
        self.found.clear();
        self.generation += 1;
        if self.generation > u32::MAX / 2 {
            self.generation = 1;
            self.checks.fill(0);
            self.filters.fill(0);
        }
    }

    pub(super) fn make_room(&mut self, checks: usize, filters: usize) {
        self.checks.resize(checks, 0);
        self.filters.resize(filters, 0);
    }

    /// The filters that match, ascending.
    pub(super) fn found(&mut self) -> &[u32] {
        if self.found.len() > 1 {
            self.found.sort_unstable();
        }
        &self.found
    }

    /// Returns whether the filter is evaluated for the first time.
    fn is_first(&mut self, filter: u32) -> bool {
        let Some(mark) = self.filters.get_mut(filter as usize) else {
            return false;
        };
        core::mem::replace(mark, self.generation) != self.generation
    }

    /// Returns the result of a comparison, evaluated at most once per event.
    fn result(&mut self, check: CheckId, evaluate: impl FnOnce() -> bool) -> bool {
        let Some(mark) = self.checks.get_mut(check as usize) else {
            return false;
        };
        if *mark >> 1 == self.generation {
            return *mark & 1 == 1;
        }
        let result = evaluate();
        *mark = self.generation << 1 | u32::from(result);
        result
    }
}

/// One event and the set it is matched against.
pub(super) struct Run<'a, V: ?Sized> {
    pub(super) set: &'a FilterSet,
    pub(super) view: &'a V,
    pub(super) scratch: &'a mut Scratch,
}

impl<V: SlotView + ?Sized> Run<'_, V> {
    /// Matches the class, and the filters apart from all classes.
    pub(super) fn cache(&mut self, cache: &Cache, at: ClassAt) {
        let seed = cache.seed();
        if let Some(class) = cache.class(at) {
            self.node(class, &class.root, seed);
        }
        if at.is_some()
            && let Some(apart) = &cache.apart
        {
            self.node(apart, &apart.root, seed);
        }
    }

    /// The depth of the recursion is that of the class: a few levels.
    fn node(&mut self, class: &Class, node: &Node, seed: &Seed) {
        self.scratch.found.extend_from_slice(class.matches(node));
        self.values(class, node, seed);
    }

    /// Matches the filters of a node that depend on values.
    pub(super) fn values(&mut self, class: &Class, node: &Node, seed: &Seed) {
        if node.has_others() {
            self.others(class, node);
        }
        for field_index in class.field_indexes(node) {
            self.field_index(class, field_index, seed);
        }
    }

    /// Evaluates the ranges and the filters that are in no field index.
    fn others(&mut self, class: &Class, node: &Node) {
        for range in class.ranges(node) {
            match self.view.value(range.slot) {
                Some(ValueRef::Int(number)) => {
                    let filters = class.bounded(range, number);
                    self.scratch.found.extend_from_slice(filters);
                }
                Some(value @ (ValueRef::Unsigned(_) | ValueRef::Float(_))) => {
                    self.other_range(class, range, value);
                }
                _ => {}
            }
        }
        for rest in class.rests(node) {
            self.rest(class, rest);
        }
    }

    /// Numbers beyond `i64` or between two integers: the integer bounds select the
    /// filters that may match, and the whole filter is evaluated.
    #[cold]
    fn other_range(&mut self, class: &Class, range: &Range, value: ValueRef<'_>) {
        let nearest = match value {
            ValueRef::Float(number) => around_float(number),
            _ => Some((i64::MAX, i64::MAX)),
        };
        let Some((below, above)) = nearest else {
            return;
        };
        let number = if range.is_upper { below } else { above };
        let (set, view) = (self.set, self.view);
        for filter in class.bounded(range, number) {
            let scratch = &mut *self.scratch;
            let test = |check| scratch.result(check, || set.checks().holds(check, view));
            if code::run(set.ops(*filter), test) {
                self.scratch.found.push(*filter);
            }
        }
    }

    fn field_index(&mut self, class: &Class, field_index: &FieldIndex, seed: &Seed) {
        let value = self.view.value(field_index.slot);
        match value {
            Some(ValueRef::List(_)) => return self.list(class, field_index, value, seed),
            Some(ValueRef::Ip(ip)) => return self.address(class, field_index, ip.address(), seed),
            _ => {}
        }
        let mut found = |posting| self.posting(class, posting, value, seed);
        field_index.find(value, seed, &mut found);
    }

    /// Parses an address once for all comparisons.
    #[inline(never)] // So that a search for other values is inlined.
    fn address(&mut self, class: &Class, field_index: &FieldIndex, address: Ip, seed: &Seed) {
        let value = Some(ValueRef::from(address));
        let mut found = |posting| self.posting(class, posting, value, seed);
        field_index.find(value, seed, &mut found);
    }

    /// Several elements may lead to one comparison, which counts once.
    fn list(
        &mut self,
        class: &Class,
        field_index: &FieldIndex,
        value: Option<ValueRef<'_>>,
        seed: &Seed,
    ) {
        let listed = &mut self.scratch.listed;
        let first = listed.len();
        let mut room = 2 * class.postings() + 64;
        let mut found = |posting| {
            listed.push(posting);
            room -= 1;
            if room == 0 {
                distinct(listed, first);
                room = 2 * class.postings() + 64 - (listed.len() - first);
            }
        };
        field_index.find(value, seed, &mut found);
        distinct(listed, first);
        for at in first..listed.len() {
            if let Some(&posting) = self.scratch.listed.get(at) {
                self.posting(class, posting, value, seed);
            }
        }
        self.scratch.listed.truncate(first);
    }

    /// Evaluates a comparison that may hold for this value.
    fn posting(
        &mut self,
        class: &Class,
        posting: PostingId,
        value: Option<ValueRef<'_>>,
        seed: &Seed,
    ) {
        let Some(posting) = class.posting(posting) else {
            return;
        };
        if self.holds(class, posting, value) {
            self.node(class, &posting.node, seed);
        }
    }

    fn holds(&self, class: &Class, posting: &Posting, value: Option<ValueRef<'_>>) -> bool {
        if let (Some(folded), Some(ValueRef::Str(text))) = (class.text(posting), value) {
            return super::hash::is_folded(folded, text);
        }
        let test = self.set.checks().field(posting.check);
        test.is_some_and(|(_, test)| test.holds_for(value))
    }

    fn rest(&mut self, class: &Class, rest: &Rest) {
        if rest.is_shared && !self.scratch.is_first(rest.filter) {
            return;
        }
        let (set, view, scratch) = (self.set, self.view, &mut *self.scratch);
        let test = |check| scratch.result(check, || set.checks().holds(check, view));
        let ops = class.ops(rest);
        // Without operations left, the filter matches.
        if ops.is_empty() || code::run(ops, test) {
            self.scratch.found.push(rest.filter);
        }
    }
}

/// Removes repeats of the postings from index `first` on.
fn distinct(listed: &mut Vec<PostingId>, first: usize) {
    let Some(new) = listed.get_mut(first..) else {
        return;
    };
    new.sort_unstable();
    let mut last = None;
    let mut kept = first;
    for at in first..listed.len() {
        let posting = listed[at];
        if last != Some(posting) {
            listed[kept] = posting;
            kept += 1;
            last = Some(posting);
        }
    }
    listed.truncate(kept);
}
