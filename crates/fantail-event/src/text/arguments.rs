//! Iterates over the arguments of a text and parses numbers among them.

use alloc::vec::Vec;
use core::slice;

use super::{digits, numbers::integer, tabs::TabPositions};
use crate::{escape, invariant::Invariant as _, span::Span};

/// Copies a text without its escapes and stores where the arguments end in the copy.
/// Arguments are separated by a TAB, as in the text.
#[cold]
pub(super) fn unescape(text: &[u8], tabs: &mut TabPositions, copy: &mut Vec<u8>) {
    copy.clear();
    tabs.clear();
    for argument in text.split(|byte| *byte == b'\t') {
        if !tabs.as_slice().is_empty() {
            copy.push(b'\t');
        }
        escape::unescape_into(argument, copy);
        tabs.push(u32::try_from(copy.len()).always());
    }
}

/// The arguments between the TABs; at least one, as in a split.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    /// Without escapes.
    text: &'a [u8],
    /// The ends of the remaining arguments.
    ends: slice::Iter<'a, u32>,
    count: usize,
    /// The start of the next argument.
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

    /// The number of arguments taken.
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

    /// The first byte of an argument. For an empty argument it is the TAB after it,
    /// or 0 at the end; neither is a code.
    #[inline]
    pub(super) fn code(&self, argument: Span) -> u8 {
        let code = self.text.get(argument.start as usize);
        code.copied().unwrap_or_default()
    }

    /// The number at this span.
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
