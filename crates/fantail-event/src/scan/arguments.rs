//! A text's arguments, one after another, unescaped.

use alloc::vec::Vec;

use crate::{escape, marks::Marks, raw::Span};

/// The arguments between the TABs; there is one at least, as in a split.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    text: &'a [u8],
    marks: Marks<'a>,
    /// Where the next argument begins; beyond the text after the last.
    start: usize,
    copy: &'a mut Vec<u8>,
    is_copied: bool,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(text: &'a [u8], copy: &'a mut Vec<u8>) -> Self {
        copy.clear();
        Self {
            text,
            marks: Marks::new(text),
            start: 0,
            copy,
            is_copied: false,
        }
    }

    /// Whether places are those of the copy, not of the text.
    pub(super) const fn is_copied(&self) -> bool {
        self.is_copied
    }

    /// What places lie in.
    #[inline]
    pub(super) fn base(&self) -> &[u8] {
        if self.is_copied { self.copy } else { self.text }
    }

    #[inline]
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        span.of(self.base())
    }

    /// The next argument, without escapes.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Span> {
        if self.is_copied {
            return self.next_copied();
        }
        let start = self.start;
        if start > self.text.len() {
            return None;
        }
        let end = match self.marks.next() {
            None => self.text.len(),
            Some(mark) if self.text.get(mark) == Some(&b'\t') => mark,
            Some(_) => return Some(self.copy_from(start)),
        };
        self.start = end + 1;
        Some(Span::between(start, end))
    }

    /// The first argument with an escape: what is before it is copied as it
    /// stands.
    #[cold]
    fn copy_from(&mut self, start: usize) -> Span {
        let before = self.text.get(..start).unwrap_or_default();
        self.copy.extend_from_slice(before);
        self.is_copied = true;
        let end = self.end();
        self.copy_argument(start, end)
    }

    #[cold]
    fn next_copied(&mut self) -> Option<Span> {
        let start = self.start;
        if start > self.text.len() {
            return None;
        }
        let end = self.end();
        Some(self.copy_argument(start, end))
    }

    /// Where the argument with the next marks in it ends.
    fn end(&mut self) -> usize {
        let is_tab = |mark: &usize| self.text.get(*mark) == Some(&b'\t');
        self.marks.find(is_tab).unwrap_or(self.text.len())
    }

    fn copy_argument(&mut self, start: usize, end: usize) -> Span {
        self.start = end + 1;
        let from = self.copy.len();
        let argument = self.text.get(start..end).unwrap_or_default();
        escape::unescape_into(argument, self.copy);
        Span::between(from, self.copy.len())
    }
}
