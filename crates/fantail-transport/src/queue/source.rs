//! Sources of payloads for the sender: the memory or the spool.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{BatchLimits, Payloads, spool::SpoolReader};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{DISK_RETRY_DELAY, Detour, Shared, State},
};

/// Time for which the sender sleeps after a delivery. It delays payloads no
/// longer than producers gather them.
const SEND_DELAY: Duration = Duration::from_millis(25);

/// The next step of the sender.
pub(super) enum Next {
    Send,
    /// The target is to be opened once more.
    Open,
    Reopen,
    End,
}

pub(super) trait Source {
    /// Whether unsent payloads survive the end of the queue. Closing does not
    /// wait for a failing target then.
    const KEEPS: bool;

    /// Waits for the next payloads and puts them into `current`. Without
    /// payloads, the target is opened at the time `open`.
    fn next(&mut self, current: &mut Taken, open: Option<Instant>) -> Next;

    /// Settles payloads at the front.
    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut State));

    /// Gives up payloads because the queue is closed.
    fn abandon(&mut self, rest: Payloads<'_>);
}

/// Payloads from the buffer in memory.
pub(super) struct Memory(pub(super) Arc<Shared>);

impl Source for Memory {
    const KEEPS: bool = false;

    fn next(&mut self, current: &mut Taken, open: Option<Instant>) -> Next {
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
            if open.is_some_and(|open| open <= Instant::now()) {
                return Next::Open;
            }
            guard = self.0.wait_for_work(guard, open, SEND_DELAY);
        }
    }

    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut State)) {
        self.0.leave(done, count);
    }

    fn abandon(&mut self, rest: Payloads<'_>) {
        self.0.leave(rest, |state| state.drop_closed(rest));
    }
}

/// Payloads from the spool, and those that the disk did not accept.
pub(super) struct Spooled {
    shared: Arc<Shared>,
    /// `None` until the disk thread has opened the spool.
    reader: Option<SpoolReader>,
    limits: BatchLimits,
    /// The current payloads bypassed the spool.
    detoured: bool,
    stopped: bool,
}

impl Spooled {
    pub(super) const fn new(shared: Arc<Shared>, limits: BatchLimits) -> Self {
        Self {
            shared,
            reader: None,
            limits,
            detoured: false,
            stopped: false,
        }
    }

    /// Reads from the spool; returns whether there were payloads.
    fn read(&mut self, current: &mut Taken) -> bool {
        current.skip = 0;
        let Some(reader) = &mut self.reader else {
            return false;
        };
        let result = reader.read(&mut current.batch, self.limits);
        let damaged = reader.take_damaged();
        let mut state = self.shared.lock();
        state.counters.add_dropped(DropReason::Damaged, damaged);
        state.on_its_way = current.payloads().oldest();
        if result.is_ok() {
            state.health.works(Part::Reader);
        }
        drop(state);
        if let Err(error) = result {
            self.shared.trouble(Part::Reader, &error);
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

    fn next(&mut self, current: &mut Taken, open: Option<Instant>) -> Next {
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
            if self.reader.is_none() {
                self.reader = state.reader.take();
            }
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
                if open.is_some_and(|open| open <= Instant::now()) {
                    return Next::Open;
                }
                let until = [state.closing, open].into_iter().flatten().min();
                // The spool may have been opened since.
                if self.reader.is_some() || state.reader.is_none() {
                    drop(shared.wait(state, until));
                }
            }
        }
    }

    fn settle(&mut self, done: Payloads<'_>, count: impl FnOnce(&mut State)) {
        if self.detoured {
            self.shared.leave(done, count);
            return;
        }
        let Some(reader) = &mut self.reader else {
            debug_assert!(false, "payloads from a spool that is not open");
            return;
        };
        let saved = reader.settle(done.len());
        count(&mut self.shared.lock());
        if let Err(error) = saved {
            self.shared.trouble(Part::Reader, &error);
        }
    }

    fn abandon(&mut self, rest: Payloads<'_>) {
        self.stopped = true;
        if self.detoured {
            self.shared.leave(rest, |state| state.drop_closed(rest));
        }
    }
}
