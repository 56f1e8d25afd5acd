//! Spans and events of `tracing` as events of fantail.

pub(crate) mod clock;
pub(crate) mod metadata;
pub(crate) mod open_span;
pub(crate) mod scratch;
pub(crate) mod slot_values;
mod visit;
pub(crate) mod wanted;
