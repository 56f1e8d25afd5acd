//! Heavy hitters: the values with the greatest counts, in bounded memory.
//!
//! # The method
//! The summary is Space-Saving (Metwally, Agrawal and El Abbadi, 2005) with evictions
//! in batches. Each counter has the weight that it *counted* since the value got it, and
//! its *error*: the maximum weight of the value before. If all counters are used, the
//! quarter with the smallest upper bounds is evicted, and the greatest of them becomes
//! the *threshold*: no value without a counter has more. A value that returns starts
//! with the threshold as its error. So always
//!
//! - `counted <= weight of the value <= counted + error`, for a value with a counter;
//! - `weight of the value <= threshold`, for a value without one;
//! - `threshold <= total / (0.75 * counters)`: if an eviction increases the threshold by
//!   d, at least three quarters of the counters are d or more above it, and each unit of
//!   weight is above it in one counter at most.
//!
//! Original Space-Saving replaces the single smallest counter. Its bound is better,
//! `total / counters`, but it needs the minimum for each new value: a list of buckets,
//! which supports only the weight 1, or a heap, which each event changes. A batch costs
//! two steps for each new value on average, no structure beside the table of counters,
//! and nothing for a value with a counter. Anderson et al. (2017) use batches for
//! Misra-Gries and found them several times as fast as a heap; they evict half, which
//! doubles the bound, and subtract from the counters, so that one error holds for all
//! values. Here a value that kept its counter from its first event on has no error.
//! Sketches such as Count-Min with a heap, or `HeavyKeeper` (2018), bound the error only
//! with a probability, and clients choose the values.
//!
//! Summaries merge (Agarwal et al., 2012): counts, errors and thresholds are added, and
//! a value without a counter in one summary gets the threshold of that summary as its
//! error. The bounds above hold for the sum of both totals.
//!
//! # Memory
//! A counter has 108 bytes at most on average, of them 64 for the text. Text of long
//! values uses the share of other values: with values of 272 bytes, which longer ones
//! are cut to, the number of counters is a quarter. Memory grows with the number of
//! values, in steps that are reserved before.

mod counters;
mod encode;

use std::cmp::Reverse;

use self::counters::Counters;
use crate::{Label, label::LONG_KEY_BYTES};

/// The maximum number of bytes of a key: longer values have a hash in it.
pub(crate) const MAX_KEY_BYTES: usize = *LONG_KEY_BYTES.start();

/// The values of one field with the greatest counts or weights, and the bounds of all
/// others.
///
/// ```
/// # use fantail_event::{Dialect, Event, SentEvent, Timestamp};
/// # use fantail_metrics::{MetricSettings, Registry, Top};
/// let mut registry = Registry::new(Dialect::V2_4);
/// let logins = registry.add(MetricSettings {
///     name: b"logins".to_vec(),
///     top: Some(Top::new("user")),
///     ..MetricSettings::default()
/// })?;
/// for user in ["anna", "bert", "anna"] {
///     let event = Event::builder(Timestamp::from_unix_micros(1)).field("user", user).build()?;
///     registry.observe(logins, &SentEvent::alone(&event));
/// }
/// let snapshot = registry.snapshot();
/// let top = snapshot.metrics()[0].top().ok_or("the metric has heavy hitters")?;
/// let shown = top.shown();
/// let shown: Vec<_> = shown
///     .iter()
///     .map(|one| (one.label.plain_text(), one.counted, one.error))
///     .collect();
/// assert_eq!(shown, [(Some("anna"), 2, 0), (Some("bert"), 1, 0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```
/// use fantail_event::{Dialect, Event, SentEvent, Timestamp};
/// use fantail_metrics::{HeavyHitter, HeavyHitters, Label, MetricSettings, Registry, Top};
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// let id = registry.add(MetricSettings {
///     name: b"logins".to_vec(),
///     top: Some(Top::new("user")),
///     ..MetricSettings::default()
/// })?;
/// for user in ["anna", "bob", "anna"] {
///     let event = Event::builder(Timestamp::from_unix_micros(0)).field("user", user).build()?;
///     registry.observe(id, &SentEvent::alone(&event));
/// }
/// let snapshot = registry.snapshot();
/// let top: &HeavyHitters = snapshot.metrics()[0].top().unwrap();
/// assert_eq!(top.total(), 3);
/// let first: HeavyHitter<'_> = top.shown()[0];
/// assert_eq!((first.label, first.counted, first.error), (Label::Value(b"anna"), 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeavyHitters {
    shown: usize,
    max_counters: usize,
    counters: Counters,
    total: u64,
    threshold: u64,
}

/// A value with a counter: its weight is at least `counted`, and at most
/// `counted + error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeavyHitter<'a> {
    /// The value.
    pub label: Label<'a>,
    /// The weight since the value has its counter.
    pub counted: u64,
    /// The maximum weight of the value before.
    pub error: u64,
}

impl HeavyHitter<'_> {
    /// Returns the maximum weight of the value.
    #[must_use]
    pub const fn at_most(&self) -> u64 {
        self.counted.saturating_add(self.error)
    }
}

impl HeavyHitters {
    /// Creates a summary without values, with room for a few counters; allocates nothing.
    pub(crate) fn new(top: &crate::Top) -> Self {
        Self {
            shown: top.shown() as usize,
            max_counters: top.counters() as usize,
            counters: Counters::with_room(Self::first_room(top)),
            total: 0,
            threshold: 0,
        }
    }

