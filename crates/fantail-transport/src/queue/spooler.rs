//! The worker that writes payloads from memory to the spool.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Backoff, Retry, SpoolSettings,
    spool::{self, SpoolWriter},
};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{DISK_RETRY_DELAY, Detour, Shared},
    worker::{Step, Work},
};

/// Time for which this worker sleeps after a write. Payloads that come in the
/// meantime are not on disk yet.
const SPOOL_DELAY: Duration = Duration::from_millis(2);

/// Interval at which a queue checks whether the queue before it has ended.
const END_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Opens the spool, and writes offered payloads to it.
pub(super) struct Spooler {
    settings: SpoolSettings,
    /// The queue that has the spool, until its workers have ended.
    before: Option<Arc<Shared>>,
    backoff: Backoff,
    /// When the spool is opened again, after it could not be.
    open_again: Option<Instant>,
    /// `None` until the spool is open.
    writer: Option<SpoolWriter>,
    /// Payloads that the disk did not accept, and when they are written again.
    held: Option<(Taken, Instant)>,
    /// There were no payloads for a while.
    has_rested: bool,
}

impl Work for Spooler {
    fn step<'a>(&mut self, shared: &'a Shared) -> Step<'a> {
        match self.writer.take() {
            None => self.open(shared),
            Some(mut writer) => {
                let step = self.write(shared, &mut writer);
                self.writer = Some(writer);
                step
            }
        }
    }
}

impl Spooler {
    pub(super) const fn new(
        settings: SpoolSettings,
        before: Option<Arc<Shared>>,
        backoff: Backoff,
    ) -> Self {
        Self {
            settings,
            before,
            backoff,
            open_again: None,
            writer: None,
            held: None,
            has_rested: false,
        }
    }

    /// Opens the spool and hands its reading end to the sender. Ends if the queue is
    /// closed and the spool cannot be opened.
    fn open<'a>(&mut self, shared: &'a Shared) -> Step<'a> {
        let state = shared.lock();
        let now = shared.now();
        if let Some(before) = &self.before {
            if state.closing.is_some_and(|end| end <= now) {
                drop(state);
                return give_up(shared);
            }
            if !before.has_ended() {
                return shared.wait_until(state, now + END_CHECK_INTERVAL);
            }
            self.before = None;
        }
        if let Some(again) = self.open_again {
            if state.closing.is_some() {
                drop(state);
                return give_up(shared);
            }
            if again > now {
                return shared.wait_until(state, again);
            }
        }
        drop(state);
        match spool::open_on(shared.system, &self.settings) {
            Ok((writer, reader)) => {
                shared.found_spool(reader);
                self.writer = Some(writer);
            }
            Err(error) => {
                shared.trouble(Part::Writer, &error);
                let wait = self.backoff.failed(Retry::Backoff);
                debug_assert!(wait.is_some(), "the number of attempts is not limited");
                self.open_again = Some(shared.now() + wait.unwrap_or_default());
            }
        }
        Step::Again
    }

    fn write<'a>(&mut self, shared: &'a Shared, writer: &mut SpoolWriter) -> Step<'a> {
        if let Some((taken, again)) = self.held.take() {
            return self.write_again(shared, writer, taken, again);
        }
        let due = writer.sync_due();
        let mut state = shared.lock();
        state.begin_step();
        if due.is_some_and(|due| due <= shared.now()) {
            drop(state);
            sync(shared, writer);
            return Step::Again;
        }
        if let Some(taken) = state.buffer.take() {
            drop(state);
            self.has_rested = false;
            self.store(shared, writer, taken);
            return Step::Again;
        }
        if state.closing.is_some() {
            drop(state);
            sync(shared, writer);
            shared.close_spool();
            return Step::End;
        }
        let wait = shared.wait_for_work(state, &mut self.has_rested, due, SPOOL_DELAY);
        Step::Wait(wait)
    }

    /// Writes payloads that the disk did not accept, once it is time, unless the
    /// queue has to end.
    fn write_again<'a>(
        &mut self,
        shared: &'a Shared,
        writer: &mut SpoolWriter,
        taken: Taken,
        again: Instant,
    ) -> Step<'a> {
        let state = shared.lock();
        let now = shared.now();
        if state.closing.is_some_and(|end| end <= now) {
            drop(state);
            let rest = taken.payloads();
            shared.leave(rest, |state| state.drop_closed(rest));
        } else if again > now {
            self.held = Some((taken, again));
            return shared.wait_until(state, again);
        } else {
            drop(state);
            self.store(shared, writer, taken);
        }
        Step::Again
    }

    /// Writes payloads, or hands them to the sender if the disk accepts none. Holds
    /// them if the sender has others.
    fn store(&mut self, shared: &Shared, writer: &mut SpoolWriter, mut taken: Taken) {
        let appended = writer.append(taken.payloads());
        let (done, rest) = taken.payloads().split_at(appended.taken);
        let over = rest.is_empty();
        let mut state = shared.lock();
        state.buffer.leave(done);
        let dropped = appended.dropped;
        state.counters.add_dropped(DropReason::SpoolFull, dropped);
        if appended.error.is_none() {
            state.health.works(Part::Writer);
        }
        taken.skip += appended.taken;
        state.spooled += 1;
        if over {
            state.buffer.recycle(taken);
        } else if matches!(state.detour, Detour::Free) {
            state.detour = Detour::Waiting(taken);
        } else {
            self.held = Some((taken, shared.now() + DISK_RETRY_DELAY));
        }
        drop(state);
        shared.notify();
        if let Some(error) = appended.error {
            shared.trouble(Part::Writer, &error);
        }
    }
}

/// Ends a worker whose spool cannot be opened.
fn give_up(shared: &Shared) -> Step<'_> {
    shared.lose_waiting();
    shared.close_spool();
    Step::End
}

fn sync(shared: &Shared, writer: &mut SpoolWriter) {
    if let Err(error) = writer.sync() {
        shared.trouble(Part::Writer, &error);
    }
}
