//! Items for fantail's own crates.
//!
//! They are outside semantic versioning: any release may change or remove them.

#![doc(hidden)]

pub use crate::label::{
    ELLIPSIS, MAX_VALUE_BYTES, OTHER, REPLACEMENT, long_value, whole_characters, write_text_key,
};
pub use crate::{
    registry::metric_view::MetricView,
    snapshot::{RunOrSeries, SeriesRun},
    store::cohort::CohortId,
};
