//! Comparisons by the hash of their constant.
//!
//! A table is built once and never changed: open addressing, at most half full,
//! eight bytes an entry, so that nearly every look-up touches one cache line. It
//! returns comparisons that *may* hold; the caller evaluates them.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::set::narrow;

/// The number of a comparison within its class.
pub(in crate::set) type PostingId = u32;

/// A map from hashes to comparisons; several may share a hash.
#[derive(Debug, Default)]
pub(in crate::set) struct Table {
    /// Empty, or of a length that is a power of two.
    entries: Box<[Entry]>,
    /// Comparisons that share a hash, such as patterns with one beginning.
    groups: Option<Box<Groups>>,
}

#[derive(Debug, Default)]
struct Groups {
    members: Vec<PostingId>,
    /// For each group, the position of its first member and their number.
    spans: Vec<(u32, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The upper half of the hash; the lower half gives the position.
    tag: u32,
    /// A comparison, a group with [`GROUP`] set, or [`EMPTY`].
    found: u32,
}

const EMPTY: u32 = u32::MAX;
const GROUP: u32 = 1 << 31;

impl Table {
    /// Builds a table.
    pub(in crate::set) fn new(mut of: Vec<(u64, PostingId)>) -> Self {
        if of.is_empty() {
            return Self::default();
        }
        of.sort_unstable();
        let same = |a: &(u64, PostingId), b: &(u64, PostingId)| a.0 == b.0;
        let len = (2 * of.chunk_by(same).count()).next_power_of_two();
        let free = Entry {
            tag: 0,
            found: EMPTY,
        };
        let mut entries = vec![free; len].into_boxed_slice();
        let mut groups = Groups::default();
        for same in of.chunk_by(same) {
            let Some((hash, first)) = same.first() else {
                continue;
            };
            let found = if same.len() == 1 {
                *first
            } else {
                GROUP | groups.add(same)
            };
            let (mut at, tag) = split(*hash);
            while let Some(entry) = entries.get_mut(at & (len - 1)) {
                if entry.found == EMPTY {
                    *entry = Entry { tag, found };
                    break;
                }
                at = at.wrapping_add(1);
            }
        }
        Self {
            entries,
            groups: (!groups.spans.is_empty()).then(|| groups.into()),
        }
    }

    pub(in crate::set) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Calls `found` with all comparisons of this hash, rarely with others.
    #[inline]
    pub(in crate::set) fn find(&self, hash: u64, mut found: impl FnMut(PostingId)) {
        let mask = self.entries.len().wrapping_sub(1);
        let (mut at, tag) = split(hash);
        // Ends, because half of the entries are empty.
        while let Some(entry) = self.entries.get(at & mask) {
            if entry.found == EMPTY {
                return;
            }
            if entry.tag == tag {
                if entry.found & GROUP == 0 {
                    found(entry.found);
                } else {
                    self.group(entry.found & !GROUP, &mut found);
                }
            }
            at = at.wrapping_add(1);
        }
    }

    #[cold]
    fn group(&self, group: u32, found: &mut impl FnMut(PostingId)) {
        let Some(groups) = &self.groups else {
            return;
        };
        let Some(&(first, len)) = groups.spans.get(group as usize) else {
            return;
        };
        let (first, len) = (first as usize, len as usize);
        for posting in groups.members.get(first..first + len).unwrap_or_default() {
            found(*posting);
        }
    }
}

impl Groups {
    fn add(&mut self, members: &[(u64, PostingId)]) -> u32 {
        let group = narrow(self.spans.len());
        self.spans
            .push((narrow(self.members.len()), narrow(members.len())));
        self.members
            .extend(members.iter().map(|(_, posting)| *posting));
        group
    }
}

/// The position at which a search begins, and the tag.
#[allow(
    clippy::cast_possible_truncation,
    reason = "each takes a part of the hash"
)]
fn split(hash: u64) -> (usize, u32) {
    (hash as usize, (hash >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: &[(u64, PostingId)], hash: u64, expected: &[PostingId]) {
        let mut found = Vec::new();
        Table::new(of.to_vec()).find(hash, |posting| found.push(posting));
        found.sort_unstable();
        assert_eq!(found, expected, "{hash} in {of:?}");
    }

    #[test]
    fn all_of_a_hash_and_no_others() {
        check(&[], 0, &[]);
        check(&[(0, 7)], 0, &[7]);
        check(&[(0, 7)], 1 << 32, &[]);
        check(&[(5, 1), (5, 0), (1 << 32 | 6, 2), (5, 3)], 5, &[0, 1, 3]);
        // All at one position.
        let crowded: Vec<_> = (0..100).map(|n| (u64::from(n) << 32, n)).collect();
        for n in 0..100 {
            check(&crowded, u64::from(n) << 32, &[n]);
        }
        check(&crowded, 100 << 32, &[]);
    }

    #[test]
    fn many_of_one_hash_are_one_entry() {
        let same: Vec<_> = (0..10_000).map(|n| (9, n)).collect();
        let table = Table::new(same);
        let mut count = 0;
        table.find(9, |_| count += 1);
        assert_eq!(count, 10_000);
        assert_eq!(table.entries.len(), 2);
    }
}
