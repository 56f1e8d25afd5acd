//! A bounded queue in front of a transport, and its threads.
//!
//! Producers never wait for a target or a disk: [`Queue::offer`] copies a batch
//! under a lock. Payloads that do not fit are dropped and counted. One worker
//! sends payloads and repeats failed attempts; with a spool, another worker writes
//! them to disk first. Each has a thread, which runs its steps ([`worker`]).
//!
//! A full disk does not stop a working target: payloads then go from memory to
//! the target, after those in the spool.

mod buffer;
mod builder;
mod counters;
mod error;
mod health;
mod memory;
pub(crate) mod retry;
mod sender;
mod settings;
mod shared;
mod source;
mod spooler;
mod trouble;
mod waiting;
mod worker;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Batch, DropTransport, Transport, system::REAL};

pub use self::{
    builder::QueueBuilder,
    counters::{DropReason, LastError, Opening, QueueCounters, QueueStatus},
    error::{QueueError, QueueErrorKind},
    memory::QueueMemory,
    settings::{DeliveryLevel, QueueSettings},
    trouble::Trouble,
    worker::{Stepped, Worker},
};

use self::{health::Part, shared::Shared, trouble::Reporter};

/// Time after the deadline for threads to notice it.
const THREAD_END_GRACE: Duration = Duration::from_millis(100);

/// Longest patience; larger values could overflow a deadline.
const MAX_PATIENCE: Duration = Duration::from_secs(365 * 86_400);

/// The sending end of an exporter's queue; clones share it.
///
/// The queue ends at once when the last clone is dropped: payloads in memory are
/// lost, those with a spool are written to it. Call [`close`](Self::close) first
/// to send them.
#[derive(Debug, Clone)]
pub struct Queue {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close(self.0.now());
    }
}

impl Queue {
    /// Starts a queue with this name and these settings.
    ///
    /// # Errors
    /// As for [`QueueBuilder::start`].
    pub fn start(
        name: &str,
        transport: Box<dyn Transport>,
        settings: QueueSettings,
    ) -> Result<Self, QueueError> {
        Self::builder(name, transport).settings(settings).start()
    }

    /// Returns a queue without a target and without a thread: offered payloads
    /// count as sent at once.
    #[must_use]
    pub fn discard() -> Self {
        let mut shared = Shared::new(
            &REAL,
            &QueueSettings::default(),
            &DropTransport,
            Reporter::new("", None),
            false,
            None,
        );
        shared.discards = true;
        shared.lock().health.works(Part::Target);
        Self::new(Arc::new(shared))
    }

    /// Returns whether the queue has no target. Producers then call
    /// [`count`](Self::count) and need not gather payloads.
    #[must_use]
    pub fn discards(&self) -> bool {
        self.handle.0.discards
    }

    /// Counts payloads and their bytes as offered to a queue without a target.
    /// Does nothing for other queues.
    pub fn count(&self, payloads: u64, bytes: u64) {
        if self.discards() {
            self.handle.0.discard(payloads, bytes);
        }
    }

    /// Returns a builder for a queue with this name.
    #[must_use]
    pub fn builder(name: &str, transport: Box<dyn Transport>) -> QueueBuilder {
        QueueBuilder::new(name, transport)
    }

    /// Returns the state, which may outlive the queue.
    fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.handle.0)
    }

    fn new(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
        }
    }

    /// Accepts the payloads of a batch that fit, drops and counts the others,
    /// and empties the batch. Never waits for the target or the disk.
    pub fn offer(&self, batch: &mut Batch) {
        if self.discards() {
            self.count(batch.len() as u64, batch.bytes() as u64);
        } else if !batch.is_empty() {
            self.handle.0.offer(batch);
        }
        batch.clear();
    }

    /// Returns the counters of payloads.
    #[must_use]
    pub fn counters(&self) -> QueueCounters {
        self.handle.0.lock().counters
    }

    /// Returns the counters and what waits.
    #[must_use]
    pub fn status(&self) -> QueueStatus {
        self.handle.0.status()
    }

    /// Makes the target be opened again before the next payload.
    pub fn reopen(&self) {
        self.handle.0.lock().reopen = true;
        self.handle.0.wake();
    }

    /// Waits until the target and the spool are open, or one of them could not be
    /// opened. The queue works in the meantime, and goes on trying.
    #[must_use]
    pub fn wait_until_open(&self, patience: Duration) -> Opening {
        let until = self.handle.0.now() + patience.min(MAX_PATIENCE);
        self.handle.0.wait_until_open(until)
    }

    /// Waits until all payloads offered before have left the memory: were sent,
    /// spooled or dropped. Returns whether they have. Spooled payloads then
    /// survive the end of the process.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.handle.0.flush(patience)
    }

    /// Stops accepting payloads and waits until all are sent or the time is
    /// over; with a spool, until all are on disk, and sent if the target works.
    /// Returns whether no waiting payload was lost.
    #[must_use]
    pub fn close(&self, patience: Duration) -> bool {
        self.begin_close(patience);
        self.wait_until_closed()
    }

    /// Stops accepting payloads, and does not wait: the queue has this long to
    /// send what it has.
    pub fn begin_close(&self, patience: Duration) {
        let shared = &self.handle.0;
        shared.close(shared.now() + patience.min(MAX_PATIENCE));
    }

    /// Waits until the threads of the queue have ended; returns whether they
    /// have.
    #[must_use]
    pub fn wait_until_ended(&self, until: Instant) -> bool {
        self.handle.0.wait_for_end(until)
    }

    /// Waits for the end of a queue whose [closing began](Self::begin_close).
    /// Returns whether no waiting payload was lost.
    #[must_use]
    pub fn wait_until_closed(&self) -> bool {
        let shared = &self.handle.0;
        let deadline = shared.lock().closing.unwrap_or_else(|| shared.now());
        let ended = shared.wait_for_end(deadline + THREAD_END_GRACE);
        if ended {
            shared.close_detour();
        }
        let lost = shared.lock().counters.dropped(DropReason::Closed);
        ended && lost == 0
    }
}
