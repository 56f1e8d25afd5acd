//! Sources of payloads for the sender: the memory or the spool.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::{BatchLimits, Payloads, spool::SpoolReader};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{DISK_RETRY_DELAY, Detour, Shared, State},
    worker::Step,
};

/// Time for which the sender sleeps after a delivery. It delays payloads no
/// longer than producers gather them.
const SEND_DELAY: Duration = Duration::from_millis(25);

/// The next step of the sender.
pub(super) enum Next<'a> {
    Send,
    /// The target is to be opened once more.
    Open,
    Reopen,
    /// There are no payloads.
    Step(Step<'a>),
}

pub(super) trait Source {
    /// Whether unsent payloads survive the end of the queue. Closing does not
    /// wait for a failing target then.
    const KEEPS: bool;

    /// Puts the next payloads into `current`, whose payloads are settled, dropped or
    /// abandoned. Without payloads, the target is opened at the time `open`.
    fn next<'a>(
        &mut self,
        shared: &'a Shared,
        current: &mut Taken,
        open: Option<Instant>,
    ) -> Next<'a>;

    /// Settles payloads at the front.
    fn settle(&mut self, shared: &Shared, done: Payloads<'_>, count: impl FnOnce(&mut State));

    /// Gives up payloads because the queue is closed.
    fn abandon(&mut self, shared: &Shared, rest: Payloads<'_>);
}

/// Payloads from the buffer in memory.
#[derive(Default)]
pub(super) struct Memory {
    /// There were no payloads for a while.
    has_rested: bool,
}

impl Source for Memory {
    const KEEPS: bool = false;

    fn next<'a>(
        &mut self,
        shared: &'a Shared,
        current: &mut Taken,
        open: Option<Instant>,
    ) -> Next<'a> {
        let mut guard = shared.lock();
        let state = &mut *guard;
        state.begin_step();
        if !current.batch.is_empty() {
            state.buffer.recycle(mem::take(current));
        }
        if mem::take(&mut state.reopen) {
            return Next::Reopen;
        }
        if state.closing.is_some_and(|end| end <= shared.now()) {
            drop(guard);
            shared.lose_waiting();
            return Next::Step(Step::End);
        }
        if let Some(taken) = state.buffer.take() {
            state.on_its_way = taken.payloads().oldest();
            *current = taken;
            self.has_rested = false;
            return Next::Send;
        }
        state.on_its_way = None;
        if state.closing.is_some() {
            return Next::Step(Step::End);
        }
        if open.is_some_and(|open| open <= shared.now()) {
            return Next::Open;
        }
        let wait = shared.wait_for_work(guard, &mut self.has_rested, open, SEND_DELAY);
        Next::Step(Step::Wait(wait))
    }

    fn settle(&mut self, shared: &Shared, done: Payloads<'_>, count: impl FnOnce(&mut State)) {
        shared.leave(done, count);
    }

    fn abandon(&mut self, shared: &Shared, rest: Payloads<'_>) {
        shared.leave(rest, |state| state.drop_closed(rest));
    }
}

/// Payloads from the spool, and those that the disk did not accept.
pub(super) struct Spooled {
    /// `None` until the disk worker has opened the spool.
    reader: Option<SpoolReader>,
    limits: BatchLimits,
    /// The current payloads bypassed the spool.
    detoured: bool,
    stopped: bool,
    /// When the spool is read again, after it could not be.
    read_again: Option<Instant>,
}

impl Spooled {
    pub(super) const fn new(limits: BatchLimits) -> Self {
        Self {
            reader: None,
            limits,
            detoured: false,
            stopped: false,
            read_again: None,
        }
    }

    /// Reads from the spool; returns whether there were payloads.
    fn read(&mut self, shared: &Shared, current: &mut Taken) -> bool {
        current.skip = 0;
        let Some(reader) = &mut self.reader else {
            return false;
        };
        let result = reader.read(&mut current.batch, self.limits);
        let damaged = reader.take_damaged();
        let mut state = shared.lock();
        state.counters.add_dropped(DropReason::Damaged, damaged);
        state.on_its_way = current.payloads().oldest();
        if result.is_ok() {
            state.health.works(Part::Reader);
        }
        drop(state);
        if let Err(error) = result {
            shared.trouble(Part::Reader, &error);
            if current.batch.is_empty() {
                self.read_again = Some(shared.now() + DISK_RETRY_DELAY);
            }
        }
        !current.batch.is_empty()
    }

    /// Returns the next step if the spool is empty.
    fn other<'a>(&mut self, state: &mut State, seen: u64, current: &mut Taken) -> Option<Next<'a>> {
        if let Detour::Waiting(taken) = mem::take(&mut state.detour) {
            state.detour = Detour::Taken;
            state.on_its_way = taken.payloads().oldest();
            self.detoured = true;
            *current = taken;
            return Some(Next::Send);
        }
        let caught_up = state.spool_closed && state.spooled == seen;
        caught_up.then_some(Next::Step(Step::End))
    }
}

impl Source for Spooled {
    const KEEPS: bool = true;

    fn next<'a>(
        &mut self,
        shared: &'a Shared,
        current: &mut Taken,
        open: Option<Instant>,
    ) -> Next<'a> {
        if mem::take(&mut self.detoured) {
            shared.lock().detour = Detour::Free;
            shared.notify();
        }
        let mut state = shared.lock();
        let now = shared.now();
        let ended = |end: Instant| self.stopped || end <= now;
        if state.closing.is_some_and(ended) {
            return Next::Step(Step::End);
        }
        if mem::take(&mut state.reopen) {
            return Next::Reopen;
        }
        if let Some(again) = self.read_again.filter(|again| *again > now) {
            return Next::Step(shared.wait_until(state, again));
        }
        self.read_again = None;
        let seen = state.spooled;
        if self.reader.is_none() {
            self.reader = state.reader.take();
        }
        drop(state);
        if self.read(shared, current) {
            return Next::Send;
        }
        let mut state = shared.lock();
        if state.spooled != seen || state.reopen || self.read_again.is_some() {
            return Next::Step(Step::Again);
        }
        if let Some(next) = self.other(&mut state, seen, current) {
            return next;
        }
        if open.is_some_and(|open| open <= shared.now()) {
            return Next::Open;
        }
        if self.reader.is_none() && state.reader.is_some() {
            // The spool has been opened since.
            return Next::Step(Step::Again);
        }
        let until = [state.closing, open].into_iter().flatten().min();
        Next::Step(shared.wait_for_change(state, until))
    }

    fn settle(&mut self, shared: &Shared, done: Payloads<'_>, count: impl FnOnce(&mut State)) {
        if self.detoured {
            shared.leave(done, count);
            return;
        }
        let Some(reader) = &mut self.reader else {
            debug_assert!(false, "payloads from a spool that is not open");
            return;
        };
        let saved = reader.settle(done.len());
        count(&mut shared.lock());
        if let Err(error) = saved {
            shared.trouble(Part::Reader, &error);
        }
    }

    fn abandon(&mut self, shared: &Shared, rest: Payloads<'_>) {
        self.stopped = true;
        if self.detoured {
            shared.leave(rest, |state| state.drop_closed(rest));
        }
    }
}
