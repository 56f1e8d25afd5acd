//! Scrapes in the valid formats, OpenMetrics, Prometheus text and protobuf, and pushes in
//! remote write and OTLP.

mod bounds;
mod encoder;
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
mod native_buckets;
mod otlp;
mod points;
mod protobuf;
mod remote_write;
mod samples;
mod series_limits;
mod snapshot;
mod top;
mod value;
mod wire;

pub(crate) use self::snapshot::histogram_of;
pub use self::{
    exposition::{Exposition, ExpositionOptions, LeftOut, SkipReason},
    family::{Family, Kind},
    format::{Format, takes_gzip},
    samples::{Number, Samples},
};
