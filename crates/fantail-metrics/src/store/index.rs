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

/// The number of entries of the smallest table, a power of two.
const MIN_ENTRIES: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The entries, see [`entry`]: a power of two of them, or none. An empty
    /// entry is 0: series 0 is the metric itself, which is not in the table.
    entries: Vec<u32>,
    /// The hashes of all series from 1 on.
    hashes: Vec<u32>,
    /// Randomly seeded: clients choose the values, and must not know which ones
    /// collide.
    hasher: DefaultHashBuilder,
}

impl Index {
    #[inline]
    pub(crate) fn hash(&self, parent: u32, (tag, text): (u32, &[u8])) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(parent) << 32 | u64::from(tag));
        hasher.write(text);
        let hash = hasher.finish();
        // Folds the hash, because each half may be weak.
        lower(hash ^ hash >> 32)
    }

    #[inline]
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let len = self.entries.len();
        let (mut position, wanted) = (first_position(hash, len), entry(hash, 0, len));
        let series = lower(len as u64).wrapping_sub(1);
        // The table always has an empty entry.
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

    /// Adds the next series.
    pub(crate) fn push(&mut self, hash: u32) {
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
        // Frees the old table before it allocates the new one.
        self.entries = Vec::new();
        self.entries = vec![0; len];
        for (series, hash) in (1..).zip(&self.hashes) {
            put(&mut self.entries, *hash, series);
        }
    }

    /// Returns an empty table for `series_count` series.
    pub(crate) fn with_capacity(series_count: usize) -> Self {
        let mut len = MIN_ENTRIES;
        while max_entries(len) < series_count {
            len *= 2;
        }
        Self {
            entries: vec![0; len],
            hashes: Vec::with_capacity(series_count),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Returns an empty table for `series_count` series, with the same hasher.
    pub(crate) fn cleared(&self, series_count: usize) -> Self {
        let hasher = self.hasher.clone();
        Self {
            hasher,
            ..Self::with_capacity(series_count)
        }
    }
}

/// Returns the maximum number of used entries of a table of this length. With
/// more, unsuccessful look-ups are slow.
const fn max_entries(len: usize) -> usize {
    len / 5 * 4
}

/// Returns the first position for a hash: its upper bits.
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

    /// Checks that the table finds all added hashes, and no others.
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
