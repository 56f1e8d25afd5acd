//! Where a series is, by its parent and its key.
//!
//! Half of each hash is kept beside the place: the table grows without a look
//! at the series themselves, which may be anywhere in memory, and hardly ever
//! is one looked at that is not the one wanted.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::{DefaultHashBuilder, HashTable};

#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashTable<Entry>,
    /// Values come from clients: nobody knows beforehand which ones collide.
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    series: u32,
}

impl Index {
    #[inline]
    pub(super) fn hash(&self, parent: u32, (tag, text): (u32, &[u8])) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(parent) << 32 | u64::from(tag));
        hasher.write(text);
        let hash = hasher.finish();
        // Folded, as no half need be as good as the whole.
        #[allow(clippy::cast_possible_truncation, reason = "half of it is meant")]
        let half = (hash ^ hash >> 32) as u32;
        half
    }

    #[inline]
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.entries.find(spread(hash), |entry| {
            entry.hash == hash && is_it(entry.series)
        });
        found.map(|entry| entry.series)
    }

    pub(super) fn insert(&mut self, hash: u32, series: u32) {
        let entry = Entry { hash, series };
        self.entries
            .insert_unique(spread(hash), entry, |entry| spread(entry.hash));
    }

    /// Without any series, but with room for so many.
    pub(super) fn cleared(&self, room: usize) -> Self {
        Self {
            entries: HashTable::with_capacity(room),
            hasher: self.hasher.clone(),
        }
    }
}

/// As the table wants a hash: it takes the lowest bits for the place, and the
/// highest to tell entries apart.
const fn spread(hash: u32) -> u64 {
    // Both halves are the hash; it never wraps.
    (hash as u64).wrapping_mul(0x1_0000_0001)
}
