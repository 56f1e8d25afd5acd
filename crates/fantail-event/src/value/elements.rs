//! The strings of a list.

use alloc::vec::Vec;
use core::fmt;

use crate::{CategoryId, CategoryTree, ExportView, SentEvent, span::Span};

/// A source of lists; implement it for lists of your own types.
///
/// ```
/// use fantail_event::{ElementSource, Elements};
///
/// struct Flags([&'static str; 2]);
///
/// impl ElementSource for Flags {
///     fn any_element(&self, _list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
///         self.0.iter().any(|flag| test(flag.as_bytes()))
///     }
/// }
///
/// let flags = Flags(["seen", "flagged"]);
/// let list = Elements::of(&flags, 0);
/// assert!(list.any(|flag| flag == b"seen"));
/// assert_eq!(list.to_vec(), [b"seen".to_vec(), b"flagged".to_vec()]);
/// ```
pub trait ElementSource {
    /// Calls `test` with the elements of a list, in order, until it accepts
    /// one; returns whether it accepted any. `list` is the number that
    /// [`Elements::of`] was given.
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

/// The vector is the list; the number is ignored.
impl<T: AsRef<[u8]>> ElementSource for Vec<T> {
    fn any_element(&self, _list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter().any(|element| test(element.as_ref()))
    }
}

/// The strings of a list, in order.
#[derive(Clone, Copy)]
pub struct Elements<'a>(pub(crate) Strings<'a>);

/// Where the strings are.
#[derive(Clone, Copy)]
pub(crate) enum Strings<'a> {
    /// In the text of one event.
    Spans(&'a [u8], &'a [Span]),
    /// In the texts of several events, joined without repeats.
    Joined(&'a SentEvent<'a>, &'a [JoinedElement]),
    /// The names of these categories.
    Categories(&'a CategoryTree, &'a [CategoryId]),
    /// The categories of an event of another type.
    ViewCategories(&'a dyn ExportView),
    /// In something else, by number.
    Source(&'a dyn ElementSource, u64),
}

/// An element of a joined list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JoinedElement {
    /// The number of its event: see [`SentEvent::holder`].
    pub(crate) holder: u32,
    pub(crate) span: Span,
}

impl JoinedElement {
    pub(crate) fn of<'a>(&self, sent: &SentEvent<'a>) -> &'a [u8] {
        self.span.of(sent.holder(self.holder).text)
    }
}

impl<'a> Elements<'a> {
    /// Returns the list with this number in `source`.
    #[must_use]
    pub fn of(source: &'a dyn ElementSource, list: u64) -> Self {
        Self(Strings::Source(source, list))
    }

    /// Calls `test` with the elements, in order, until it accepts one; returns
    /// whether it accepted any.
    #[inline]
    pub fn any(self, mut test: impl FnMut(&[u8]) -> bool) -> bool {
        match self.0 {
            Strings::Spans(text, spans) => spans.iter().any(|span| test(span.of(text))),
            Strings::Joined(sent, elements) => {
                elements.iter().any(|element| test(element.of(sent)))
            }
            Strings::Categories(tree, ids) => {
                let mut names = ids.iter().filter_map(|id| tree.name(*id));
                names.any(test)
            }
            Strings::ViewCategories(view) => {
                let mut accepted = false;
                view.each_category(&mut |name| accepted = accepted || test(name));
                accepted
            }
            Strings::Source(source, list) => source.any_element(list, &mut test),
        }
    }

    /// Calls `each` with all elements, in order.
    #[inline]
    pub fn for_each(self, mut each: impl FnMut(&[u8])) {
        self.any(|element| {
            each(element);
            false
        });
    }

    /// Returns whether the list has no elements.
    #[must_use]
    pub fn is_empty(self) -> bool {
        !self.any(|_| true)
    }

    /// Copies the elements.
    #[must_use]
    pub fn to_vec(self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        self.for_each(|element| all.push(element.to_vec()));
        all
    }
}

impl PartialEq for Elements<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_vec() == other.to_vec()
    }
}

impl Eq for Elements<'_> {}

impl fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        self.for_each(|element| {
            list.entry(&format_args!("\"{}\"", element.escape_ascii()));
        });
        list.finish()
    }
}