    fn first_room(top: &crate::Top) -> usize {
        (*crate::Top::VALID_COUNTERS.start()).min(top.counters()) as usize
    }

    /// Returns the number of bytes that a new summary uses.
    pub(crate) fn first_bytes(top: &crate::Top) -> usize {
        Self::first_room(top) * counters::COUNTER_BYTES
    }

    /// Adds `weight` to a value. If all counters are used, calls `reserve` with the bytes
    /// of more counters; evicts values if it returns `false` or the maximum is reached.
    #[inline]
    pub(crate) fn record(&mut self, key: &[u8], weight: u64, reserve: impl FnOnce(usize) -> bool) {
        self.total = self.total.saturating_add(weight);
        let hash = self.counters.hash(key);
        if let Some(counter) = self.counters.find_mut(hash, key) {
            counter.counted = counter.counted.saturating_add(weight);
        } else if weight > 0 {
            self.insert(hash, key, weight, reserve);
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, key: &[u8], weight: u64, reserve: impl FnOnce(usize) -> bool) {
        debug_assert!(key.len() <= MAX_KEY_BYTES, "a key of {} bytes", key.len());
        if !self.counters.fits(key.len()) {
            let more = self
                .counters
                .room()
                .min(self.max_counters - self.counters.room());
            if more > 0 && reserve(more * counters::COUNTER_BYTES) {
                self.counters.add_room(more);
            }
        }
        while !self.counters.fits(key.len()) {
            self.evict(self.counters.len() / 4);
        }
        self.counters.push(hash, key, (weight, self.threshold));
    }

    /// Evicts this number of values, and at least one.
    fn evict(&mut self, count: usize) {
        let evicted = self.counters.evict(count.max(1));
        debug_assert!(
            evicted >= self.threshold,
            "a counter was below the threshold"
        );
        self.threshold = self.threshold.max(evicted);
    }

    /// Adds another summary: the bounds hold for the sums. Calls `reserve` with the bytes
    /// of more counters; if it returns `false`, fewer values keep a counter.
    pub(crate) fn merge(&mut self, other: &Self, reserve: impl FnOnce(usize) -> bool) {
        let missing = self.counters.missing_room(&other.counters);
        let more = missing.min(self.max_counters - self.counters.room());
        if more > 0 && reserve(more * counters::COUNTER_BYTES) {
            self.counters.add_room(more);
        }
        self.counters.add_errors(other.threshold);
        self.counters.reserve_for(&other.counters);
        for (key, (counted, error)) in other.counters.iter() {
            let hash = self.counters.hash(key);
            if let Some(counter) = self.counters.find_mut(hash, key) {
                counter.counted = counter.counted.saturating_add(counted);
                // The threshold of `other` is part of the error.
                counter.error = counter.error.saturating_sub(other.threshold - error);
            } else {
                let error = error.saturating_add(self.threshold);
                self.counters.push(hash, key, (counted, error));
            }
        }
        self.total = self.total.saturating_add(other.total);
        self.threshold = self.threshold.saturating_add(other.threshold);
        while let Some(excess) = self.counters.excess() {
            self.evict(excess);
        }
    }

    /// Removes all values.
    pub(crate) fn reset(&mut self) {
        self.counters.clear();
        (self.total, self.threshold) = (0, 0);
    }

    /// Returns the weight of all values together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the maximum weight of a value without a counter.
    #[must_use]
    pub const fn threshold(&self) -> u64 {
        self.threshold
    }

    /// Returns the number of values with a counter.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.counters.len()
    }

    /// Returns whether no value has a counter.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the allocated bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.counters.heap_bytes()
    }

    /// Returns all values with a counter, in any order.
    pub fn iter(&self) -> impl Iterator<Item = HeavyHitter<'_>> {
        self.counters
            .iter()
            .map(|(key, (counted, error))| HeavyHitter {
                label: Label::Value(key),
                counted,
                error,
            })
    }

    /// Returns the values that an answer shows: those with the greatest counts, in this
    /// order; values with the same count in the order of their bytes.
    ///
    /// Each of them has more than any value without a counter. So in a stream without
    /// heavy hitters few values are shown, and not others in each answer.
    #[must_use]
    pub fn shown(&self) -> Vec<HeavyHitter<'_>> {
        let certain = self.iter().filter(|one| one.counted > self.threshold);
        let mut all: Vec<_> = certain.collect();
        if all.len() > self.shown {
            all.select_nth_unstable_by_key(self.shown, order);
            all.truncate(self.shown);
        }
        all.sort_unstable_by_key(order);
        all
    }

    /// Returns the maximum weight of any value that is not [shown](Self::shown).
    #[must_use]
    pub fn others_at_most(&self) -> u64 {
        let shown = self.shown();
        let last = shown.last().map(order);
        let is_shown = |one: &HeavyHitter<'_>| {
            one.counted > self.threshold && last.is_some_and(|last| order(one) <= last)
        };
        let others = self.iter().filter(|one| !is_shown(one));
        let others = others.map(|one| one.at_most()).max();
        others.unwrap_or(0).max(self.threshold)
    }
}

/// Returns the order of an answer.
const fn order<'a>(one: &HeavyHitter<'a>) -> (Reverse<u64>, &'a [u8]) {
    let key = match one.label {
        Label::Value(key) => key,
        Label::Bucket(_) | Label::Other | Label::Missing => &[],
    };
    (Reverse(one.counted), key)
}
