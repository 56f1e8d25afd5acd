//! A cache of recent event classes.
//!
//! A [`Matcher`](fantail_filter::Matcher) finds an event's class by its name,
//! by tests of the relevant categories, and by its level. The cache looks up
//! the name, the number of the category set and the level at once. It has a
//! fixed size: a new class replaces an old one, which the matcher finds again.

use std::cell::Cell;

use fantail_event::{Level, internal::same_name};
use fantail_filter::{
    Matcher,
    internal::{ClassId, ClassMatcher as _},
};

use super::{category_sets::CategorySetId, keys};

/// The number of pairs of entries; a power of two. A mail server sends some
/// hundred kinds of events.
const PAIRS: usize = 256;
/// The maximum length of a name; classes with longer names are not cached.
const MAX_NAME_BYTES: usize = 128;

/// The properties that determine the class of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassKey<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) categories: CategorySetId,
    pub(super) level: Level,
}

#[derive(Debug, Default)]
pub(super) struct ClassCache {
    /// The entries, twice [`PAIRS`] or none.
    entries: Vec<Option<Entry>>,
}

/// The index of a cached class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassIndex(usize);

/// The statistics of the events of a class.
#[derive(Debug, Default)]
pub(super) struct ClassStats {
    /// The lengths of the keys that are looked up in such events: see
    /// [`SlotEvent::wanted`](super::slots::SlotEvent::wanted).
    pub(super) wanted: Cell<u64>,
    /// The number, in the cohort cache, of the list of filters that all of them
    /// match; 0 if it is unknown.
    pub(super) list: Cell<u32>,
}

#[derive(Debug)]
struct Entry {
    has_name: bool,
    name: Vec<u8>,
    categories: CategorySetId,
    level: Level,
    class: ClassId,
    stats: ClassStats,
}

impl ClassStats {
    /// Returns statistics for events whose class is not cached: any key may be
    /// looked up.
    pub(super) const fn uncached() -> Self {
        Self {
            wanted: Cell::new(u64::MAX),
            list: Cell::new(0),
        }
    }
}

impl Entry {
    #[inline]
    fn is_of(&self, key: ClassKey<'_>) -> bool {
        self.categories == key.categories
            && self.level == key.level
            && self.has_name == key.name.is_some()
            && same_name(&self.name, key.name.unwrap_or_default())
    }
}

impl ClassCache {
    /// Returns the class, if it is cached and valid in `matcher`.
    #[inline(always)] // On the path of each event.
    pub(super) fn find(
        &self,
        key: ClassKey<'_>,
        matcher: &Matcher,
    ) -> Option<(ClassId, ClassIndex)> {
        let first = index(key);
        match self.known(first, key, matcher) {
            None => self.known(first + 1, key, matcher),
            known => known,
        }
    }

    #[inline(always)] // As its caller.
    fn known(
        &self,
        at: usize,
        key: ClassKey<'_>,
        matcher: &Matcher,
    ) -> Option<(ClassId, ClassIndex)> {
        let entry = self.entries.get(at)?.as_ref()?;
        let is_it = entry.is_of(key) && matcher.is_current(entry.class);
        is_it.then_some((entry.class, ClassIndex(at)))
    }

    /// Returns the statistics of a class that was found.
    #[inline]
    pub(super) fn stats(&self, at: ClassIndex) -> Option<&ClassStats> {
        Some(&self.entries.get(at.0)?.as_ref()?.stats)
    }

    /// Caches a class that its matcher has cached.
    #[cold]
    pub(super) fn remember(&mut self, key: ClassKey<'_>, class: ClassId) -> Option<ClassIndex> {
        let name = key.name.unwrap_or_default();
        if key.categories == CategorySetId::UNKNOWN || name.len() > MAX_NAME_BYTES {
            return None;
        }
        if self.entries.is_empty() {
            self.entries.resize_with(2 * PAIRS, Default::default);
        }
        let at = index(key);
        let [first, second, ..] = self.entries.get_mut(at..)? else {
            return None;
        };
        let is_known = |entry: &Option<Entry>| entry.as_ref().is_some_and(|it| it.is_of(key));
        if !is_known(first) {
            std::mem::swap(first, second);
        }
        // The memory of the replaced name is reused.
        let mut bytes = first.take().map(|entry| entry.name).unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(name);
        *first = Some(Entry {
            has_name: key.name.is_some(),
            name: bytes,
            categories: key.categories,
            level: key.level,
            class,
            stats: ClassStats::default(),
        });
        Some(ClassIndex(at))
    }
}

/// Returns the index of a pair's first entry.
#[inline]
fn index(key: ClassKey<'_>) -> usize {
    let name = keys::hash(key.name.unwrap_or_default());
    let others = key.categories.0.wrapping_mul(8) + u32::from(key.level.to_wire());
    (name ^ others.wrapping_mul(0x9e37_79b1) >> 8) as usize % PAIRS * 2
}
