//! The labels of a run of series as one text.

use std::ops::Range;

use super::labels::Labels;

/// The texts of a run of series, concatenated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LabelTexts<'a> {
    ends: &'a [u16],
    /// The start of the first text, in the unit of `ends`.
    start: usize,
    pub(crate) all: &'a [u8],
    /// The lengths of the shortest and the longest text in bytes.
    pub(crate) lengths: (usize, usize),
}

impl Labels {
    /// Returns the texts of the series from index `from` to before `to`, if all
    /// of them have texts.
    #[inline]
    pub(super) fn texts(&self, from: usize, to: usize) -> Option<LabelTexts<'_>> {
        let (start, ends, all) = self.texts_of(from, to)?;
        let (mut before, mut shortest, mut longest) = (start, usize::MAX, 0);
        for end in ends.iter().map(|end| usize::from(*end)) {
            let length = end.wrapping_sub(before);
            before = end;
            shortest = shortest.min(length);
            longest = longest.max(length);
        }
        Some(LabelTexts {
            ends,
            start,
            all,
            lengths: (shortest, longest),
        })
    }
}

impl<'a> LabelTexts<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the range of each text in `all`.
    #[inline]
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let first = self.start;
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = usize::from(*end).wrapping_sub(first);
            std::mem::replace(&mut start, end)..end
        })
    }

    /// Returns the length of each text in bytes.
    #[inline]
    pub(crate) fn each_length(&self) -> impl Iterator<Item = usize> + Clone + use<'a> {
        let mut start = self.start;
        self.ends.iter().map(move |end| {
            let end = usize::from(*end);
            end.wrapping_sub(std::mem::replace(&mut start, end))
        })
    }
}
