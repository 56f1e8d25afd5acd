//! Scrapes in the valid formats: OpenMetrics, Prometheus text and protobuf.

pub(crate) mod escape;
mod exemplar;
mod exposition;
mod family;
mod format;
mod histogram;
mod instruments;
mod labels;
pub(crate) mod name;
mod native;
mod points;
mod protobuf;
mod samples;
mod series_limits;
mod snapshot;
mod top;
mod value;

pub(crate) use self::snapshot::histogram_of;
pub use self::{
    exposition::{Exposition, ExpositionOptions, LeftOut, SkipReason},
    family::{Family, Kind},
    format::{Format, takes_gzip},
    samples::{Number, Samples},
};
