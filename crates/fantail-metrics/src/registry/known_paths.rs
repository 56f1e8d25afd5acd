//! The series that one event led to in other metrics.
//!
//! Several metrics are often grouped by the same fields, and the same events
//! match them. Then the series of their trees came up in the same order, and an
//! event leads to the same positions in each. The [fingerprint](Fingerprint) of a
//! tree shows that, so an event looks up its series in the first of them alone.

use std::hash::{BuildHasher as _, RandomState};

use crate::{GroupBy, store::key::Key};

/// The most series of a path that is kept on the stack.
pub(crate) const MAX_PATH_SERIES: usize = 6;

/// The paths that are remembered of an event.
const KNOWN_PATHS: usize = 4;

/// A hash of the levels of a tree and of all its series in order.
///
/// The hash is keyed by random numbers that all trees of a registry share:
/// clients choose what series there are, and must not be able to make two
/// different trees look the same.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprint {
    hash: u64,
    /// The hash of the levels alone.
    levels: u64,
    keys: RandomState,
}

impl Fingerprint {
    /// Returns the fingerprint of a tree that is only the metric itself.
    pub(crate) fn new(levels: &[GroupBy], keys: &RandomState) -> Self {
        let levels = keys.hash_one(levels);
        Self {
            hash: levels,
            levels,
            keys: keys.clone(),
        }
    }

    /// Returns the fingerprint of the same tree without its series.
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
    /// How many were remembered.
    count: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct KnownPath {
    fingerprint: u64,
    len: usize,
    series: [u32; MAX_PATH_SERIES],
}

impl KnownPaths {
    /// Forgets all: the next event comes.
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

    /// Remembers a path; the oldest one gives way.
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
