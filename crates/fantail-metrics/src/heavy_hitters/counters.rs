//! The counters of a summary, found by the hash of their values.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::{DefaultHashBuilder, HashTable};

/// The bytes of text for each counter, on average.
const TEXT_BYTES: usize = 64;

/// The counters of the first allocation.
const MIN_COUNTERS: usize = 8;

/// The bytes of a counter in the table, which has five for each entry, and is at least
/// seven sixteenths full.
const TABLE_BYTES: usize = 12;

/// The bytes of a counter with its text, on average.
pub(super) const COUNTER_BYTES: usize = size_of::<Counter>() + TEXT_BYTES + TABLE_BYTES;

#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) counted: u64,
    pub(super) error: u64,
    hash: u64,
    /// The start of the key in the texts.
    start: u32,
    length: u32,
}

impl Counter {
    const fn at_most(&self) -> u64 {
        self.counted.saturating_add(self.error)
    }

    fn key<'t>(&self, texts: &'t [u8]) -> &'t [u8] {
        let start = self.start as usize;
        let key = texts.get(start..start + self.length as usize);
        debug_assert!(key.is_some(), "no text at {start}");
        key.unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Counters {
    counters: Vec<Counter>,
    texts: Vec<u8>,
    table: HashTable<u32>,
    /// Randomly seeded: clients choose the values, and must not know which ones collide.
    hasher: DefaultHashBuilder,
    /// The maximum number of counters; the texts are in proportion to it.
    room: usize,
}

impl Counters {
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            counters: Vec::new(),
            texts: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            room,
        }
    }

    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    #[inline]
    pub(super) fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut Counter> {
        let Self {
            counters, texts, ..
        } = self;
        let is_it = |at: &u32| {
            let counter = counters.get(*at as usize);
            counter.is_some_and(|counter| counter.hash == hash && counter.key(texts) == key)
        };
        let at = *self.table.find(hash, is_it)?;
        self.counters.get_mut(at as usize)
    }

    /// Returns whether another key of this length has room.
    pub(super) const fn fits(&self, length: usize) -> bool {
        self.counters.len() < self.room && self.texts.len() + length <= self.room * TEXT_BYTES
    }

    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// Makes room for more counters.
    pub(super) const fn add_room(&mut self, more: usize) {
        self.room += more;
    }

    /// Returns the room that is missing for the counters of both summaries.
    pub(super) fn missing_room(&self, other: &Self) -> usize {
        let counters = self.counters.len() + other.counters.len();
        let texts = self.texts.len() + other.texts.len();
        let needed = counters.max(texts.div_ceil(TEXT_BYTES));
        needed.saturating_sub(self.room)
    }

    /// Allocates for all counters of another summary, regardless of the room.
    pub(super) fn reserve_for(&mut self, other: &Self) {
        self.counters.reserve_exact(other.counters.len());
        self.texts.reserve_exact(other.texts.len());
        let counters = &self.counters;
        let hash = |at: &u32| counters.get(*at as usize).map_or(0, |counter| counter.hash);
        self.table.reserve(other.counters.len(), hash);
    }

    /// Allocates for another counter: as much again, within the room.
    fn reserve_one(&mut self, key: &[u8]) {
        let used = self.counters.len();
        if used == self.counters.capacity() {
            let most = self.room.saturating_sub(used);
            self.counters
                .reserve_exact(used.max(MIN_COUNTERS).min(most));
        }
        let (used, spare) = (self.texts.len(), self.texts.capacity() - self.texts.len());
        if spare < key.len() {
            let most = (self.room * TEXT_BYTES).saturating_sub(used);
            let more = used.max(MIN_COUNTERS * TEXT_BYTES).min(most);
            self.texts.reserve_exact(more.max(key.len()));
        }
    }

    /// Returns how many counters are too many, for themselves or for their texts.
    pub(super) fn excess(&self) -> Option<usize> {
        if self.counters.len() > self.room {
            return Some(self.counters.len() - self.room);
        }
        // The text is shortened by the average of a few counters.
        (self.texts.len() > self.room * TEXT_BYTES).then_some(self.counters.len() / 16)
    }

    /// Adds a key without a counter; its counts are at least `counted`, and at most
    /// `counted + error`.
    pub(super) fn push(&mut self, hash: u64, key: &[u8], (counted, error): (u64, u64)) {
        // A summary has at most 2¹⁷ counters, and 2²⁵ bytes of text even after a merge.
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let at = number(self.counters.len());
        let start = number(self.texts.len());
        self.reserve_one(key);
        self.texts.extend_from_slice(key);
        self.counters.push(Counter {
            counted,
            error,
            hash,
            start,
            length: number(key.len()),
        });
        let counters = &self.counters;
        let hash_of = |at: &u32| counters.get(*at as usize).map_or(0, |counter| counter.hash);
        self.table.insert_unique(hash, at, hash_of);
    }

    /// Adds to all errors.
    pub(super) fn add_errors(&mut self, error: u64) {
        for counter in &mut self.counters {
            counter.error = counter.error.saturating_add(error);
        }
    }

    /// Removes `count` counters, those with the smallest upper bounds, and of equal ones
    /// the oldest. Returns the greatest upper bound of a removed one.
    pub(super) fn evict(&mut self, count: usize) -> u64 {
        let mut bounds: Vec<u64> = self.counters.iter().map(Counter::at_most).collect();
        let last = count.min(bounds.len()).saturating_sub(1);
        let (limit, mut equal) = match bounds.len() {
            0 => (0, 0),
            _ => {
                let (below, limit, _) = bounds.select_nth_unstable(last);
                let less = below.iter().filter(|bound| *bound < limit).count();
                (*limit, last + 1 - less)
            }
        };
        let mut end = 0;
        let texts = &mut self.texts;
        self.counters.retain_mut(|counter| {
            let at_most = counter.at_most();
            let is_removed = at_most < limit || at_most == limit && equal > 0;
            equal -= usize::from(is_removed && at_most == limit);
            if !is_removed {
                let (start, length) = (counter.start as usize, counter.length as usize);
                // Keys are in the order of the counters: the target is not after them.
                texts.copy_within(start..start + length, end);
                counter.start = u32::try_from(end).unwrap_or(u32::MAX);
                end += length;
            }
            !is_removed
        });
        texts.truncate(end);
        self.table.clear();
        for (at, counter) in (0..).zip(&self.counters) {
            // The table has room for all.
            self.table.insert_unique(counter.hash, at, |_| 0);
        }
        limit
    }

    pub(super) fn clear(&mut self) {
        self.counters.clear();
        self.texts.clear();
        self.table.clear();
    }

    pub(super) const fn len(&self) -> usize {
        self.counters.len()
    }

    /// Returns each key with its count and error.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], (u64, u64))> {
        let counters = self.counters.iter();
        counters.map(|counter| (counter.key(&self.texts), (counter.counted, counter.error)))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.counters.capacity() * size_of::<Counter>()
            + self.texts.capacity()
            + self.table.allocation_size()
    }
}
