//! What a worker has for the exporters until it is handed over.
//!
//! Gathered without locks; the queues get it once the worker has nothing else
//! to do, or when it is much.

use fantail_engine::{ExportSink, ExporterId};
use fantail_transport::Batch;

use crate::Exporters;

/// So many bytes are not kept back any longer.
const MUCH: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Outbox {
    exporters: Exporters,
    batches: Vec<Batch>,
    waiting: bool,
}

impl Outbox {
    pub(crate) fn new(exporters: Exporters) -> Self {
        let batches = exporters.iter().map(|_| Batch::new()).collect();
        Self {
            exporters,
            batches,
            waiting: false,
        }
    }

    /// Whether there is anything to hand over.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Hands over everything.
    pub(crate) fn flush(&mut self) {
        if !std::mem::take(&mut self.waiting) {
            return;
        }
        for (at, batch) in self.batches.iter_mut().enumerate() {
            if let Some(queue) = self.exporters.queue(ExporterId(at)) {
                queue.offer(batch);
            }
        }
    }

    /// Goes on with other exporters; what is for the old ones is handed over.
    pub(crate) fn replace(&mut self, exporters: Exporters) {
        self.flush();
        *self = Self::new(exporters);
    }
}

impl ExportSink for Outbox {
    fn export(&mut self, exporter: ExporterId, payload: &[u8]) {
        let Some(batch) = self.batches.get_mut(exporter.0) else {
            return;
        };
        batch.push(payload);
        self.waiting = true;
        if batch.bytes() >= MUCH
            && let Some(queue) = self.exporters.queue(exporter)
        {
            queue.offer(batch);
        }
    }
}
