//! The outbox of a worker: exports until they are handed over to the queues.
//!
//! Filled without locks, and flushed every 25 ms or when a batch is large. Exports
//! that are dropped are only counted.

use fantail_engine::ExporterId;
use fantail_transport::{Batch, Queue};

use crate::exporters::Exporters;

/// A batch of this size is handed over at once.
const MAX_BATCH_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Outbox {
    exporters: Exporters,
    /// In the order of the exporters.
    pending: Vec<Pending>,
    waiting: bool,
}

/// The exports for one exporter.
#[derive(Debug)]
enum Pending {
    Payloads(Batch),
    /// The counts of an exporter that drops all payloads.
    Counts {
        payloads: u64,
        bytes: u64,
    },
}

impl Pending {
    fn new(queue: &Queue) -> Self {
        if queue.discards() {
            Self::Counts {
                payloads: 0,
                bytes: 0,
            }
        } else {
            Self::Payloads(Batch::new())
        }
    }

    fn hand_over(&mut self, queue: &Queue) {
        match self {
            Self::Payloads(batch) => queue.offer(batch),
            Self::Counts { payloads: 0, .. } => {}
            Self::Counts { payloads, bytes } => {
                queue.count(std::mem::take(payloads), std::mem::take(bytes));
            }
        }
    }
}

impl Outbox {
    pub(crate) fn new(exporters: Exporters) -> Self {
        let pending = exporters.iter().map(|(_, queue)| Pending::new(queue));
        Self {
            pending: pending.collect(),
            exporters,
            waiting: false,
        }
    }

    /// Returns whether there are payloads to hand over.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Hands over everything.
    pub(crate) fn flush(&mut self) {
        if !std::mem::take(&mut self.waiting) {
            return;
        }
        for (pending, (_, queue)) in self.pending.iter_mut().zip(self.exporters.iter()) {
            pending.hand_over(queue);
        }
    }

    /// Hands everything over to the old exporters, and uses others from now on.
    pub(crate) fn replace(&mut self, exporters: Exporters) {
        self.flush();
        *self = Self::new(exporters);
    }

    /// Returns whether an event for an exporter passes its sampling and rate
    /// limit.
    pub(crate) fn wants(&self, exporter: ExporterId) -> bool {
        self.exporters.admits(exporter)
    }

    /// Counts an event that is too large for an exporter.
    pub(crate) fn drop_too_large(&self, exporter: ExporterId) {
        self.exporters.count_too_large(exporter);
    }

    /// Takes the payload of an export.
    pub(crate) fn export(&mut self, exporter: ExporterId, payload: &[u8]) {
        let Some(pending) = self.pending.get_mut(exporter.0) else {
            debug_assert!(false, "no exporter {exporter:?}");
            return;
        };
        self.waiting = true;
        match pending {
            Pending::Counts { payloads, bytes } => {
                *payloads += 1;
                *bytes += payload.len() as u64;
            }
            Pending::Payloads(batch) => {
                batch.push(payload);
                if batch.bytes() >= MAX_BATCH_BYTES
                    && let Some(queue) = self.exporters.queue(exporter)
                {
                    queue.offer(batch);
                }
            }
        }
    }
}
