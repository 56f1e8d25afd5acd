//! How far the messages of a part have come.

use std::collections::{BTreeMap, BTreeSet};

use super::{Contents, RunPart, SLOTS};

/// The versions of a part that a reader has.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// The version up to which all is here.
    pub(super) held: u64,
    /// Deltas after a gap: the version that each needs, and its own.
    later: BTreeMap<u64, u64>,
    /// The version and the chunks of a base that is not whole.
    base: (u64, BTreeSet<u16>),
}

impl Progress {
    /// Returns the number of messages of the last base that are here.
    pub(super) fn chunks(&self) -> usize {
        self.base.1.len()
    }

    /// Notes a message.
    pub(super) fn note(&mut self, message: &RunPart) {
        match message.contents {
            Contents::Base { chunk, chunks } => self.base(message.version, chunk, chunks),
            Contents::Delta { since, .. } => self.delta(message.version, since),
        }
    }

    /// Notes a chunk of a base; the base is whole when all its chunks were seen.
    fn base(&mut self, version: u64, chunk: u16, chunks: u16) {
        if version < self.base.0 {
            return;
        }
        if version > self.base.0 {
            self.base = (version, BTreeSet::new());
        }
        self.base.1.insert(chunk);
        if self.base.1.len() >= chunks.into() {
            self.advance(version);
        }
    }

    fn delta(&mut self, version: u64, since: u64) {
        if since <= self.held {
            self.advance(version);
            return;
        }
        let later = self.later.entry(since).or_default();
        *later = version.max(*later);
        // The stream has no more of the part; the oldest are of no use.
        while self.later.len() > usize::from(SLOTS) {
            self.later.pop_first();
        }
    }

    /// Takes the version, and those of deltas that waited for it.
    fn advance(&mut self, version: u64) {
        self.held = self.held.max(version);
        while let Some(first) = self.later.first_entry() {
            if *first.key() > self.held {
                return;
            }
            self.held = self.held.max(first.remove());
        }
    }
}
