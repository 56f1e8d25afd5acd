//! The parts of an event as spans of its text.

use alloc::vec::Vec;

use crate::{CategoryId, Timestamp, invariant::Invariant as _, span::Span};

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ValueSpan {
    Str(Span),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Time(Timestamp),
    /// The text of a valid address.
    Ip(Span),
    /// A range of [`Parts::elements`].
    List(Span),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpan {
    pub(crate) key: Span,
    pub(crate) value: ValueSpan,
}

impl FieldSpan {
    /// Whether the value is a list without elements.
    #[inline]
    pub(crate) const fn is_empty_list(&self) -> bool {
        matches!(self.value, ValueSpan::List(list) if list.len() == 0)
    }
}

/// A category: its name decides, its number is a cache for one tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CategorySpan {
    pub(crate) name: Span,
    pub(crate) id: CategoryId,
}

/// The category tree of an event whose categories have names only.
pub(crate) const NO_TREE: u64 = 0;

/// All of an event but the bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) name: Option<Span>,
    pub(crate) created: Timestamp,
    pub(crate) sent: Option<Timestamp>,
    pub(crate) source: Option<(Span, u32)>,
    pub(crate) always_log_source: bool,
    /// Whether the keys are distinct; else the last field of a key counts, at the
    /// position of the first.
    pub(crate) has_distinct_keys: bool,
    /// Its own categories, each once.
    pub(crate) categories: Vec<CategorySpan>,
    /// The tree that the numbers of its categories are of, or [`NO_TREE`].
    pub(crate) tree: u64,
    pub(crate) fields: Vec<FieldSpan>,
    pub(crate) elements: Vec<Span>,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.name = None;
        self.created = Timestamp::default();
        self.sent = None;
        self.source = None;
        self.always_log_source = false;
        self.has_distinct_keys = false;
        self.categories.clear();
        self.tree = NO_TREE;
        self.fields.clear();
        self.elements.clear();
    }

    /// Copies another, in the same memory.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.name = other.name;
        self.created = other.created;
        self.sent = other.sent;
        self.source = other.source;
        self.always_log_source = other.always_log_source;
        self.has_distinct_keys = other.has_distinct_keys;
        self.categories.clone_from(&other.categories);
        self.tree = other.tree;
        self.fields.clone_from(&other.fields);
        self.elements.clone_from(&other.elements);
    }

    /// The spans of a list's elements.
    pub(crate) fn elements(&self, list: Span) -> &[Span] {
        let range = list.start as usize..list.end as usize;
        self.elements.get(range).always()
    }
}
