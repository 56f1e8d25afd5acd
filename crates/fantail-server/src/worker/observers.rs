//! Observers of events beside the metrics: taps.
//!
//! They change without a change of the metrics.

use std::sync::Arc;

use fantail_engine::{ExportSink, Exported, ExporterId, ObserverId};
use fantail_event::EffectiveEvent;
use fantail_format::ExportContext;

use crate::{worker::outbox::Outbox, worker::tap::Tap};

/// The observers of all workers. A change replaces the whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observers {
    pub(crate) taps: Vec<Arc<Tap>>,
}

impl Observers {
    /// Returns the filter for the clients: the events of the metrics or of a tap.
    pub(crate) fn handshake(&self, metrics: Vec<u8>) -> Vec<u8> {
        let mut filter = metrics;
        for tap in &self.taps {
            if !filter.is_empty() {
                filter.extend_from_slice(b" OR ");
            }
            filter.extend_from_slice(tap.filter.exact());
        }
        filter
    }
}

/// The sink of a worker's engine, for exports and observed events.
pub(crate) struct WorkerSink<'a> {
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) observers: &'a Observers,
    /// Larger events are neither exported nor shown: formatting them would take
    /// milliseconds each.
    pub(crate) max_payload: usize,
}

impl ExportSink for WorkerSink<'_> {
    fn wants(&mut self, exporter: ExporterId, text_bytes: usize) -> bool {
        let wants = self.outbox.wants(exporter);
        if wants && text_bytes > self.max_payload {
            self.outbox.drop_too_large(exporter);
            return false;
        }
        wants
    }

    fn export(&mut self, exported: Exported<'_>) {
        if exported.payload.len() > self.max_payload {
            self.outbox.drop_too_large(exported.exporter);
            return;
        }
        self.outbox.export(exported.exporter, exported.payload);
    }

    fn wants_observed(&mut self, observer: ObserverId, text_bytes: usize) -> bool {
        let tap = self.observers.taps.get(observer.0);
        debug_assert!(tap.is_some(), "no tap {observer:?}");
        tap.is_some_and(|tap| match text_bytes > self.max_payload {
            true => tap.skip(),
            false => tap.has_room(),
        })
    }

    fn observed(
        &mut self,
        observer: ObserverId,
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
    ) {
        if let Some(tap) = self.observers.taps.get(observer.0) {
            tap.show(event, context);
        }
    }
}
