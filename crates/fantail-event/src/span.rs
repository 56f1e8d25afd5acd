//! Ranges of texts.

use crate::invariant::Invariant as _;

/// A range of a text of at most [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        let range = self.start as usize..self.end as usize;
        text.get(range).always()
    }

    /// The span between two positions below 4 GiB.
    #[inline]
    pub(crate) fn between(start: usize, end: usize) -> Self {
        Self {
            start: u32::try_from(start).always_or(u32::MAX),
            end: u32::try_from(end).always_or(u32::MAX),
        }
    }

    /// The number of bytes or elements in the range.
    #[inline]
    pub(crate) const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Returns the span of the same bytes after inserting `offset` bytes before
    /// the text.
    #[inline]
    pub(crate) const fn moved(self, offset: u32) -> Self {
        Self {
            start: self.start.saturating_add(offset),
            end: self.end.saturating_add(offset),
        }
    }
}
