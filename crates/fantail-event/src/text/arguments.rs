//! A text's arguments, one after another, and the numbers among them.

use alloc::vec::Vec;
use core::slice;

use super::{digits, escape, integer, tabs::TabPositions};
use crate::event::parts::Span;

/// Copies a text without its escapes, and finds where its arguments end there.
/// They are a byte apart, as in the text.
#[cold]
pub(super) fn unescape(text: &[u8], tabs: &mut TabPositions, copy: &mut Vec<u8>) {
    copy.clear();
    tabs.clear();
    for argument in text.split(|byte| *byte == b'\t') {
        if !tabs.as_slice().is_empty() {
            copy.push(b'\t');
        }
        escape::unescape_into(argument, copy);
        tabs.push(u32::try_from(copy.len()).unwrap_or(u32::MAX));
    }
}

/// The arguments between the TABs; there is one at least, as in a split.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    /// Without escapes.
    text: &'a [u8],
    /// Of those that were not taken yet.
    ends: slice::Iter<'a, u32>,
    count: usize,
    /// Where the next one begins.
    start: u32,
}

impl<'a> Arguments<'a> {
    #[inline]
    pub(super) fn new(text: &'a [u8], ends: &'a [u32]) -> Self {
        Self {
            text,
            ends: ends.iter(),
            count: ends.len(),
            start: 0,
        }
    }

    #[inline]
    pub(super) const fn text(&self) -> &'a [u8] {
        self.text
    }

    #[inline]
    pub(super) fn bytes(&self, span: Span) -> &'a [u8] {
        span.of(self.text)
    }

    /// How many were taken.
    #[inline(always)]
    pub(super) fn taken(&self) -> usize {
        self.count - self.ends.len()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Span> {
        let end = *self.ends.next()?;
        let start = self.start;
        self.start = end + 1;
        Some(Span { start, end })
    }

    /// The first byte of an argument. Of an empty one, the TAB after it, or 0:
    /// these mean nothing.
    #[inline]
    pub(super) fn code(&self, argument: Span) -> u8 {
        let code = self.text.get(argument.start as usize);
        code.copied().unwrap_or_default()
    }

    /// The number in this place.
    #[inline]
    pub(super) fn integer(&self, span: Span) -> Option<i64> {
        let before = self.text.get(..span.end as usize)?;
        match digits::last(before, span.end.wrapping_sub(span.start)) {
            None => other_integer(self.bytes(span)),
            number => number,
        }
    }
}

#[inline(never)]
fn other_integer(text: &[u8]) -> Option<i64> {
    integer(text)
}
