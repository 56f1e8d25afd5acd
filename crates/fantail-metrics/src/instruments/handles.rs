//! The handles of single series.

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::Kind;
use crate::{Buckets, Distribution};

/// Parts of a histogram: threads of different parts do not wait for each other.
const STRIPES: usize = 8;
/// Histograms count in millionths, as durations are microseconds.
const MILLIONTHS: f64 = 1_000_000.0;

/// A counter: a number that only grows. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counter(pub(super) Arc<AtomicU64>);

/// A gauge: a number that grows and shrinks. Clones have one value.
///
/// ```
/// use fantail_metrics::{Gauge, Instruments};
///
/// let instruments = Instruments::new();
/// let open: Gauge = instruments.gauge("open_files", &[]);
/// open.set(3.0);
/// open.add(-1.0);
/// assert_eq!(open.get(), 2.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gauge(pub(super) Arc<AtomicU64>);

/// A histogram: the distribution of values. Clones count together.
///
/// A value counts in millionths, rounded: `0.25` (seconds, for example) as 250,000. Negative
/// values count as 0, infinity as the largest value (1.8 · 10¹³), and NaN not at all.
///
/// ```
/// use fantail_metrics::{Histogram, InstrumentSnapshot, InstrumentValue, Instruments};
///
/// let instruments = Instruments::new();
/// let times: Histogram = instruments.histogram("request_seconds", &[("path", "/")]);
/// times.record(1.0);
/// times.record(3.0);
/// let snapshot: InstrumentSnapshot = instruments.snapshot();
/// let family = &snapshot.families()[0];
/// assert_eq!(family.name, "request_seconds");
/// let InstrumentValue::Histogram(distribution) = &family.series[0].value else { panic!() };
/// assert_eq!(distribution.count(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Histogram(pub(super) Arc<Values>);

#[derive(Debug)]
pub(super) struct Values {
    pub(super) buckets: Option<Buckets>,
    stripes: [Stripe; STRIPES],
}

/// A cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(Mutex<Counted>);

/// The values of some threads.
#[derive(Debug, Default, Clone)]
pub(super) struct Counted {
    pub(super) distribution: Distribution,
    /// The values in each bucket.
    pub(super) buckets: Box<[u64]>,
}

/// The handle of any series.
#[derive(Debug, Clone)]
pub(super) enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Counter {
    /// Adds to the counter.
    pub fn increment(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Returns the count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to the value; a negative number subtracts.
    pub fn add(&self, by: f64) {
        let add = |bits| Some((f64::from_bits(bits) + by).to_bits());
        // The closure always has a result.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Returns the value.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

impl Histogram {
    fn new(buckets: Option<Buckets>) -> Self {
        Self(Arc::new(Values {
            buckets,
            stripes: Default::default(),
        }))
    }

    /// Adds a value.
    pub fn record(&self, value: f64) {
        self.0.record(value);
    }
}

impl Values {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` keeps the number within the range"
    )]
    pub(super) fn record(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let value = (value * MILLIONTHS).round() as u64;
        let Some(stripe) = self.stripes.get(stripe_of_thread() % STRIPES) else {
            return;
        };
        let mut counted = stripe.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.distribution.record(value);
        if let Some(buckets) = self.buckets {
            if counted.buckets.is_empty() {
                counted.buckets = empty(buckets);
            }
            let bucket = buckets.bucket(i64::try_from(value).unwrap_or(i64::MAX));
            let bucket = usize::try_from(bucket).unwrap_or(usize::MAX);
            if let Some(count) = counted.buckets.get_mut(bucket) {
                *count += 1;
            }
        }
    }

    /// Returns the values of all threads.
    pub(super) fn merged(&self) -> Counted {
        let mut all = Counted {
            distribution: Distribution::new(),
            buckets: self.buckets.map(empty).unwrap_or_default(),
        };
        for stripe in &self.stripes {
            let counted = stripe.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.distribution.merge(&counted.distribution);
            for (all, count) in all.buckets.iter_mut().zip(&counted.buckets) {
                *all += count;
            }
        }
        all
    }
}

impl Handle {
    pub(super) fn new(kind: Kind, buckets: Option<Buckets>) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Counter::default()),
            Kind::Gauge => Self::Gauge(Gauge::default()),
            Kind::Histogram => Self::Histogram(Histogram::new(buckets)),
        }
    }

    pub(super) fn counter(self) -> Counter {
        match self {
            Self::Counter(counter) => counter,
            Self::Gauge(_) | Self::Histogram(_) => {
                debug_assert!(false, "a family has one kind");
                Counter::default()
            }
        }
    }

    pub(super) fn gauge(self) -> Gauge {
        match self {
            Self::Gauge(gauge) => gauge,
            Self::Counter(_) | Self::Histogram(_) => {
                debug_assert!(false, "a family has one kind");
                Gauge::default()
            }
        }
    }

    pub(super) fn histogram(self) -> Histogram {
        match self {
            Self::Histogram(histogram) => histogram,
            Self::Counter(_) | Self::Gauge(_) => {
                debug_assert!(false, "a family has one kind");
                Histogram::new(None)
            }
        }
    }
}

fn empty(buckets: Buckets) -> Box<[u64]> {
    (0..buckets.count()).map(|_| 0).collect()
}

/// Returns the number of this thread: threads are numbered in turn.
fn stripe_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    }
    NUMBER.get().unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NUMBER.set(Some(number));
        number
    })
}
