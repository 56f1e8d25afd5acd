//! The formats, a file each.

pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod logfmt;
pub(crate) mod ndjson;
pub(crate) mod none;
pub(crate) mod otlp;
pub(crate) mod structured;
pub(crate) mod tab_text;
