//! What a worker has for the exporters until it is handed over.
//!
//! Gathered without locks; the queues get it once the worker has nothing else
//! to do, or when it is much. Of what goes nowhere, only numbers are gathered.

use fantail_engine::ExporterId;
use fantail_transport::{Batch, Queue};

use crate::Exporters;

/// So many bytes are not kept back any longer.
const MUCH: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Outbox {
    exporters: Exporters,
    /// In the order of the exporters.
    gathered: Vec<Gathered>,
    waiting: bool,
}

/// What is gathered for an exporter.
#[derive(Debug)]
enum Gathered {
    Payloads(Batch),
    /// What goes nowhere.
    Numbers {
        payloads: u64,
        bytes: u64,
    },
}

impl Gathered {
    fn new(queue: &Queue) -> Self {
        if queue.discards() {
            Self::Numbers {
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
            Self::Numbers { payloads: 0, .. } => {}
            Self::Numbers { payloads, bytes } => {
                queue.count(std::mem::take(payloads), std::mem::take(bytes));
            }
        }
    }
}

impl Outbox {
    pub(crate) fn new(exporters: Exporters) -> Self {
        let gathered = exporters.iter().map(|(_, queue)| Gathered::new(queue));
        Self {
            gathered: gathered.collect(),
            exporters,
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
        for (gathered, (_, queue)) in self.gathered.iter_mut().zip(self.exporters.iter()) {
            gathered.hand_over(queue);
        }
    }

    /// Goes on with other exporters; what is for the old ones is handed over.
    pub(crate) fn replace(&mut self, exporters: Exporters) {
        self.flush();
        *self = Self::new(exporters);
    }

    /// Whether an event for an exporter passes its sampling and rate limit.
    pub(crate) fn wants(&self, exporter: ExporterId) -> bool {
        self.exporters.admits(exporter)
    }

    /// Takes what was written for an exporter.
    pub(crate) fn export(&mut self, exporter: ExporterId, payload: &[u8]) {
        let Some(gathered) = self.gathered.get_mut(exporter.0) else {
            return;
        };
        self.waiting = true;
        match gathered {
            Gathered::Numbers { payloads, bytes } => {
                *payloads += 1;
                *bytes += payload.len() as u64;
            }
            Gathered::Payloads(batch) => {
                batch.push(payload);
                if batch.bytes() >= MUCH
                    && let Some(queue) = self.exporters.queue(exporter)
                {
                    queue.offer(batch);
                }
            }
        }
    }
}
