//! An event class: the filters that its events can match, specialised for what
//! these events have in common, and entered under comparisons.
//!
//! A class is a tree of a few levels, stored in arrays. A [`Node`] holds filters
//! for which certain comparisons are known to hold; each event visits the root. The
//! field indexes of a node lead from the event's values to the comparisons that
//! may hold ([`Posting`]). Each posting opens a node with the rest of its filters.
//! No comparison is evaluated twice on the way down.
//!
//! Filters that have only `>`, `>=`, `<` or `<=` with a number left lie in
//! [`Range`]s ordered by bound: a binary search finds all that match and touches
//! no other.

use alloc::{boxed::Box, vec::Vec};

use super::{
    FilterId, FilterSet,
    checks::CheckId,
    code::Op,
    index::{field_index::FieldIndex, table::PostingId},
    narrow,
    slots::Slot,
};

pub(super) mod build;

/// An event class. Filters are named by their positions in the set.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) root: Node,
    /// The filters that match every event of the class, removed ones included.
    always: Box<[FilterId]>,
    field_indexes: Vec<FieldIndex>,
    postings: Vec<Posting>,
    texts: Vec<u8>,
    matches: Vec<u32>,
    ranges: Vec<Range>,
    bounds: Vec<i64>,
    bounded: Vec<u32>,
    rests: Vec<Rest>,
    ops: Vec<Op>,
}

/// Elements next to each other in an array of the class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    first: u32,
    len: u32,
}

impl Span {
    fn of<T>(self, all: &[T]) -> &[T] {
        let first = self.first as usize;
        let elements = all.get(first..first + self.len as usize);
        debug_assert!(elements.is_some(), "a span of another array");
        elements.unwrap_or_default()
    }

    /// Appends elements to an array.
    fn push<T>(all: &mut Vec<T>, new: impl IntoIterator<Item = T>) -> Self {
        let first = all.len();
        all.extend(new);
        Self {
            first: narrow(first),
            len: narrow(all.len() - first),
        }
    }
}

/// A node of an index: its parts are visited together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    matches: Span,
    ranges: Span,
    rests: Span,
    field_indexes: Span,
}

impl Node {
    /// Whether there are ranges or rests.
    #[inline]
    pub(super) const fn has_others(&self) -> bool {
        self.ranges.len | self.rests.len != 0
    }
}

/// The contents of a node that is being built.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Filters that match.
    pub(super) matches: Vec<u32>,
    pub(super) bounds: Vec<Bound>,
    /// Filters that are evaluated.
    pub(super) rests: Vec<Rest>,
    pub(super) field_indexes: Vec<FieldIndex>,
}

/// A comparison under which filters are entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) check: CheckId,
    /// The text of a comparison without wildcards, in lower case; else empty.
    text: Span,
    pub(super) node: Node,
}

/// The rest of a filter, to be evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) filter: u32,
    /// The filter is entered under several comparisons.
    pub(super) is_shared: bool,
    pub(super) ops: Span,
}

/// A filter that matches numbers on one side of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bound {
    pub(super) slot: Slot,
    /// Numbers up to the bound match; else numbers from the bound on.
    pub(super) is_upper: bool,
    pub(super) bound: i64,
    pub(super) filter: u32,
}

/// Filters that match numbers in one slot on the same side of their bounds.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) slot: Slot,
    pub(super) is_upper: bool,
    span: Span,
}

impl Class {
    /// The filters that match all events of the class, ascending; some may have
    /// been removed since.
    #[inline]
    pub(super) fn always(&self) -> &[FilterId] {
        &self.always
    }

    /// Whether no filter depends on the values of an event.
    #[inline]
    pub(super) fn is_fixed(&self) -> bool {
        self.root.field_indexes.len == 0 && !self.root.has_others()
    }

    /// The filters that match whenever the node is visited.
    #[inline]
    pub(super) fn matches(&self, node: &Node) -> &[u32] {
        node.matches.of(&self.matches)
    }

    #[inline]
    pub(super) fn ranges(&self, node: &Node) -> &[Range] {
        node.ranges.of(&self.ranges)
    }

