//! What a queue has promised, and what it counts.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use fantail_transport::{
    DeliveryLevel, DropReason, Opening, Queue, QueueCounters, QueueSettings, QueueStatus,
    spool::Fsync,
};

use super::target::Arrived;
use crate::{
    broken::{Broken, holds},
    world::with,
};

/// What was promised about a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It is in memory.
    Offered,
    /// It survives a kill.
    Spooled,
}

/// The promises about all payloads.
#[derive(Debug)]
pub(super) struct Ledger {
    has_spool: bool,
    is_always_synced: bool,
    max_age: Option<Duration>,
    promises: BTreeMap<u64, Promise>,
    /// Payloads that may be in memory.
    in_memory: Vec<u64>,
    next: u64,
    /// Dropped payloads of former processes.
    dropped: u64,
    expired: u64,
    lives: u32,
}

impl Ledger {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        let spool = settings.level.spool();
        Self {
            has_spool: !matches!(settings.level, DeliveryLevel::BestEffort),
            is_always_synced: spool.is_some_and(|spool| spool.fsync == Fsync::Always),
            max_age: settings.max_age,
            promises: BTreeMap::new(),
            in_memory: Vec::new(),
            next: 0,
            dropped: 0,
            expired: 0,
            lives: 0,
        }
    }

    /// Returns the numbers of new payloads.
    pub(super) fn offer(&mut self, count: u64) -> RangeInclusive<u64> {
        let first = self.next + 1;
        self.next += count;
        first..=self.next
    }

    pub(super) fn offered(&mut self, ids: RangeInclusive<u64>, dropped: u64) {
        if dropped > 0 {
            // Which of them were dropped is not told.
            return;
        }
        for id in ids {
            self.promises.insert(id, Promise::Offered);
            self.in_memory.push(id);
        }
    }

    /// Checks the counts of a queue between two steps.
    pub(super) fn check(&mut self, status: &QueueStatus, said: u64) -> Result<(), Broken> {
        let counters = &status.counters;
        let entered = counters.queued + counters.recovered;
        let left = counters.sent + counters.dropped_in_all() + status.waiting;
        holds(entered == left, || {
            format!("{entered} entered and {left} left or wait: {status:?}")
        })?;
        let sent = counters.sent;
        holds(sent == said, || {
            format!("{sent} count as sent, and {said} arrived")
        })?;
        self.check_expired(counters)?;
        if self.has_spool && status.memory_bytes == 0 {
            for id in self.in_memory.drain(..) {
                self.promises.insert(id, Promise::Spooled);
            }
        }
        Ok(())
    }

    /// In the first process, payloads expire only at their age.
    fn check_expired(&mut self, counters: &QueueCounters) -> Result<(), Broken> {
        let expired = counters.dropped(DropReason::Expired);
        let grew = expired > self.expired;
        self.expired = expired;
        let Some(most) = self.max_age.filter(|_| grew && self.lives == 0) else {
            return Ok(());
        };
        // Nothing is older than the run.
        let age = with(|world| world.elapsed_millis());
        holds(u128::from(age) >= most.as_millis(), || {
            format!("payloads expired {age} ms after the start of the run")
        })
    }

    pub(super) fn is_open(&self, queue: &Queue) -> bool {
        !self.has_spool || matches!(queue.wait_until_open(Duration::ZERO), Opening::Open)
    }

    pub(super) fn ended(&mut self, counters: &QueueCounters) {
        self.dropped += counters.dropped_in_all();
        self.expired = 0;
        self.lives += 1;
    }

    pub(super) fn restart(&mut self, loses_power: bool) {
        self.in_memory.clear();
        let survives = !loses_power || self.is_always_synced;
        self.promises
            .retain(|_, promise| survives && *promise == Promise::Spooled);
    }

    /// Checks that all have arrived that were promised to, or were counted.
    pub(super) fn all_arrived(&self, arrived: &Arrived) -> Result<(), Broken> {
        let missing = self.promises.keys().filter(|id| !arrived.has(**id));
        let missing: Vec<u64> = missing.copied().collect();
        holds(missing.len() as u64 <= self.dropped, || {
            let dropped = self.dropped;
            format!("{dropped} were dropped, and never arrived: {missing:?}")
        })
    }
}
