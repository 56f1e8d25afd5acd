//! A bounded queue before a transport, and the thread behind it.
//!
//! Whoever makes events never waits: what does not fit is dropped, and
//! counted.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{Batch, Transport};

/// How much a queue holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Payloads that wait at most; 65,536 by default.
    pub payloads: usize,
    /// Bytes of payloads that wait at most; 64 MiB by default.
    pub bytes: usize,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            payloads: 65_536,
            bytes: 64 << 20,
        }
    }
}

/// What became of the payloads so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueCounters {
    /// Payloads taken.
    pub queued: u64,
    /// Payloads that arrived at the target.
    pub sent: u64,
    /// Payloads dropped because the queue was full.
    pub dropped_full: u64,
    /// Payloads that the transport could not send.
    pub dropped_failed: u64,
}

/// The sending end of an exporter's queue; clones share it.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: QueueSettings,
    state: Mutex<State>,
    changed: Condvar,
    worker: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    payloads: usize,
    bytes: usize,
    counters: QueueCounters,
    reopen: bool,
    closing: bool,
}

impl Queue {
    /// Starts a thread of this name that sends what is offered.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        name: &str,
        transport: Box<dyn Transport>,
        settings: QueueSettings,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::default(),
            changed: Condvar::new(),
            worker: Mutex::default(),
        });
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name(name.to_owned());
        let handle = thread.spawn(move || worker.work(transport))?;
        *lock(&shared.worker) = Some(handle);
        Ok(Self { shared })
    }

    /// Takes the payloads of a batch as far as there is room, drops and
    /// counts the others, and leaves the batch empty. Never waits for the
    /// target.
    pub fn offer(&self, batch: &mut Batch) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len();
        let mut state = lock(&self.shared.state);
        let fits = state.payloads + count <= self.shared.settings.payloads
            && state.bytes + batch.bytes() <= self.shared.settings.bytes;
        if fits && !state.closing {
            state.payloads += count;
            state.bytes += batch.bytes();
            state.counters.queued += count as u64;
            state.waiting.push_back(std::mem::take(batch));
            self.shared.changed.notify_one();
        } else {
            state.counters.dropped_full += count as u64;
            batch.clear();
        }
    }

    /// What became of the payloads so far.
    #[must_use]
    pub fn counters(&self) -> QueueCounters {
        lock(&self.shared.state).counters
    }

    /// Has the target opened anew before the next payload.
    pub fn reopen(&self) {
        lock(&self.shared.state).reopen = true;
        self.shared.changed.notify_one();
    }

    /// Takes nothing more, and waits until all is sent or the time is over.
    /// Returns whether all was sent.
    #[must_use]
    pub fn close(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        lock(&self.shared.state).closing = true;
        self.shared.changed.notify_one();
        while Instant::now() < deadline {
            let worker = &mut *lock(&self.shared.worker);
            match worker {
                Some(handle) if !handle.is_finished() => thread::sleep(Duration::from_millis(5)),
                _ => return worker.take().is_none_or(|handle| handle.join().is_ok()),
            }
        }
        false
    }
}

impl Shared {
    fn work(&self, mut transport: Box<dyn Transport>) {
        loop {
            let mut state = lock(&self.state);
            while state.waiting.is_empty() && !state.closing && !state.reopen {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let reopen = std::mem::take(&mut state.reopen);
            let batch = state.waiting.pop_front();
            let done = batch.is_none() && state.closing;
            drop(state);
            if reopen {
                let _ = transport.reopen();
            }
            if let Some(batch) = batch {
                self.send(&batch, transport.as_mut());
            }
            if done {
                return;
            }
        }
    }

    fn send(&self, batch: &Batch, transport: &mut dyn Transport) {
        let delivery = transport.deliver(batch.payloads());
        let refused: usize = delivery.refusals().iter().map(|r| r.payloads.len()).sum();
        let sent = (delivery.settled() - refused) as u64;
        let mut state = lock(&self.state);
        state.payloads -= batch.len();
        state.bytes -= batch.bytes();
        state.counters.sent += sent;
        state.counters.dropped_failed += batch.len() as u64 - sent;
    }
}

/// A thread that panicked leaves counters that are still true enough.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
