//! A hash table from parent and key to the index of a series.
//!
//! Look-ups miss the cache, so the table is small: an entry has 32 bits. In a
//! table of 2ⁿ entries, n bits are the index of the series and the others are
//! bits of its hash; the position of the entry implies the remaining ones. So a
//! look-up compares with a wrong series once in thousands of times. The full
//! hashes are kept in a list of their own, which is read when the table grows.
//!
//! Entries are never removed: after series are dropped, the table is rebuilt.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::DefaultHashBuilder;

/// Entries of the smallest table, a power of two.
const MIN_ENTRIES: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, or none: see [`entry`]; 0 where there is none,
    /// as series 0 is the metric itself, which nobody looks up.
    entries: Vec<u32>,
    /// Of all series from 1 on.
    hashes: Vec<u32>,
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
        let len = self.entries.len();
        let (mut position, wanted) = (first_position(hash, len), entry(hash, 0, len));
        let series = lower(len as u64).wrapping_sub(1);
        // There is always an empty one.
        loop {
            let entry = *self.entries.get(position)?;
            if entry == 0 {
                return None;
            }
            if (entry ^ wanted) & !series == 0 && is_it(entry & series) {
                return Some(entry & series);
            }
            position = (position + 1) & (len - 1);
        }
    }

    /// Adds the next series, after all that there are.
    pub(super) fn push(&mut self, hash: u32) {
        self.hashes.push(hash);
        let len = self.entries.len();
        if self.hashes.len() > max_entries(len) {
            self.grow((2 * len).max(MIN_ENTRIES));
        } else {
            put(&mut self.entries, hash, self.hashes.len());
        }
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        // Not both at once.
        self.entries = Vec::new();
        self.entries = vec![0; len];
        for (series, hash) in (1..).zip(&self.hashes) {
            put(&mut self.entries, *hash, series);
        }
    }

    /// Returns an empty table for `series_count` series, with the same hasher.
    pub(super) fn cleared(&self, series_count: usize) -> Self {
        let mut len = MIN_ENTRIES;
        while max_entries(len) < series_count {
            len *= 2;
        }
        Self {
            entries: vec![0; len],
            hashes: Vec::with_capacity(series_count),
            hasher: self.hasher.clone(),
        }
    }
}

/// How many entries a table of this length may have: beyond, those that are
/// not there take long to be missed.
const fn max_entries(len: usize) -> usize {
    len / 5 * 4
}

/// Where the entries of a hash begin: by its upper bits.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "less than the length")]
const fn first_position(hash: u32, len: usize) -> usize {
    ((hash as u64 * len as u64) >> 32) as usize
}

/// Returns the entry of a series in a table of `len` entries: its index in the
/// lower bits, and bits of its hash above.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "a series is less than the length, and there are 32 bits of an entry"
)]
const fn entry(hash: u32, series: usize, len: usize) -> u32 {
    (hash as u64 * len as u64) as u32 | series as u32
}

#[inline]
fn put(entries: &mut [u32], hash: u32, series: usize) {
    let len = entries.len();
    let new = entry(hash, series, len);
    let mut position = first_position(hash, len);
    while let Some(there) = entries.get_mut(position) {
        if *there == 0 {
            *there = new;
            return;
        }
        position = (position + 1) & (len - 1);
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
            index.push(*hash);
            assert!(index.entries.contains(&0), "there is an end to each search");
        }
        let again = index.cleared(hashes.len());
        assert_eq!(again.find(0, |_| true), None);
        assert!(super::max_entries(again.entries.len()) >= hashes.len());
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
