//! What was promised about each payload, and the counts of a process.

use std::collections::BTreeMap;

use fantail_transport::{
    Overflow,
    spool::{Fsync, SpoolSettings},
};

use crate::broken::{Broken, holds};

/// What was promised about a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It arrives at least once; `safe`: also after a loss of power.
    Arrives { safe: bool },
    /// It may arrive, or be dropped and counted.
    Nothing,
    /// It arrived and is not read again; `safe`: also after a loss of power.
    Over { safe: bool },
    /// It arrived, and may be read again.
    Arrived,
}

/// The promises about all payloads, and the counts of one process.
#[derive(Debug)]
pub(super) struct Ledger {
    overflow: Overflow,
    fsync: Fsync,
    promises: BTreeMap<u64, Promise>,
    next: u64,
    /// Most records that may be found damaged.
    may_be_damaged: u64,
    /// Written payloads that were dropped for new ones.
    displaced: u64,
    counts: Counts,
}

/// The counts of one process.
#[derive(Debug, Default)]
struct Counts {
    recovered: u64,
    taken: u64,
    settled: u64,
    dropped: u64,
    damaged: u64,
    last_read: Option<u64>,
}

impl Ledger {
    pub(super) fn new(settings: &SpoolSettings) -> Self {
        Self {
            overflow: settings.overflow,
            fsync: settings.fsync,
            promises: BTreeMap::new(),
            next: 0,
            may_be_damaged: 0,
            displaced: 0,
            counts: Counts::default(),
        }
    }

    /// Returns the number of a new payload.
    pub(super) fn offer(&mut self) -> u64 {
        self.next += 1;
        self.promises.insert(self.next, Promise::Nothing);
        self.next
    }

    /// Opening forces what earlier processes wrote onto the disk.
    pub(super) fn opened(&mut self, recovered: u64) {
        self.counts = Counts {
            recovered,
            ..Counts::default()
        };
        if self.fsync != Fsync::Never {
            self.make_safe();
        }
    }

    /// If it was a sync that failed, the next one succeeds without what was lost.
    pub(super) fn open_failed(&mut self) {
        if self.fsync != Fsync::Never {
            self.lose_unsynced();
        }
    }

    pub(super) fn appended(&mut self, taken: &[u64], dropped: u64, refused: &[u64]) {
        self.counts.taken += taken.len() as u64;
        self.counts.dropped += dropped;
        self.may_be_damaged += refused.len() as u64;
        let promise = match self.overflow {
            // Which of them were dropped is not told.
            Overflow::DropNewest if dropped > 0 => Promise::Nothing,
            _ => Promise::Arrives {
                safe: self.fsync == Fsync::Always,
            },
        };
        if self.overflow == Overflow::DropOldest {
            self.displaced += dropped;
            self.may_be_damaged += dropped;
        }
        for id in taken {
            self.promises.insert(*id, promise);
        }
        if !refused.is_empty() {
            self.lose_unsynced();
        }
    }

    pub(super) fn read(&mut self, id: u64) -> Result<(), Broken> {
        let last = self.counts.last_read.replace(id);
        holds(last < Some(id), || {
            format!("{id} was read after {}", last.unwrap_or_default())
        })?;
        match self.promises.get(&id) {
            None => Err(Broken::new(format!("{id} was never offered"))),
            Some(Promise::Over { .. }) => Err(Broken::new(format!("{id} was read again"))),
            Some(_) => Ok(()),
        }
    }

    /// The rest of a segment that cannot be read counts as damaged.
    pub(super) fn read_failed(&mut self) {
        for promise in self.promises.values_mut() {
            if matches!(promise, Promise::Arrives { .. }) {
                *promise = Promise::Nothing;
            }
        }
        self.may_be_damaged += self.promises.len() as u64;
    }

    pub(super) fn damaged(&mut self, damaged: u64) -> Result<(), Broken> {
        self.counts.damaged += damaged;
        let (found, most) = (self.counts.damaged, self.may_be_damaged);
        holds(found <= most, || {
            format!("{found} records count as damaged, and at most {most} are")
        })
    }

    pub(super) fn settled(&mut self, ids: &[u64], is_saved: bool) {
        self.counts.settled += ids.len() as u64;
        let promise = match is_saved {
            true => Promise::Over { safe: false },
            false => Promise::Arrived,
        };
        if !is_saved {
            // Files that are done with are removed nevertheless, so that the next
            // process misses all that arrived since the last saved position.
            self.may_be_damaged += self.promises.len() as u64;
        }
        for id in ids {
            self.promises.insert(*id, promise);
        }
    }

    pub(super) fn synced(&mut self, is_synced: bool) {
        match (self.fsync, is_synced) {
            (Fsync::Never, _) => {}
            (_, true) => self.make_safe(),
            (_, false) => self.lose_unsynced(),
        }
    }

    fn make_safe(&mut self) {
        for promise in self.promises.values_mut() {
            if let Promise::Arrives { safe } | Promise::Over { safe } = promise {
                *safe = true;
            }
        }
    }

    /// The disk has lost something that was not synced, and does not tell what.
    fn lose_unsynced(&mut self) {
        for promise in self.promises.values_mut() {
            if *promise == (Promise::Arrives { safe: false }) {
                *promise = Promise::Nothing;
                self.may_be_damaged += 1;
            }
        }
    }

    pub(super) fn restart(&mut self, loses_power: bool) {
        // The record that was being written.
        self.may_be_damaged += 1;
        if !loses_power {
            return;
        }
        for promise in self.promises.values_mut() {
            *promise = match *promise {
                Promise::Arrives { safe: false } | Promise::Nothing => Promise::Nothing,
                Promise::Over { safe: false } => Promise::Arrived,
                _ => continue,
            };
            self.may_be_damaged += 1;
        }
    }

    /// Checks the counts of a process that has settled all.
    pub(super) fn is_balanced(&self) -> Result<(), Broken> {
        let counts = &self.counts;
        let entered = counts.recovered + counts.taken;
        let left = counts.settled + counts.dropped + counts.damaged;
        holds(entered == left, || {
            format!("{entered} entered and {left} left: {counts:?}")
        })
    }

    /// Checks that all have arrived that were promised to.
    pub(super) fn all_arrived(&self) -> Result<(), Broken> {
        let promised = |promise: &Promise| matches!(promise, Promise::Arrives { .. });
        let missing = self.promises.iter();
        let missing = missing.filter(|(_, promise)| promised(promise));
        let missing: Vec<u64> = missing.map(|(id, _)| *id).collect();
        holds(missing.len() as u64 <= self.displaced, || {
            format!("never arrived: {missing:?}")
        })
    }
}
