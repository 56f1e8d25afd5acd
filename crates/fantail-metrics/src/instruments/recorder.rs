//! The recorder of the crate `metrics`.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use hashbrown::HashTable;
use metrics::{HistogramFn, Key, KeyName, Metadata, SharedString, Unit};

use super::{Instruments, Kind, handles::Handle, handles::Values};

/// Parts of a table of known keys: threads of different parts do not wait for each other.
const SHARDS: usize = 16;
/// Known keys of a part; beyond, it starts again.
const MAX_KEYS: usize = 16 * 1024;

/// Takes the metrics of the crate `metrics` as [`Instruments`].
///
/// ```
/// use fantail_metrics::{Instruments, Recorder};
///
/// let instruments = Instruments::new();
/// let recorder = Recorder::new(instruments.clone());
/// // A program calls `metrics::set_global_recorder(recorder)`.
/// metrics::with_local_recorder(&recorder, || {
///     metrics::counter!("requests_total", "route" => "/").increment(1);
/// });
/// assert_eq!(instruments.counter("requests_total", &[("route", "/")]).get(), 1);
/// ```
pub struct Recorder {
    instruments: Instruments,
    counters: KnownKeys<metrics::Counter>,
    gauges: KnownKeys<metrics::Gauge>,
    histograms: KnownKeys<metrics::Histogram>,
}

/// The handles of keys that were asked for: the macros ask at each update.
struct KnownKeys<T>([RwLock<HashTable<(Key, T)>>; SHARDS]);

impl Recorder {
    /// Creates a recorder of these instruments.
    #[must_use]
    pub fn new(instruments: Instruments) -> Self {
        Self {
            instruments,
            counters: KnownKeys::default(),
            gauges: KnownKeys::default(),
            histograms: KnownKeys::default(),
        }
    }

    fn handle(&self, kind: Kind, key: &Key) -> (Handle, bool) {
        let labels: Vec<(&str, &str)> = key.labels().map(|it| (it.key(), it.value())).collect();
        self.instruments.lock().handle(kind, key.name(), &labels)
    }
}

impl<T> Default for KnownKeys<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl<T: Clone> KnownKeys<T> {
    /// Returns the handle of a key; `find` returns that of a new one, and whether it is of
    /// this key alone. Others are not kept: there is no limit for their number.
    fn get(&self, key: &Key, find: impl FnOnce() -> (T, bool)) -> T {
        let hash = key.get_hash();
        let shard = usize::try_from(hash >> 32).unwrap_or(0) % SHARDS;
        let Some(shard) = self.0.get(shard) else {
            return find().0;
        };
        {
            let known = shard.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, handle)) = known.find(hash, |(known, _)| known == key) {
                return handle.clone();
            }
        }
        let (handle, is_own) = find();
        if is_own {
            let mut known = shard.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MAX_KEYS {
                known.clear();
            }
            if known.find(hash, |(known, _)| known == key).is_none() {
                known.insert_unique(hash, (key.clone(), handle.clone()), |(key, _)| {
                    key.get_hash()
                });
            }
        }
        handle
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.instruments.describe(key.as_str(), &description);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.instruments.describe(key.as_str(), &description);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.instruments.describe(key.as_str(), &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        self.counters.get(key, || {
            let (handle, is_own) = self.handle(Kind::Counter, key);
            (metrics::Counter::from_arc(handle.counter().0), is_own)
        })
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        self.gauges.get(key, || {
            let (handle, is_own) = self.handle(Kind::Gauge, key);
            (metrics::Gauge::from_arc(handle.gauge().0), is_own)
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        self.histograms.get(key, || {
            let (handle, is_own) = self.handle(Kind::Histogram, key);
            let values: Arc<Values> = handle.histogram().0;
            (metrics::Histogram::from_arc(values), is_own)
        })
    }
}

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        Values::record(self, value);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
