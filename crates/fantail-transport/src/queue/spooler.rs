//! The thread that writes payloads from memory to the spool.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Backoff, Retry, SpoolSettings,
    spool::{self, SpoolError, SpoolWriter},
};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{DISK_RETRY_DELAY, Detour, Shared},
};

/// Time for which this thread sleeps after a write. Payloads that come in the
/// meantime are not on disk yet.
const SPOOL_DELAY: Duration = Duration::from_millis(2);

/// Interval at which a queue that waits for another one checks whether it was
/// closed.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The thread for the disk before its spool is open.
pub(super) struct DiskThread {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: SpoolSettings,
    /// The queue that has the spool, until its threads have ended.
    pub(super) before: Option<Arc<Shared>>,
    pub(super) backoff: Backoff,
}

impl DiskThread {
    pub(super) fn run(mut self) {
        let Some(writer) = self.open() else {
            self.shared.lose_waiting();
            return self.shared.close_spool();
        };
        let shared = self.shared;
        Spooler { shared, writer }.run();
    }

    /// Opens the spool and hands its reading end to the sender. Returns `None`
    /// if the queue is closed and the spool cannot be opened.
    fn open(&mut self) -> Option<SpoolWriter> {
        if let Some(before) = self.before.take() {
            while !before.wait_for_end(Instant::now() + CLOSE_CHECK_INTERVAL) {
                if !self.shared.pause_for_disk(Duration::ZERO) {
                    return None;
                }
            }
        }
        loop {
            let error = match spool::open(&self.settings) {
                Ok((writer, reader)) => {
                    self.shared.found_spool(reader);
                    return Some(writer);
                }
                Err(error) => error,
            };
            self.shared.trouble(Part::Writer, &error);
            let wait = self.backoff.failed(Retry::Backoff)?;
            if self.shared.lock().closing.is_some() || !self.shared.pause_until_closed(wait) {
                return None;
            }
        }
    }
}

/// Writes offered payloads to the spool.
pub(super) struct Spooler {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: SpoolWriter,
}

/// The next step of the thread.
enum Task {
    Store(Taken),
    Sync,
    End,
}

impl Spooler {
    pub(super) fn run(mut self) {
        loop {
            match self.next() {
                Task::Store(taken) => self.store(taken),
                Task::Sync => self.sync(),
                Task::End => break,
            }
        }
        self.sync();
        self.shared.close_spool();
    }

    fn next(&self) -> Task {
        let due = self.writer.sync_due();
        let mut state = self.shared.lock();
        loop {
            if due.is_some_and(|due| due <= Instant::now()) {
                return Task::Sync;
            }
            if let Some(taken) = state.buffer.take() {
                return Task::Store(taken);
            }
            if state.closing.is_some() {
                return Task::End;
            }
            state = self.shared.wait_for_work(state, due, SPOOL_DELAY);
        }
    }

    fn sync(&mut self) {
        if let Err(error) = self.writer.sync() {
            self.shared.trouble(Part::Writer, &error);
        }
    }

    /// Writes payloads, or hands them to the sender if the disk accepts none.
    /// Repeats until one of these succeeds or the queue has to end.
    fn store(&mut self, mut taken: Taken) {
        loop {
            let appended = self.writer.append(taken.payloads());
            let (done, rest) = taken.payloads().split_at(appended.taken);
            let over = rest.is_empty();
            let mut state = self.shared.lock();
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
                drop(state);
                return self.shared.notify();
            }
            if matches!(state.detour, Detour::Free) {
                state.detour = Detour::Waiting(taken);
                drop(state);
                self.shared.notify();
                return self.tell(appended.error);
            }
            drop(state);
            self.shared.notify();
            self.tell(appended.error);
            if !self.shared.pause_for_disk(DISK_RETRY_DELAY) {
                let rest = taken.payloads();
                return self.shared.leave(rest, |state| state.drop_closed(rest));
            }
        }
    }

    fn tell(&self, error: Option<SpoolError>) {
        if let Some(error) = error {
            self.shared.trouble(Part::Writer, &error);
        }
    }
}
