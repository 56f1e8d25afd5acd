//! A bounded queue before a transport, and the threads behind it.
//!
//! Whoever makes events never waits, neither for a target nor for a disk: to
//! [offer](Queue::offer) a batch is to copy it as a whole under a lock. What
//! does not fit is dropped, and counted. A thread sends what waits, and repeats what
//! failed; with a spool, another writes what is offered to disk first.
//!
//! A disk that takes nothing more does not stop a target that works: then
//! payloads go from memory to the target, after all that the spool has.

mod buffer;
mod builder;
mod counters;
pub(crate) mod retry;
mod sender;
mod settings;
mod shared;
mod source;
mod spooler;
mod trouble;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Batch, DropTransport, Transport};

pub use self::{
    builder::QueueBuilder,
    counters::{DropReason, LastError, QueueCounters, QueueStatus},
    settings::{DeliveryLevel, QueueSettings},
    trouble::Trouble,
};

use self::{shared::Shared, trouble::Reporter};

/// For how long threads that should have ended are waited for.
const GRACE: Duration = Duration::from_millis(100);

/// For how long anything is waited for, whatever was said.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The sending end of an exporter's queue; clones share it.
///
/// The queue ends when the last clone is dropped: at once, so that what waits
/// in memory is lost unless there is a spool. [`close`](Self::close) it
/// before.
#[derive(Debug, Clone)]
pub struct Queue {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close(Instant::now());
    }
}

impl Queue {
    /// Starts a thread of this name that sends what is offered.
    ///
    /// # Errors
    /// As for [`QueueBuilder::start`].
    pub fn start(
        name: &str,
        transport: Box<dyn Transport>,
        settings: QueueSettings,
    ) -> io::Result<Self> {
        Self::builder(name, transport).settings(settings).start()
    }

    /// A queue without a target and without a thread: what is offered counts
    /// as sent at once. It is to a queue with a
    /// [`DropTransport`](crate::DropTransport) what that is to a target.
    #[must_use]
    pub fn discard() -> Self {
        let mut shared = Shared::new(
            &QueueSettings::default(),
            &DropTransport,
            Reporter::new("", None),
        );
        shared.discards = true;
        Self::new(Arc::new(shared))
    }

    /// Whether it is a queue without a target: then payloads need not be
    /// gathered, and [`count`](Self::count) does for them.
    #[must_use]
    pub fn discards(&self) -> bool {
        self.handle.0.discards
    }

    /// Counts payloads, and their bytes together, as offered to a queue
    /// without a target; does nothing to others.
    pub fn count(&self, payloads: u64, bytes: u64) {
        if self.discards() {
            self.handle.0.discard(payloads, bytes);
        }
    }

    /// Begins a queue of this name.
    #[must_use]
    pub fn builder(name: &str, transport: Box<dyn Transport>) -> QueueBuilder {
        QueueBuilder::new(name, transport)
    }

    /// What outlives the queue's end.
    fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.handle.0)
    }

    fn new(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
        }
    }

    /// Takes the payloads of a batch as far as there is room, drops and
    /// counts the others, and leaves the batch empty, with its memory. Never
    /// waits for the target or the disk.
    pub fn offer(&self, batch: &mut Batch) {
        if self.discards() {
            self.count(batch.len() as u64, batch.bytes() as u64);
        } else if !batch.is_empty() {
            self.handle.0.offer(batch);
        }
        batch.clear();
    }

    /// What became of the payloads so far.
    #[must_use]
    pub fn counters(&self) -> QueueCounters {
        self.handle.0.lock().counters
    }

    /// What became of the payloads so far, and what waits.
    #[must_use]
    pub fn status(&self) -> QueueStatus {
        self.handle.0.status()
    }

    /// Has the target opened anew before the next payload.
    pub fn reopen(&self) {
        self.handle.0.lock().reopen = true;
        self.handle.0.wake();
    }

    /// Waits until all that was offered before has left the memory: was sent,
    /// spooled or dropped. Returns whether it has. From then on, payloads that
    /// went to the spool survive the end of the process.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.handle.0.flush(patience)
    }

    /// Takes nothing more, and waits until all is sent or the time is over;
    /// with a spool, until all is on disk, and sent if the target is well.
    /// Returns whether nothing was lost that waited.
    #[must_use]
    pub fn close(&self, patience: Duration) -> bool {
        let shared = &self.handle.0;
        let deadline = Instant::now() + patience.min(LONGEST);
        shared.close(deadline);
        let ended = shared.wait_for_end(deadline + GRACE);
        if ended {
            shared.close_detour();
        }
        let lost = shared.lock().counters.dropped(DropReason::Closed);
        ended && lost == 0
    }
}
