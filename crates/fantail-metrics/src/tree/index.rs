//! Where a series is, by its parent and its key.
//!
//! A table without gaps between a place and its hash: whoever looks for a
//! series finds both in one line of the cache, where a table with its tags
//! apart takes two; with many series that is what an event waits for. Entries
//! lie in the order of their hashes, but for those that were pushed on by
//! others, so that the table grows by one walk over the old and the new, and
//! without a look at the series themselves.
//!
//! Nothing is ever removed: when series go, the table is made anew.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::DefaultHashBuilder;

/// Entries of the smallest table, a power of two.
const LEAST: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, or none: the hash in the upper half, the series
    /// in the lower; 0 where there is none, as series 0 is the metric itself,
    /// which nobody looks up.
    entries: Vec<u64>,
    len: usize,
    /// Values come from clients: nobody knows beforehand which ones collide.
    hasher: DefaultHashBuilder,
}

impl Index {
    #[inline]
    pub(super) fn hash(&self, parent: u32, (tag, text): (u32, &[u8])) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(parent) << 32 | u64::from(tag));
        hasher.write(text);
        let hash = hasher.finish();
        // Folded, as no half need be as good as the whole.
        lower(hash ^ hash >> 32)
    }

    #[inline]
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut place = first_place(hash, self.entries.len());
        // There is always an empty one.
        loop {
            let entry = *self.entries.get(place)?;
            if entry == 0 {
                return None;
            }
            if lower(entry >> 32) == hash && is_it(lower(entry)) {
                return Some(lower(entry));
            }
            place = (place + 1) & (self.entries.len() - 1);
        }
    }

    pub(super) fn insert(&mut self, hash: u32, series: u32) {
        if self.len >= most(self.entries.len()) {
            self.grow();
        }
        self.len += 1;
        put(&mut self.entries, u64::from(hash) << 32 | u64::from(series));
    }

    #[cold]
    fn grow(&mut self) {
        let more = (2 * self.entries.len()).max(LEAST);
        let old = std::mem::replace(&mut self.entries, vec![0; more]);
        for entry in old.into_iter().filter(|entry| *entry != 0) {
            put(&mut self.entries, entry);
        }
    }

    /// Without any series, but with room for so many.
    pub(super) fn cleared(&self, room: usize) -> Self {
        let mut len = LEAST;
        while most(len) < room {
            len *= 2;
        }
        Self {
            entries: vec![0; len],
            len: 0,
            hasher: self.hasher.clone(),
        }
    }
}

/// How many entries a table of this length may have: beyond, those that are
/// not there take long to be missed.
const fn most(len: usize) -> usize {
    len / 5 * 4
}

/// Where the entries of a hash begin.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "less than the length")]
const fn first_place(hash: u32, len: usize) -> usize {
    // The upper bits: of twice as many places, it is twice as far or one more.
    ((hash as u64 * len as u64) >> 32) as usize
}

#[inline]
fn put(entries: &mut [u64], entry: u64) {
    let len = entries.len();
    let mut place = first_place(lower(entry >> 32), len);
    while let Some(there) = entries.get_mut(place) {
        if *there == 0 {
            *there = entry;
            return;
        }
        place = (place + 1) & (len - 1);
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "half of it is meant")]
const fn lower(both: u64) -> u32 {
    both as u32
}

#[cfg(test)]
mod tests {
    use super::Index;

    /// All that are put in are found, and no others.
    fn check(hashes: &[u32]) {
        let mut index = Index::default();
        for (series, hash) in (1..).zip(hashes) {
            assert_eq!(index.find(*hash, |found| found == series), None);
            index.insert(*hash, series);
            assert!(index.entries.contains(&0), "there is an end to each search");
        }
        let again = index.cleared(hashes.len());
        assert_eq!(again.find(0, |_| true), None);
        assert!(super::most(again.entries.len()) >= hashes.len());
        for (series, hash) in (1..).zip(hashes) {
            assert_eq!(index.find(*hash, |found| found == series), Some(series));
            let mut same = Vec::new();
            index.find(*hash, |found| {
                same.push(found);
                false
            });
            let expected = (1..).zip(hashes).filter(|(_, other)| *other == hash);
            same.sort_unstable();
            assert!(same.into_iter().eq(expected.map(|(series, _)| series)));
        }
    }

    #[test]
    fn series_are_found_by_their_hash() {
        check(&[]);
        check(&[0]);
        check(&[u32::MAX; 20]);
        check(&[0, u32::MAX, 0, 1, u32::MAX, 1 << 31, u32::MAX - 1]);
        let spread: Vec<u32> = (0..500)
            .map(|n: u32| n.wrapping_mul(2_654_435_761))
            .collect();
        check(&spread);
        let near: Vec<u32> = (0..500).map(|n| n / 3).collect();
        check(&near);
    }
}
