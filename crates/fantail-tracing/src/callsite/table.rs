//! Facts about callsites, found by the address of their metadata.
//!
//! Reading takes no lock. Entries are added, never removed: the table belongs to one
//! compiled configuration or filter.

use std::{fmt, sync::OnceLock};

use tracing_core::Metadata;

/// The entries; a power of two. The callsites of larger programs that find no free entry
/// are treated without the facts.
const ENTRIES: usize = 2048;
/// Entries in which the facts of a callsite may be.
const PROBES: usize = 16;

pub(crate) struct CallsiteTable<T>(Box<[OnceLock<Box<Entry<T>>>]>);

struct Entry<T> {
    metadata: &'static Metadata<'static>,
    facts: T,
}

impl<T> CallsiteTable<T> {
    pub(crate) fn new() -> Self {
        Self((0..ENTRIES).map(|_| OnceLock::new()).collect())
    }

    /// Returns the facts about a callsite, if they are known.
    #[inline]
    pub(crate) fn get(&self, metadata: &Metadata<'_>) -> Option<&T> {
        for cell in self.probes(metadata) {
            let entry = cell.get()?;
            if std::ptr::eq(entry.metadata, metadata) {
                return Some(&entry.facts);
            }
        }
        None
    }

    /// Returns the facts about a callsite; `find` finds them at first. `None` if the
    /// table is full.
    #[inline]
    pub(crate) fn get_or_insert(
        &self,
        metadata: &'static Metadata<'static>,
        find: impl Fn() -> T,
    ) -> Option<&T> {
        match self.get(metadata) {
            None => self.insert(metadata, find),
            known => known,
        }
    }

    #[cold]
    fn insert(&self, metadata: &'static Metadata<'static>, find: impl Fn() -> T) -> Option<&T> {
        for cell in self.probes(metadata) {
            let facts = || {
                Box::new(Entry {
                    metadata,
                    facts: find(),
                })
            };
            // Another thread may have taken the entry for another callsite.
            let entry = cell.get_or_init(facts);
            if std::ptr::eq(entry.metadata, metadata) {
                return Some(&entry.facts);
            }
        }
        None
    }

    #[inline]
    fn probes(&self, metadata: &Metadata<'_>) -> impl Iterator<Item = &OnceLock<Box<Entry<T>>>> {
        // Metadata is larger than 64 bytes.
        let address = std::ptr::from_ref(metadata).addr() >> 5;
        let first = address.wrapping_mul(0x9e37_79b1) >> 7;
        (first..first + PROBES).filter_map(|at| self.0.get(at % ENTRIES))
    }
}

impl<T> fmt::Debug for CallsiteTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.iter().filter(|cell| cell.get().is_some()).count();
        f.debug_struct("CallsiteTable")
            .field("known", &known)
            .finish_non_exhaustive()
    }
}
