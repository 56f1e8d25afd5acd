//! The thread that writes payloads from memory to the spool.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::spool::{SpoolError, SpoolWriter};

use super::{
    DropReason,
    buffer::Taken,
    shared::{DISK_RETRY_DELAY, Detour, Shared},
};

/// Time for which this thread sleeps after a write. Payloads that come in the
/// meantime are not on disk yet.
const SPOOL_DELAY: Duration = Duration::from_millis(2);

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
        self.shared.lock().spool_closed = true;
        self.shared.notify();
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
            self.shared.trouble(&error);
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
            let counters = &mut state.counters;
            counters.add_dropped(DropReason::SpoolFull, appended.dropped);
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
                return self.shared.leave(rest, |counters| {
                    counters.add_dropped(DropReason::Closed, rest.len() as u64);
                });
            }
        }
    }

    fn tell(&self, error: Option<SpoolError>) {
        if let Some(error) = error {
            self.shared.trouble(&error);
        }
    }
}
