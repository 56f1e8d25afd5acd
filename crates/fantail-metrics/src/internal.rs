//! What only fantail's own crates use.
//!
//! It is outside semantic versioning: any of it may change or go in any
//! release.

#![doc(hidden)]

pub use crate::label::{
    ELLIPSIS, MAX_VALUE_BYTES, OTHER, REPLACEMENT, whole_characters, write_text_key,
};
pub use crate::{
    registry::metric_view::MetricView,
    snapshot::{RunOrSeries, SeriesRun},
    store::cohort::CohortId,
};
