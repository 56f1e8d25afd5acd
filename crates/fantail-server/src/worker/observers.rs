//! Observers of events beside the metrics: taps, and counters of terms.
//!
//! They change without a change of the metrics.

use std::sync::Arc;

use fantail_engine::{ExportSink, Exported, ExporterId, ObserverId};
use fantail_event::EffectiveEvent;
use fantail_filter::Filter;
use fantail_format::ExportContext;

use crate::{worker::explain::TermCounter, worker::outbox::Outbox, worker::tap::Tap};

/// The observers of all workers. A change replaces the whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observers {
    /// Show the events that match.
    pub(crate) taps: Vec<Observer<Tap>>,
    /// Count all events at the terms of a filter.
    pub(crate) counters: Vec<Observer<TermCounter>>,
}

/// One observer.
#[derive(Debug)]
pub(crate) struct Observer<T> {
    pub(crate) number: u64,
    pub(crate) observer: Arc<T>,
    /// Asks clients for further events.
    pub(crate) ask_for: Option<Arc<Filter>>,
}

/// Clones share the observer.
impl<T> Clone for Observer<T> {
    fn clone(&self) -> Self {
        Self {
            number: self.number,
            observer: Arc::clone(&self.observer),
            ask_for: self.ask_for.clone(),
        }
    }
}

impl Observers {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.taps.len() + self.counters.len()
    }

    /// Removes the observer with this number.
    pub(crate) fn remove(&mut self, number: u64) {
        self.taps.retain(|tap| tap.number != number);
        self.counters.retain(|counter| counter.number != number);
    }

    /// The filters that clients are asked for.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Filter> {
        let taps = self.taps.iter();
        let taps = taps.map(|tap| (&tap.observer.filter, &tap.ask_for));
        let counters = self.counters.iter();
        let counters = counters.map(|counter| (counter.observer.filter(), &counter.ask_for));
        let all = taps.chain(counters);
        all.flat_map(|(filter, ask_for)| std::iter::once(filter).chain(ask_for.as_deref()))
    }

    /// Returns the filter for the clients: the events of the metrics or of an observer.
    pub(crate) fn handshake(&self, metrics: Vec<u8>) -> Vec<u8> {
        let mut handshake = metrics;
        for filter in self.filters() {
            if !handshake.is_empty() {
                handshake.extend_from_slice(b" OR ");
            }
            handshake.extend_from_slice(filter.exact());
        }
        handshake
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
            true => tap.observer.skip(),
            false => tap.observer.has_room(),
        })
    }

    fn observed(
        &mut self,
        observer: ObserverId,
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
    ) {
        if let Some(tap) = self.observers.taps.get(observer.0) {
            tap.observer.show(event, context);
        }
    }
}
