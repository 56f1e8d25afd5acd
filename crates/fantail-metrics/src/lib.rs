//! Metrics of Dovecot's stats process, in bounded memory.
//!
//! A [`Registry`] contains metrics. Each has the [distribution](Distribution)
//! of the events' durations and of configured fields, for all events and for
//! each sub-metric of `group_by`. A [`Snapshot`] of a registry can be merged
//! with those of other shards, written as a dump or scrape (by
//! fantail-exposition), or saved across a restart ([`state`]).
//!
//! [`Instruments`] are counters, gauges and histograms that a program updates
//! itself, without events.
//!
//! The crate has no filters, reads no clock, and sends nothing. It differs from
//! Dovecot: sums and counts never wrap, median and percentiles are within 1 %
//! above 480 values (Dovecot's are random), every integer has a bucket, values
//! of different types with the same text share a series, and [`Limits`] bound
//! the number of series.
//!
//! ```
//! use fantail_event::{Dialect, Event, SentEvent, Timestamp};
//! use fantail_metrics::{MetricSettings, Registry};
//!
//! let mut registry = Registry::new(Dialect::V2_4);
//! let logins = registry.add(MetricSettings {
//!     name: b"logins".to_vec(),
//!     fields: vec![b"attempts".to_vec()],
//!     ..MetricSettings::default()
//! })?;
//! let created = Timestamp::from_unix_micros(0);
//! for attempts in [1_i64, 3] {
//!     let event = Event::builder(created).field("attempts", attempts).build()?;
//!     registry.observe(logins, &SentEvent::alone(&event));
//! }
//! let snapshot = registry.snapshot();
//! let series = snapshot.metrics()[0].series().get(0).ok_or("the metric itself")?;
//! assert_eq!(series.duration().count(), 2);
//! assert_eq!(series.fields()[0].sum(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod distribution;
mod encoding;
mod error;
mod heavy_hitters;
mod instruments;
pub mod internal;
mod label;
mod limits;
mod registry;
mod settings;
mod snapshot;
pub mod state;
mod store;

pub use crate::{
    distribution::{Distribution, Percentile, Quantiles},
    error::{RegistryError, RegistryErrorKind},
    heavy_hitters::{HeavyHitter, HeavyHitters},
    instruments::{
        Counter, Gauge, Histogram, InstrumentFamily, InstrumentSeries, InstrumentSnapshot,
        InstrumentValue, Instruments,
    },
    label::Label,
    limits::Limits,
    registry::{MetricId, Registry, SeriesMemory},
    settings::{
        Buckets, Exponential, GroupBy, Linear, Method, MethodError, MetricRules, MetricSettings,
        Modifier, Top, TopError,
    },
    snapshot::{MetricSnapshot, Series, SeriesList, Snapshot},
    store::exemplar::Exemplar,
};

#[cfg(feature = "facade")]
pub use crate::instruments::Recorder;
