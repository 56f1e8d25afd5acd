//! Counters, gauges and histograms that a program updates itself, without events.

mod handles;
mod names;
#[cfg(feature = "facade")]
mod recorder;
mod snapshot;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(feature = "facade")]
pub use self::recorder::Recorder;
use self::{
    handles::Handle,
    names::{Labels, legal_name, normalized, overflow_of},
};
pub use self::{
    handles::{Counter, Gauge, Histogram},
    snapshot::{InstrumentFamily, InstrumentSeries, InstrumentSnapshot, InstrumentValue},
};
use crate::{Buckets, Limits};

/// Counters, gauges and histograms that a program updates itself, without events.
///
/// A handle updates its series without a lock of all series: keep it if the labels stay
/// the same. `fantail-exposition` writes a [snapshot](Self::snapshot). With the feature
/// `facade`, a [`Recorder`] takes the metrics of the crate `metrics`.
///
/// Names and labels are those of Prometheus: other characters become `_`, labels
/// without a value are omitted, a metric's `_total` is no part of its name, and texts are
/// cut after 256 bytes. A series takes some 300 bytes, and a histogram 600 bytes to 25 KB
/// more. At a [limit](Limits), new labels are counted in a series whose
/// label values are `other`. Clones refer to the same instruments.
///
/// ```
/// use fantail_metrics::{InstrumentValue, Instruments};
///
/// let instruments = Instruments::new();
/// let requests = instruments.counter("requests_total", &[("route", "/")]);
/// requests.increment(2);
/// instruments.histogram("request_seconds", &[]).record(0.25);
///
/// let snapshot = instruments.snapshot();
/// let [seconds, requests] = snapshot.families() else { panic!() };
/// assert_eq!(requests.name, "requests");
/// assert!(matches!(requests.series[0].value, InstrumentValue::Counter(2)));
/// assert_eq!(seconds.name, "request_seconds");
/// ```
#[cfg_attr(not(feature = "facade"), doc = "", doc = "[`Recorder`]: crate")]
#[derive(Debug, Clone, Default)]
pub struct Instruments {
    shared: Arc<Mutex<Families>>,
}

/// The kind of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug, Default)]
struct Families {
    limits: Limits,
    by_name: BTreeMap<Box<str>, Family>,
    /// The number of all series and of families without any.
    series: usize,
    overflowed: u64,
    refused: u64,
}

#[derive(Debug, Default)]
struct Family {
    /// The kind of its first series.
    kind: Option<Kind>,
    description: String,
    buckets: Option<Buckets>,
    series: BTreeMap<Labels, Handle>,
    /// The labels and the handle of the series `other`.
    overflow: Option<(Labels, Handle)>,
}

impl Instruments {
    /// Returns no instruments yet, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns no instruments yet, with these limits; `updates_per_event` has no meaning.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        let families = Families {
            limits,
            ..Families::default()
        };
        Self {
            shared: Arc::new(Mutex::new(families)),
        }
    }

    /// Returns the counter with this name and these labels.
    ///
    /// If the name belongs to another kind of instrument, the handle belongs to no series
    /// ([`InstrumentSnapshot::refused`]).
    #[must_use]
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        let (handle, _) = self.lock().handle(Kind::Counter, name, labels);
        handle.counter()
    }

    /// Returns the gauge with this name and these labels; see [`counter`](Self::counter).
    #[must_use]
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        let (handle, _) = self.lock().handle(Kind::Gauge, name, labels);
        handle.gauge()
    }

    /// Returns the histogram with this name and these labels; see
    /// [`counter`](Self::counter).
    #[must_use]
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Histogram {
        let (handle, _) = self.lock().handle(Kind::Histogram, name, labels);
        handle.histogram()
    }

    /// Sets the description of the instruments with this name.
    pub fn describe(&self, name: &str, description: &str) {
        if let Some(family) = self.lock().family(name) {
            description.clone_into(&mut family.description);
        }
    }

    /// Counts the values of histograms with this name in buckets, in addition to their
    /// quantiles. The bounds are in millionths, as those of a `duration` are
    /// microseconds. Call it before the first histogram with this name: later, it
    /// changes nothing.
    pub fn set_buckets(&self, name: &str, buckets: Buckets) {
        let mut families = self.lock();
        let family = families.family(name);
        if let Some(family) = family.filter(|family| family.series.is_empty()) {
            family.buckets = Some(buckets);
        }
    }

    /// Returns the values of all instruments.
    #[must_use]
    pub fn snapshot(&self) -> InstrumentSnapshot {
        self.lock().snapshot()
    }

    fn lock(&self) -> MutexGuard<'_, Families> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Families {
    /// Returns the family with this name, a new one if the limits allow it.
    fn family(&mut self, name: &str) -> Option<&mut Family> {
        let name = legal_name(name);
        if !self.by_name.contains_key(&*name) {
            if self.series >= self.limits.series {
                return None;
            }
            self.series += 1;
        }
        Some(self.by_name.entry(name.into()).or_default())
    }

    /// Returns the handle of a series, and whether it is of these labels alone.
    fn handle(&mut self, kind: Kind, name: &str, labels: &[(&str, &str)]) -> (Handle, bool) {
        let limits = self.limits;
        let is_full = self.series >= limits.series;
        let family = self.family(name).and_then(|family| {
            let known = *family.kind.get_or_insert(kind);
            (known == kind).then_some(family)
        });
        let Some(family) = family else {
            self.refused = self.refused.saturating_add(1);
            return (Handle::new(kind, None), false);
        };
        let labels = normalized(labels);
        if let Some(handle) = family.series.get(&labels) {
            return (handle.clone(), true);
        }
        // The first series has the place of its family.
        let is_first = family.series.is_empty();
        if is_first || !is_full && family.series.len() < limits.series_per_metric {
            let handle = Handle::new(kind, family.buckets);
            family.series.insert(labels, handle.clone());
            self.series += usize::from(!is_first);
            return (handle, true);
        }
        let buckets = family.buckets;
        let first = family.series.keys().next();
        let (_, handle) = family.overflow.get_or_insert_with(|| {
            let labels = overflow_of(first.unwrap_or(&labels));
            (labels, Handle::new(kind, buckets))
        });
        let handle = handle.clone();
        self.overflowed = self.overflowed.saturating_add(1);
        (handle, false)
    }
}

#[cfg(test)]
mod tests;
