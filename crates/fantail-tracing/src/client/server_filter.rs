//! The filter of the server.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwapOption;
use fantail_event::{Dialect, SentEvent};
use fantail_filter::Filter;
use fantail_syntax::ParseOptions;
use tracing_core::Metadata;

use crate::{
    callsite::{
        decisions::Compilation,
        verdict::{Known, Verdict},
    },
    record::metadata::{is_question, name_of},
};

type Callback = Arc<dyn Fn() + Send + Sync>;

/// The last filter that the server has sent.
#[derive(Default)]
pub(super) struct ServerFilter {
    current: ArcSwapOption<Received>,
    callback: Mutex<Option<Callback>>,
    arrived: Condvar,
}

/// A filter as both versions of Dovecot read it: the protocol does not tell which one
/// the server is.
struct Received {
    readings: Vec<Filter>,
    compilation: Compilation,
}

impl ServerFilter {
    /// Replaces the filter by this text; returns whether it is a filter.
    pub(super) fn set(&self, text: &[u8]) -> bool {
        let dialects = [Dialect::V2_4, Dialect::V2_3];
        let readings = dialects.into_iter().filter_map(|dialect| {
            let options = ParseOptions {
                dialect,
                ..ParseOptions::default()
            };
            Filter::parse(text, &options).ok()
        });
        let readings: Vec<Filter> = readings.collect();
        if readings.is_empty() {
            return false;
        }
        self.current.store(Some(Arc::new(Received {
            readings,
            compilation: Compilation::unique(),
        })));
        let callback = {
            let callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
            self.arrived.notify_all();
            callback.clone()
        };
        if let Some(callback) = callback {
            callback();
        }
        true
    }

    pub(super) fn on_change(&self, callback: Callback) {
        let mut current = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(callback);
    }

    pub(super) fn get(&self) -> Option<Filter> {
        let current = self.current.load();
        current.as_ref()?.readings.first().cloned()
    }

    /// Returns whether the server wants an event: a named one that its filter matches.
    pub(super) fn wants(&self, event: &SentEvent<'_>) -> bool {
        let current = self.current.load();
        let readings = current.as_ref().map(|received| received.readings.iter());
        event.event.name().is_some()
            && readings.is_some_and(|mut all| all.any(|filter| filter.evaluate(event)))
    }

    /// Returns whether the server wants any event.
    pub(super) fn wants_any(&self) -> bool {
        let current = self.current.load();
        let received = current.as_ref();
        received.is_some_and(|received| received.readings.iter().any(|it| !it.is_empty()))
    }

    /// Returns whether the server may want the events of this callsite, or fields that
    /// they inherit.
    pub(super) fn may_want(&self, metadata: &Metadata<'_>) -> bool {
        if !self.wants_any() {
            return false;
        }
        if !metadata.is_event() {
            return true;
        }
        let current = self.current.load();
        current.as_ref().is_some_and(|received| {
            let decide = || {
                if name_of(metadata).is_none() && !is_question(metadata) {
                    return Verdict::Never;
                }
                let readings = received.readings.iter();
                let verdicts = readings.map(|filter| Known::of(metadata).evaluate(filter));
                verdicts.max().unwrap_or(Verdict::Never)
            };
            received.compilation.decision(metadata, decide) != Verdict::Never
        })
    }

    /// Waits for the first filter.
    pub(super) fn wait(&self, until: Instant) -> bool {
        let mut guard = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        while self.current.load().is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.arrived.wait_timeout(guard, left);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
