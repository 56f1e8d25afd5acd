//! The series of one metric: the metric itself, its sub-metrics, and theirs.
//!
//! A hash of its parent and key finds a series. Siblings keep the order of
//! their creation; only [`Tree::drop_idle`] removes series. An event without a
//! sub-metric at a level is counted there in a series of its own,
//! [`Label::Missing`](crate::Label::Missing), so that the series without
//! children count all events.
//!
//! Invariants: a parent's index is less than its children's. No two siblings
//! have the same label. A series reserves its later `other` and missing
//! children when it is created, so that a limit is exact and these two can
//! always be created.

mod absorb;
mod idle;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    known_paths::Fingerprint,
    memory::{Charge, SeriesMemory},
};
use crate::{
    Distribution, Exemplar, MetricSettings,
    label::OTHER,
    store::{Store, index::Index, key::Key, observations::Mark, shared_segment::SharedSegment},
};

/// The size of a series without its label and distributions: its share of the columns
/// and of the index, which is one quarter vacant.
const SERIES_BYTES: usize = 48;

/// The index of the series that is the metric itself.
pub(crate) const ROOT: u32 = 0;

/// Returns the number of series that count for the limits: the series itself,
/// and an `other` and a missing one for each level below it.
pub(crate) const fn cost(levels_below: usize) -> usize {
    1 + 2 * levels_below
}

/// The series that the limits allow.
#[derive(Debug)]
pub(crate) struct SeriesBudget<'a> {
    /// The maximum number of series of the metric.
    pub(crate) metric: usize,
    /// The number of series of the registry, including reserved ones.
    pub(crate) used: &'a mut usize,
    /// The maximum number of series of the registry.
    pub(crate) all: usize,
}

/// What an update reads comes first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Tree {
    /// The number of levels of `group_by`.
    levels: u32,
    /// Set by the first scan for idle series. Until then all series are marked
    /// as just updated, and updates do not mark them.
    watched: bool,
    /// Whether the metric counts heavy hitters. It is here because an update reads this
    /// cache line.
    has_top: bool,
    /// Whether each bucket has the exact sum of its values, for a histogram: if
    /// the last level is quantized by a field other than the duration.
    own_sums: bool,
    /// The number of distributions of a series: the duration and each field.
    stride: usize,
    /// A hash of the names of the fields, comparable between trees of a registry.
    fields: u64,
    /// Only a snapshot locks it: an update has exclusive access to the tree.
    store: Mutex<Store>,
    fingerprint: Fingerprint,
    index: Index,
    /// The number of series, including reserved ones.
    used: usize,
    /// The memory of all series except the metric itself.
    charge: Charge,
    /// The maximum number of series, instead of that of the budget.
    series_limit: Option<usize>,
}

impl Tree {
    /// Creates a tree; `keys` are the hash keys that all trees of a registry share.
    pub(crate) fn new(settings: &MetricSettings, keys: &RandomState, used: &mut usize) -> Self {
        let mut tree = Self {
            levels: u32::try_from(settings.group_by.len()).unwrap_or(u32::MAX),
            stride: 1 + settings.fields.len(),
            fields: keys.hash_one(&settings.fields),
            fingerprint: Fingerprint::new(&settings.group_by, keys),
            own_sums: settings.has_own_sums(),
            index: Index::default(),
            used: cost(settings.group_by.len()),
            watched: false,
            has_top: settings.top.is_some(),
            charge: Charge::default(),
            series_limit: None,
            store: Mutex::default(),
        };
        *used += tree.used;
        let mark = Mark {
            declared: true,
            ..Mark::new(true)
        };
        tree.push(u32::MAX, Key::Text(b""), mark);
        tree
    }

    /// Reserves the memory of existing and new series from `memory`.
    pub(crate) fn share_memory(&mut self, memory: Option<&Arc<dyn SeriesMemory>>) {
        self.charge.share(memory);
    }

    /// Sets the maximum number of series; `None` for that of the budget.
    pub(crate) const fn limit_series(&mut self, limit: Option<usize>) {
        self.series_limit = limit;
    }

    /// Returns the size of a new series with this text.
    const fn series_bytes(&self, text: usize) -> usize {
        let own_sum = if self.own_sums { size_of::<i128>() } else { 0 };
        SERIES_BYTES + self.stride * size_of::<Distribution>() + own_sum + text
    }

