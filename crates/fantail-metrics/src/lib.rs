//! Metrics as Dovecot's stats process keeps them, in bounded memory.
//!
//! A [`Registry`] holds metrics, each with the [distribution](Distribution) of
//! the events' durations and of chosen fields, for all events and for each
//! sub-metric that `group_by` makes. A [`Snapshot`] of it is merged with those
//! of other shards, written as a dump or scrape (by fantail-exposition), or
//! saved for the time after a restart ([`state`]).
//!
//! Filters are not known here, no clock is read, and nothing is sent anywhere.
//! What differs from Dovecot: sums and counts never wrap, median and
//! percentiles are within 1 % beyond 480 values (Dovecot's are random), every
//! integer has a bucket, values of different types with the same text share a
//! series, and the number of series has [`Limits`].

mod distribution;
mod encoding;
mod error;
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
    label::Label,
    limits::Limits,
    registry::{MetricId, Registry},
    settings::{
        Buckets, Exponential, GroupBy, Linear, Method, MethodError, MetricSettings, Modifier,
    },
    snapshot::{MetricSnapshot, Series, SeriesList, Snapshot},
    store::exemplar::Exemplar,
};
