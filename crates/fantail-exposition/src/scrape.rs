//! Scrapes in the two valid formats, OpenMetrics and Prometheus text.

pub(crate) mod escape;
mod exemplar;
mod exposition;
mod family;
mod format;
mod histogram;
mod instruments;
mod labels;
pub(crate) mod name;
mod points;
mod samples;
mod series_limits;
mod snapshot;
mod top;

pub(crate) use self::snapshot::histogram_of;
pub use self::{
    exposition::{Exposition, ExpositionOptions, LeftOut, SkipReason},
    family::{Family, Kind},
    format::{Format, takes_gzip},
    samples::{Number, Samples},
};
