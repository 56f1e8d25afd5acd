//! The layer and its handle.

pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod handle;
pub(crate) mod probes;
pub(crate) mod shared;
pub(crate) mod span_recorder;
