//! Observers of events beside the metrics: taps, counters of terms, and the census.
//!
//! They change without a change of the metrics.

use std::sync::Arc;

use fantail_engine::{ExportSink, Exported, ExporterId, ObserverId};
use fantail_event::{EffectiveEvent, SentEvent};
use fantail_filter::Filter;
use fantail_format::ExportContext;

use crate::worker::{
    census::Census,
    explain::TermCounter,
    outbox::Outbox,
    tap::{Audience, Tap, TapRequest},
};

/// The observers of all workers. A change replaces the whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observers {
    /// Show the events that match.
    pub(crate) taps: Vec<Observer<Tap>>,
    /// Count all events at the terms of a filter.
    pub(crate) counters: Vec<Observer<TermCounter>>,
    /// Counts the events of each name while a page is open.
    pub(crate) census: Option<Arc<Census>>,
}

/// One observer.
#[derive(Debug)]
pub(crate) struct Observer<T> {
    pub(crate) number: u64,
    pub(crate) observer: Arc<T>,
    pub(crate) audience: Audience,
    /// Whether clients are asked for the events of its filter.
    pub(crate) asks: bool,
    /// Asks clients for further events.
    pub(crate) ask_for: Option<Arc<Filter>>,
}

impl<T> Observer<T> {
    /// Returns the observer of a request.
    pub(crate) fn new(
        wanted: &TapRequest,
        number: u64,
        observer: Arc<T>,
        ask_for: Option<Arc<Filter>>,
    ) -> Self {
        Self {
            number,
            observer,
            audience: wanted.audience,
            asks: wanted.asks,
            ask_for,
        }
    }
}

/// Clones share the observer.
impl<T> Clone for Observer<T> {
    fn clone(&self) -> Self {
        Self {
            number: self.number,
            observer: Arc::clone(&self.observer),
            audience: self.audience,
            asks: self.asks,
            ask_for: self.ask_for.clone(),
        }
    }
}

impl Observers {
    /// How many taps and counters there are for this audience.
    pub(crate) fn count(&self, audience: Audience) -> usize {
        let taps = self.taps.iter().map(|tap| tap.audience);
        let counters = self.counters.iter().map(|counter| counter.audience);
        taps.chain(counters).filter(|it| *it == audience).count()
    }

    /// Lets counters and the census observe an event.
    pub(crate) fn observe(&self, event: &SentEvent<'_>) {
        for counter in &self.counters {
            counter.observer.observe(event);
        }
        if let Some(census) = &self.census {
            census.observe(event);
        }
    }

    /// Removes the observer with this number; returns whether it was there.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let before = self.taps.len() + self.counters.len();
        self.taps.retain(|tap| tap.number != number);
        self.counters.retain(|counter| counter.number != number);
        self.taps.len() + self.counters.len() < before
    }

    /// All filters, each with whether clients are asked for its events.
    fn all_filters(&self) -> impl Iterator<Item = (&Filter, bool)> {
        let taps = self.taps.iter();
        let taps = taps.map(|tap| (&tap.observer.filter, tap.asks, &tap.ask_for));
        let counters = self.counters.iter();
        let counters =
            counters.map(|counter| (counter.observer.filter(), counter.asks, &counter.ask_for));
        let all = taps.chain(counters);
        all.flat_map(|(filter, asks, ask_for)| {
            let further = ask_for.as_deref().map(|further| (further, true));
            std::iter::once((filter, asks)).chain(further)
        })
    }

    /// The filters of observers, and those that clients are asked for.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.all_filters().map(|(filter, _)| filter)
    }

    /// Returns the filter for the clients: the events of the metrics or of an observer.
    pub(crate) fn handshake(&self, metrics: Vec<u8>) -> Vec<u8> {
        let mut handshake = metrics;
        for (filter, _) in self.all_filters().filter(|(_, asks)| *asks) {
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
