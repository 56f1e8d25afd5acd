//! Joins the lists that an event and its ancestors have of one key, as Dovecot does:
//! an empty list counts as no field, and an element is kept once, also if one list
//! repeats it. The lists of an event that inherits nothing are kept unchanged.
//!
//! The lists of a key are chained when they are found and joined once at the end:
//! joining one after another would copy all elements for each list.

use alloc::{collections::BTreeSet, vec::Vec};
use core::iter;

use super::{Distinct, EffectiveBuffers, FieldPosition, Inherited};
use crate::{
    SentEvent, event::parts::ValueSpan, invariant::Invariant as _, span::Span, value::JoinedElement,
};

/// Up to this many elements are compared with each other; more are sorted.
const LINEAR_ELEMENTS: usize = 64;

/// A list of one of the events.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    holder: u32,
    elements: Span,
    /// The next list of the same key.
    next: Option<u32>,
}

impl List {
    fn elements(self, sent: &SentEvent<'_>) -> impl ExactSizeIterator<Item = JoinedElement> {
        let holder = self.holder;
        let spans = sent.holder(holder).parts.elements(self.elements);
        spans.iter().map(move |span| JoinedElement {
            holder,
            span: *span,
        })
    }
}

impl EffectiveBuffers {
    /// The value of a field whose key has no value yet.
    #[inline]
    pub(super) fn inherit(&mut self, (holder, value): (u32, ValueSpan)) -> Inherited {
        match value {
            ValueSpan::List(list) if list.len() > 1 => self.begin_list(holder, list),
            _ => Inherited::AsSent,
        }
    }

    /// A list that may repeat elements.
    #[cold]
    fn begin_list(&mut self, holder: u32, elements: Span) -> Inherited {
        let first = self.push_list(holder, elements);
        Inherited::Lists { first, last: first }
    }

    /// Appends a list to the list that the same key already has, if it has one.
    #[cold]
    pub(super) fn add_list(
        &mut self,
        event: Distinct<'_>,
        old: FieldPosition,
        (holder, elements): (u32, Span),
    ) -> Inherited {
        let (first, before) = match old.value {
            Inherited::Lists { first, last } => (first, last),
            Inherited::AsSent => {
                let field = event.field(old.holder, old.at);
                let Some(ValueSpan::List(before)) = field.map(|(_, field)| field.value) else {
                    return self.inherit((holder, ValueSpan::List(elements)));
                };
                let first = self.push_list(old.holder, before);
                (first, first)
            }
            Inherited::Duration | Inherited::Joined { .. } => return Inherited::AsSent,
        };
        let last = self.push_list(holder, elements);
        if let Some(before) = self.lists.get_mut(before as usize) {
            before.next = Some(last);
        }
        Inherited::Lists { first, last }
    }

    fn push_list(&mut self, holder: u32, elements: Span) -> u32 {
        self.lists.push(List {
            holder,
            elements,
            next: None,
        });
        u32::try_from(self.lists.len() - 1).always_or(u32::MAX)
    }

    /// Joins the lists of each key, without elements that are there already.
    #[cold]
    pub(super) fn join_lists(&mut self, sent: &SentEvent<'_>) {
        for position in &mut self.positions {
            if let Inherited::Lists { first, .. } = position.value {
                let start = self.elements.len();
                join(&self.lists, first, sent, &mut self.elements);
                position.value = Inherited::Joined {
                    start,
                    end: self.elements.len(),
                };
            }
        }
    }
}

/// Appends the elements of all lists, each element once.
fn join(lists: &[List], first: u32, sent: &SentEvent<'_>, joined: &mut Vec<JoinedElement>) {
    let text = |element: &JoinedElement| element.of(sent);
    let list = |at: u32| lists.get(at as usize).copied();
    let chain = || iter::successors(list(first), |before| list(before.next?));
    let count: usize = chain().map(|it| it.elements(sent).len()).sum();
    let start = joined.len();
    let elements = chain().flat_map(|it| it.elements(sent));
    if count > LINEAR_ELEMENTS {
        let mut known: BTreeSet<&[u8]> = BTreeSet::new();
        joined.extend(elements.filter(|it| known.insert(text(it))));
    } else {
        for element in elements {
            let before = joined.get(start..).always();
            if !before.iter().any(|known| text(known) == text(&element)) {
                joined.push(element);
            }
        }
    }
}