    /// Returns the store without locking: `&mut self` is exclusive.
    #[inline]
    fn store(&mut self) -> &mut Store {
        let store = self.store.get_mut();
        store.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of series.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Store> {
        // No code panics while it holds the lock.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of series, including reserved ones.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    fn push(&mut self, parent: u32, key: Key<'_>, mark: Mark) {
        let new = (0..self.stride).map(|_| Distribution::new());
        let own_sum = self.own_sums.then_some(0);
        let store = self.store.get_mut();
        let store = store.unwrap_or_else(PoisonError::into_inner);
        store.push(parent, key, mark, new, own_sum);
    }

    #[inline]
    fn find(&mut self, parent: u32, parts: (u32, &[u8])) -> Result<u32, u32> {
        let hash = self.index.hash(parent, parts);
        let store = self.store.get_mut();
        let store = store.unwrap_or_else(PoisonError::into_inner);
        let found = self
            .index
            .find(hash, |series| store.is(series, parent, parts));
        found.ok_or(hash)
    }

    /// Finds or creates the series below `parent`, which is `depth` levels
    /// below the metric. At a limit, returns `parent`'s `other` and `true`.
    #[inline]
    pub(crate) fn child(
        &mut self,
        parent: u32,
        depth: u32,
        key: Key<'_>,
        budget: &mut SeriesBudget<'_>,
    ) -> (u32, bool) {
        match self.find(parent, key.parts()) {
            Ok(found) => (found, false),
            Err(hash) => self.new_child(parent, depth, key, hash, budget),
        }
    }

    #[cold]
    fn new_child(
        &mut self,
        parent: u32,
        depth: u32,
        key: Key<'_>,
        hash: u32,
        budget: &mut SeriesBudget<'_>,
    ) -> (u32, bool) {
        let cost = cost(self.levels.saturating_sub(depth + 1) as usize);
        let most = self.series_limit.unwrap_or(budget.metric);
        let fits = self.used + cost <= most && *budget.used + cost <= budget.all;
        if fits && key != Key::Missing && self.charge.take(self.series_bytes(key.parts().1.len())) {
            self.used += cost;
            *budget.used += cost;
            return (self.insert(parent, key, hash, true), false);
        }
        // The parent reserved these series.
        let other = match key {
            Key::Missing => return (self.insert(parent, key, hash, false), false),
            Key::Text(_) => Key::Text(OTHER),
            Key::Bucket(_) | Key::OtherBucket => Key::OtherBucket,
        };
        match self.find(parent, other.parts()) {
            Ok(found) => (found, true),
            Err(hash) => (self.insert(parent, other, hash, false), true),
        }
    }

    /// Finds or creates a series below `parent` that is never dropped as idle;
    /// returns `None` at a limit.
    pub(crate) fn declare(
        &mut self,
        parent: u32,
        depth: u32,
        key: Key<'_>,
        budget: &mut SeriesBudget<'_>,
    ) -> Option<u32> {
        let (child, other) = self.child(parent, depth, key, budget);
        if other {
            return None;
        }
        let (values, within) = self.store().values.get_mut(child as usize)?;
        let mark = values.marks.get_mut(within);
        debug_assert!(mark.is_some(), "no series {child}");
        mark?.declared = true;
        Some(child)
    }

    fn insert(&mut self, parent: u32, key: Key<'_>, hash: u32, counted: bool) -> u32 {
        // A series uses more than 100 bytes: memory ends long before.
        let at = u32::try_from(self.store().len()).unwrap_or(u32::MAX);
        self.push(parent, key, Mark::new(counted));
        self.index.push(hash);
        self.fingerprint.add(parent, key);
        at
    }

    /// Returns the number of levels of `group_by`.
    #[inline]
    pub(crate) const fn levels(&self) -> usize {
        self.levels as usize
    }

    /// Returns whether the metric counts heavy hitters.
    #[inline]
    pub(crate) const fn has_top(&self) -> bool {
        self.has_top
    }

    /// Returns the number of fields, and a hash of their names.
    #[inline]
    pub(crate) const fn fields(&self) -> (usize, u64) {
        (self.stride - 1, self.fields)
    }

    #[inline]
    pub(crate) const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Adds an event to all series of a path from the metric down.
    #[inline]
    pub(crate) fn record_all(&mut self, path: &[u32], duration: u64, fields: &[Option<u64>]) {
        let watched = self.watched;
        let store = self.store();
        let mut grown = 0;
        // The last series is the one least likely to be cached: start its memory
        // access first.
        for series in path.iter().rev() {
            grown += store.record(*series, watched, duration, fields);
        }
        self.count_values(grown);
    }

    /// Accounts the memory that values of existing series took. They are never
    /// refused: new series give way.
    #[inline]
    fn count_values(&mut self, grown: usize) {
        if grown > 0 {
            self.charge.grow(grown);
        }
    }

    /// Adds an event to a series: its duration and its fields.
    #[inline]
    pub(crate) fn record(&mut self, series: u32, duration: u64, fields: &[Option<u64>]) {
        let watched = self.watched;
        let grown = self.store().record(series, watched, duration, fields);
        self.count_values(grown);
    }

    /// Adds durations to the metric itself.
    pub(crate) fn add_durations(&mut self, durations: &Distribution) {
        if let Some((values, within)) = self.store().values.get_mut(ROOT as usize)
            && let Some(here) = values.distributions_mut(within).first_mut()
        {
            here.merge(durations);
        } else {
            debug_assert!(false, "a metric has its own series");
        }
    }

    /// Adds to the sum of a bucket's own values, if the metric has such sums.
    #[inline]
    pub(crate) fn record_own(&mut self, series: u32, value: i64) {
        if self.own_sums
            && let Some((values, within)) = self.store().values.get_mut(series as usize)
        {
            values.add_own(within, i128::from(value));
        }
    }

    /// Stores an event as the exemplar of a series.
    pub(crate) fn exemplify(&mut self, series: u32, exemplar: &Exemplar) {
        self.store().exemplify(series, exemplar);
    }

    pub(crate) fn forget_exemplars(&mut self) {
        self.store().forget_exemplars();
    }

    /// Returns whether a series has this parent and key.
    pub(crate) fn is(&mut self, series: u32, parent: u32, key: Key<'_>) -> bool {
        self.store().is(series, parent, key.parts())
    }

    /// Returns whether the last series of a path from the metric down can have
    /// no children.
    pub(crate) fn is_whole(&mut self, path: &[u32]) -> bool {
        if path.len() > self.levels as usize {
            return true;
        }
        let last = path.last();
        last.is_some_and(|last| self.key(*last) == Some(Key::Missing))
    }

    pub(crate) fn key(&mut self, series: u32) -> Option<Key<'_>> {
        self.store().key(series)
    }

    /// Resets all values; the series stay.
    pub(crate) fn reset(&mut self) {
        self.store().forget();
        self.charge.set_values(0);
    }

    /// Shares all series in the order of their creation with a snapshot. It
    /// copies nothing: the next event copies the segments that it changes.
    pub(crate) fn share(&self) -> Vec<SharedSegment> {
        self.lock().share()
    }
}
