//! Sources of payloads for the sender: the memory or the spool.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{BatchLimits, Payloads, spool::SpoolReader};

use super::{
    DropReason, QueueCounters,
    buffer::Taken,
    shared::{DISK_RETRY_DELAY, Detour, Shared, State},
};

/// Time for which the sender sleeps after a delivery. It delays payloads no
/// longer than producers gather them.
const SEND_DELAY: Duration = Duration::from_millis(25);

/// The next step of the sender.
pub(super) enum Next {
    Send,
    Reopen,
    End,
}

pub(super) trait Source {
    /// Whether unsent payloads survive the end of the queue. Closing does not
    /// wait for a failing target then.
    const KEEPS: bool;

    /// Waits for the next payloads and puts them into `current`.
    fn next(&mut self, current: &mut Taken) -> Next;

    /// Settles payloads at the front.
    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut QueueCounters));

    /// Gives up payloads because the queue is closed.
    fn abandon(&mut self, rest: Payloads<'_>);
}

/// Payloads from the buffer in memory.
pub(super) struct Memory(pub(super) Arc<Shared>);

impl Source for Memory {
    const KEEPS: bool = false;

    fn next(&mut self, current: &mut Taken) -> Next {
        let mut guard = self.0.lock();
        guard.buffer.recycle(mem::take(current));
        loop {
            let state = &mut *guard;
            if mem::take(&mut state.reopen) {
                return Next::Reopen;
            }
            if state.closing.is_some_and(|end| end <= Instant::now()) {
                drop(guard);
                self.0.lose_waiting();
                return Next::End;
            }
            if let Some(taken) = state.buffer.take() {
                state.on_its_way = taken.payloads().oldest();
                *current = taken;
                return Next::Send;
            }
            state.on_its_way = None;
            if state.closing.is_some() {
                return Next::End;
            }
            guard = self.0.wait_for_work(guard, None, SEND_DELAY);
        }
    }

    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut QueueCounters)) {
        self.0.leave(done, count);
    }

    fn abandon(&mut self, rest: Payloads<'_>) {
        self.0.leave(rest, |counters| {
            counters.add_dropped(DropReason::Closed, rest.len() as u64);
        });
    }
}

/// Payloads from the spool, and those that the disk did not accept.
pub(super) struct Spooled {
    shared: Arc<Shared>,
    reader: SpoolReader,
    limits: BatchLimits,
    /// The current payloads bypassed the spool.
    detoured: bool,
    stopped: bool,
}

impl Spooled {
    pub(super) const fn new(shared: Arc<Shared>, reader: SpoolReader, limits: BatchLimits) -> Self {
        Self {
            shared,
            reader,
            limits,
            detoured: false,
            stopped: false,
        }
    }

    /// Reads from the spool; returns whether there were payloads.
    fn read(&mut self, current: &mut Taken) -> bool {
        current.skip = 0;
        let result = self.reader.read(&mut current.batch, self.limits);
        let damaged = self.reader.take_damaged();
        let mut state = self.shared.lock();
        state.counters.add_dropped(DropReason::Damaged, damaged);
        state.on_its_way = current.payloads().oldest();
        drop(state);
        if let Err(error) = result {
            self.shared.trouble(&error);
            if current.batch.is_empty() {
                _ = self.shared.pause_for_disk(DISK_RETRY_DELAY);
            }
        }
        !current.batch.is_empty()
    }

    /// Returns the next step if the spool is empty.
    fn other(&mut self, state: &mut State, seen: u64, current: &mut Taken) -> Option<Next> {
        if let Detour::Waiting(taken) = mem::take(&mut state.detour) {
            state.detour = Detour::Taken;
            state.on_its_way = taken.payloads().oldest();
            self.detoured = true;
            *current = taken;
            return Some(Next::Send);
        }
        let caught_up = state.spool_closed && state.spooled == seen;
        caught_up.then_some(Next::End)
    }
}

impl Source for Spooled {
    const KEEPS: bool = true;

    fn next(&mut self, current: &mut Taken) -> Next {
        if mem::take(&mut self.detoured) {
            self.shared.lock().detour = Detour::Free;
            self.shared.notify();
        }
        loop {
            let mut state = self.shared.lock();
            let ended = |end: Instant| self.stopped || end <= Instant::now();
            if state.closing.is_some_and(ended) {
                return Next::End;
            }
            if mem::take(&mut state.reopen) {
                return Next::Reopen;
            }
            let seen = state.spooled;
            drop(state);
            if self.read(current) {
                return Next::Send;
            }
            let shared = Arc::clone(&self.shared);
            let mut state = shared.lock();
            if state.spooled == seen && !state.reopen {
                if let Some(next) = self.other(&mut state, seen, current) {
                    return next;
                }
                let until = state.closing;
                drop(shared.wait(state, until));
            }
        }
    }

    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut QueueCounters)) {
        if self.detoured {
            self.shared.leave(done, count);
            return;
        }
        let saved = self.reader.settle(done.len());
        count(&mut self.shared.lock().counters);
        if let Err(error) = saved {
            self.shared.trouble(&error);
        }
    }

    fn abandon(&mut self, rest: Payloads<'_>) {
        self.stopped = true;
        if self.detoured {
            self.shared.leave(rest, |counters| {
                counters.add_dropped(DropReason::Closed, rest.len() as u64);
            });
        }
    }
}
