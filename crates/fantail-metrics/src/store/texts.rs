//! The labels of many series as one piece of text.

use std::ops::Range;

use super::{Head, Labels};

/// The texts of series one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    heads: &'a [Head],
    /// Where the first begins, as the heads count.
    start: usize,
    pub(crate) all: &'a [u8],
    /// How long the shortest and the longest are.
    pub(crate) lengths: (usize, usize),
}

impl Labels {
    /// The texts from one series up to another, if that is what all of them
    /// have.
    #[inline]
    pub(super) fn texts(&self, from: usize, to: usize) -> Option<Texts<'_>> {
        let heads = self.heads.get(from..to)?;
        let before = from.checked_sub(1).and_then(|at| self.heads.get(at));
        let start = before.map_or(0, |head| head.end as usize);
        let (mut end, mut shortest, mut longest) = (start, usize::MAX, 0);
        for head in heads {
            if head.tag != 0 {
                return None;
            }
            let length = (head.end as usize).wrapping_sub(end);
            end = head.end as usize;
            shortest = shortest.min(length);
            longest = longest.max(length);
        }
        Some(Texts {
            heads,
            start,
            all: self.texts.get(start..end)?,
            lengths: (shortest, longest),
        })
    }
}

impl<'a> Texts<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.heads.len()
    }

    /// Where each is among all.
    #[inline]
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let first = self.start;
        let mut start = 0;
        self.heads.iter().map(move |head| {
            let end = (head.end as usize).wrapping_sub(first);
            std::mem::replace(&mut start, end)..end
        })
    }

    /// How long each is.
    #[inline]
    pub(crate) fn each_length(&self) -> impl Iterator<Item = usize> + Clone + use<'a> {
        let mut start = self.start;
        self.heads.iter().map(move |head| {
            let end = head.end as usize;
            end.wrapping_sub(std::mem::replace(&mut start, end))
        })
    }
}
