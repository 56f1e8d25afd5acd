//! The parents and keys of a segment's series.
//!
//! Looking up a series waits for this memory, so a value that is equal for all
//! series is stored once. Most segments contain the values of one field below
//! one parent: then a series uses its text and two bytes, and these two bytes
//! of all series fit into a cache.

use fantail_event::internal::same_name;

use super::{
    key::Key,
    segmented::{SEGMENT_SERIES, push},
};

#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    parents: Parents,
    /// The end of each text: at most 64 texts of 1,023 bytes.
    ends: Vec<u16>,
    /// All texts, concatenated.
    texts: Vec<u8>,
}

/// The parents of the series, and the tags of their keys.
#[derive(Debug, Clone)]
enum Parents {
    /// All series have texts and this parent.
    Shared(u32),
    /// The parent of each series, and the number of [`Key::parts`].
    Each(Vec<(u32, u32)>),
}

impl Default for Parents {
    /// Returns the parents of no series.
    fn default() -> Self {
        Self::Shared(u32::MAX)
    }
}

impl Parents {
    #[inline]
    fn of(&self, within: usize) -> (u32, u32) {
        match self {
            Self::Shared(parent) => (*parent, 0),
            Self::Each(each) => each.get(within).copied().unwrap_or((u32::MAX, 0)),
        }
    }

    /// Appends the parent and the tag of the series at index `before`.
    #[inline]
    fn push(&mut self, before: usize, next: (u32, u32)) {
        match self {
            Self::Shared(parent) if before == 0 && next.1 == 0 => *parent = next.0,
            Self::Shared(parent) if (*parent, 0) == next => {}
            Self::Shared(parent) => {
                let mut each = vec![(*parent, 0); before];
                push(&mut each, next, 1);
                *self = Self::Each(each);
            }
            Self::Each(each) => push(each, next, 1),
        }
    }

    /// Returns the number of series from index `from` to before `to` up to the first that
    /// has no text.
    #[inline]
    fn count_texts(&self, from: usize, to: usize) -> usize {
        match self {
            Self::Shared(_) => to - from,
            Self::Each(each) => {
                let all = each.get(from..to).unwrap_or_default();
                all.iter().take_while(|(_, tag)| *tag == 0).count()
            }
        }
    }
}

impl Labels {
    /// Returns an empty segment with the capacity for series like those of
    /// `full`: growing step by step costs more than filling it.
    pub(super) fn after(full: &Self) -> Self {
        Self {
            // The first segment always has several parents, so it is not a
            // model for the next.
            parents: Parents::default(),
            ends: Vec::with_capacity(SEGMENT_SERIES),
            texts: Vec::with_capacity(full.texts.len() + full.texts.len() / 16),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, parent: u32, key: Key<'_>) {
        let (tag, text) = key.parts();
        self.parents.push(self.ends.len(), (parent, tag));
        self.texts.extend_from_slice(text);
        let end = u16::try_from(self.texts.len()).unwrap_or(u16::MAX);
        push(&mut self.ends, end, 1);
        if self.ends.len() == SEGMENT_SERIES {
            self.texts.shrink_to_fit();
        }
    }

    /// Reads one word of each column to prefetch the segment.
    pub(super) const fn prefetch(&self) -> usize {
        self.ends.len() ^ self.texts.len()
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn text(&self, within: usize) -> Option<&[u8]> {
        let end = usize::from(*self.ends.get(within)?);
        let before = within.checked_sub(1).and_then(|at| self.ends.get(at));
        let start = before.map_or(0, |end| usize::from(*end));
        self.texts.get(start..end)
    }

    /// Returns whether a series has this parent and key.
    #[inline]
    pub(super) fn is(&self, within: usize, parent: u32, (tag, text): (u32, &[u8])) -> bool {
        self.parents.of(within) == (parent, tag) && self.has_text(within, text)
    }

    /// Returns whether a series has this key, below any parent.
    #[inline]
    pub(crate) fn has_key(&self, within: usize, (tag, text): (u32, &[u8])) -> bool {
        self.parents.of(within).1 == tag && self.has_text(within, text)
    }

    #[inline]
    fn has_text(&self, within: usize, text: &[u8]) -> bool {
        let found = self.text(within);
        found.is_some_and(|found| same_name(found, text))
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|within| self.parents.of(within).0)
    }

    pub(crate) fn key(&self, within: usize) -> Key<'_> {
        debug_assert!(within < self.len(), "no series {within} in this segment");
        let (_, tag) = self.parents.of(within);
        Key::from_parts(tag, self.text(within).unwrap_or_default())
    }

    /// Returns the number of series from index `from` to before `to` up to the first that
    /// has no text.
    #[inline]
    pub(super) fn count_texts(&self, from: usize, to: usize) -> usize {
        self.parents.count_texts(from, to)
    }

    /// Returns the start of the first text, the end of each text, and all texts
    /// of a range of series; `None` if a series has no text.
    #[inline]
    pub(super) fn texts_of(&self, from: usize, to: usize) -> Option<(usize, &[u16], &[u8])> {
        if self.parents.count_texts(from, to) < to - from {
            return None;
        }
        let ends = self.ends.get(from..to)?;
        let before = from.checked_sub(1).and_then(|at| self.ends.get(at));
        let start = before.map_or(0, |end| usize::from(*end));
        let end = ends.last().map_or(start, |end| usize::from(*end));
        Some((start, ends, self.texts.get(start..end)?))
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;
    use crate::store::key::Key;

    /// Checks that all series are found as they were added, and no others.
    fn check(series: &[(u32, Key<'_>)]) {
        let mut labels = Labels::default();
        let mut after = Labels::default();
        for (at, (parent, key)) in series.iter().enumerate() {
            labels.push(*parent, *key);
            if at == 0 {
                after = Labels::after(&labels);
            }
            after.push(*parent, *key);
        }
        for labels in [labels, after] {
            let parents = series.iter().map(|(parent, _)| *parent);
            assert!(labels.parents().eq(parents));
            for (within, (parent, key)) in series.iter().enumerate() {
                assert_eq!(labels.key(within), *key);
                for (other_parent, other) in series {
                    let same = (parent, key) == (other_parent, other);
                    assert_eq!(labels.is(within, *other_parent, other.parts()), same);
                }
            }
            let one = |within| labels.texts_of(within, within + 1);
            for (within, (_, key)) in series.iter().enumerate() {
                let expected = match key {
                    Key::Text(text) => Some(*text),
                    _ => None,
                };
                assert_eq!(one(within).map(|(.., text)| text), expected);
            }
            assert_eq!(one(series.len()), None, "there are no more");
            assert!(!labels.is(series.len(), u32::MAX, (0, b"")));
        }
    }

    #[test]
    fn parents_and_keys_are_kept() {
        let [a, b, long] = [&b"a"[..], b"b", &[b'x'; 272]].map(Key::Text);
        check(&[]);
        check(&[(0, a)]);
        check(&[(u32::MAX, a)]);
        check(&[(7, a), (7, b), (7, Key::Text(b"")), (7, long)]);
        check(&[(7, a), (7, b), (8, a), (8, b), (7, long)]);
        check(&[(7, a), (7, Key::Missing), (7, b)]);
        check(&[(7, Key::Bucket(3)), (7, Key::Bucket(4)), (7, a)]);
        check(&[(u32::MAX, Key::OtherBucket), (u32::MAX, a)]);
        let long: Vec<Vec<u8>> = (0..64).map(|n| vec![n; 1_023]).collect();
        let long: Vec<_> = long.iter().map(|text| (1, Key::Text(text))).collect();
        check(&long);
    }
}