    /// The filters of a range that match this number.
    #[inline]
    pub(super) fn bounded(&self, range: &Range, number: i64) -> &[u32] {
        // Inverted bits have the inverted order.
        let number = if range.is_upper { !number } else { number };
        let bounds = range.span.of(&self.bounds);
        let count = bounds.partition_point(|bound| *bound <= number);
        let filters = range.span.of(&self.bounded);
        filters.get(..count).unwrap_or_default()
    }

    #[inline]
    pub(super) fn rests(&self, node: &Node) -> &[Rest] {
        node.rests.of(&self.rests)
    }

    #[inline]
    pub(super) fn field_indexes(&self, node: &Node) -> &[FieldIndex] {
        node.field_indexes.of(&self.field_indexes)
    }

    #[inline]
    pub(super) fn posting(&self, id: PostingId) -> Option<&Posting> {
        self.postings.get(id as usize)
    }

    /// The text that a string must be equal to, if nothing else is compared.
    #[inline]
    pub(super) fn text(&self, posting: &Posting) -> Option<&[u8]> {
        (posting.text.len > 0).then(|| posting.text.of(&self.texts))
    }

    #[inline]
    pub(super) fn ops(&self, rest: &Rest) -> &[Op] {
        rest.ops.of(&self.ops)
    }

    pub(super) fn postings(&self) -> usize {
        self.postings.len()
    }

    /// The size of the class, in filters.
    pub(super) fn weight(&self) -> usize {
        // An operation takes a quarter of the memory of an entry.
        self.matches.len()
            + self.bounded.len()
            + self.rests.len()
            + self.postings.len()
            + self.ops.len() / 4
    }

    pub(super) fn add_posting(&mut self, check: CheckId, text: &[u8], node: Node) -> PostingId {
        let text = Span::push(&mut self.texts, text.iter().copied());
        self.postings.push(Posting { check, text, node });
        narrow(self.postings.len() - 1)
    }

    pub(super) fn add_ops(&mut self, ops: &[Op]) -> Span {
        Span::push(&mut self.ops, ops.iter().copied())
    }

    pub(super) fn add_node(&mut self, mut parts: Parts) -> Node {
        parts.bounds.sort_unstable_by_key(|it| {
            let bound = if it.is_upper { !it.bound } else { it.bound };
            (it.slot, it.is_upper, bound, it.filter)
        });
        let is_same = |a: &Bound, b: &Bound| (a.slot, a.is_upper) == (b.slot, b.is_upper);
        let (mut bounds, mut bounded) = (Vec::new(), Vec::new());
        core::mem::swap(&mut bounds, &mut self.bounds);
        core::mem::swap(&mut bounded, &mut self.bounded);
        let ranges = parts.bounds.chunk_by(is_same).filter_map(|same| {
            let Bound { slot, is_upper, .. } = *same.first()?;
            let key = |it: &Bound| if is_upper { !it.bound } else { it.bound };
            bounded.extend(same.iter().map(|it| it.filter));
            let span = Span::push(&mut bounds, same.iter().map(key));
            Some(Range {
                slot,
                is_upper,
                span,
            })
        });
        let ranges = Span::push(&mut self.ranges, ranges);
        (self.bounds, self.bounded) = (bounds, bounded);
        Node {
            matches: Span::push(&mut self.matches, parts.matches),
            ranges,
            rests: Span::push(&mut self.rests, parts.rests),
            field_indexes: Span::push(&mut self.field_indexes, parts.field_indexes),
        }
    }

    pub(super) fn finish(&mut self, root: Node, set: &FilterSet) {
        self.root = root;
        let always = self.matches(&root).iter();
        self.always = always.filter_map(|at| set.id(*at)).collect();
        self.field_indexes.shrink_to_fit();
        self.postings.shrink_to_fit();
        self.texts.shrink_to_fit();
        self.matches.shrink_to_fit();
        self.ranges.shrink_to_fit();
        self.bounds.shrink_to_fit();
        self.bounded.shrink_to_fit();
        self.rests.shrink_to_fit();
        self.ops.shrink_to_fit();
    }
}
