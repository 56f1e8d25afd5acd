//! Known paths: the series that an event updated in the metrics before.
//!
//! Metrics often have the same levels and match the same events. Their trees then
//! contain the same series in the same order, so an event updates the same positions
//! in each tree. Trees with equal [fingerprints](Fingerprint) share the look-up: an
//! event looks up its series only in the first of them.

use std::hash::{BuildHasher as _, RandomState};

use crate::{GroupBy, store::key::Key};

/// The maximum number of series of a known path.
pub(crate) const MAX_PATH_SERIES: usize = 6;

/// The maximum number of known paths of an event.
const KNOWN_PATHS: usize = 4;

/// A hash of the levels of a tree and of all its series in order.
///
/// The hash is keyed by random numbers that all trees of a registry share. Clients
/// choose the series, and must not be able to give two different trees the same hash.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprint {
    hash: u64,
    /// The hash of the levels alone.
    levels: u64,
    keys: RandomState,
}

impl Fingerprint {
    /// Returns the fingerprint of a tree that has only the metric itself.
    pub(crate) fn new(levels: &[GroupBy], keys: &RandomState) -> Self {
        let levels = keys.hash_one(levels);
        Self {
            hash: levels,
            levels,
            keys: keys.clone(),
        }
    }

    /// Returns the fingerprint of a tree with the same levels and no series.
    pub(crate) fn of_no_series(&self) -> Self {
        Self {
            hash: self.levels,
            ..self.clone()
        }
    }

    /// Adds the next series.
    pub(crate) fn add(&mut self, parent: u32, key: Key<'_>) {
        self.hash = self.keys.hash_one((self.hash, parent, key.parts()));
    }
}

/// The paths of one event, by the fingerprints of the trees.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownPaths {
    paths: [KnownPath; KNOWN_PATHS],
    /// The number of known paths.
    count: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct KnownPath {
    fingerprint: u64,
    len: usize,
    series: [u32; MAX_PATH_SERIES],
}

impl KnownPaths {
    /// Removes all paths before the next event.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.count = 0;
    }

    #[inline]
    pub(crate) fn find(&self, tree: &Fingerprint) -> Option<&[u32]> {
        let known = self.paths.iter().take(self.count);
        let mut found = known.filter(|path| path.fingerprint == tree.hash);
        found.next().and_then(|path| path.series.get(..path.len))
    }

    /// Adds a path, in place of the oldest one if there are too many.
    pub(crate) fn add(&mut self, tree: &Fingerprint, path: &[u32]) {
        let mut series = [0; MAX_PATH_SERIES];
        for (to, from) in series.iter_mut().zip(path) {
            *to = *from;
        }
        let len = self.paths.len();
        if self.count == len {
            self.paths.rotate_left(1);
        } else {
            self.count += 1;
        }
        if let Some(last) = self.paths.get_mut(self.count - 1) {
            *last = KnownPath {
                fingerprint: tree.hash,
                len: path.len().min(MAX_PATH_SERIES),
                series,
            };
        }
    }
}
