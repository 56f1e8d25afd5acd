//! Items for fantail's own crates.
//!
//! They are outside semantic versioning: any release may change or remove them.

#![doc(hidden)]

pub use crate::encoding::{Decoder, Encoder, Malformed};
pub use crate::label::{
    ELLIPSIS, MAX_VALUE_BYTES, OTHER, REPLACEMENT, hash, long_value, whole_characters,
    write_text_key,
};
pub use crate::settings::check_all;
pub use crate::state::{read_limited, settings_bytes};
pub use crate::{
    registry::metric_view::MetricView,
    snapshot::{
        RunOrSeries, SeriesRun,
        parts::{epoch, join, merge, of_metrics, pick, share_settings, subset, union},
    },
    store::cohort::CohortId,
};
