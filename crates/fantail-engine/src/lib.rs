//! Events in; metrics updated, exporters fed.
//!
//! An [`Engine`] is a configuration at work. For each event it asks every
//! metric's filter, updates the metrics that match, and hands what their
//! exporters write to an [`ExportSink`]. It opens no socket and no file and
//! reads no clock: whoever feeds it says what time it is.

mod engine;
mod export;
mod fast;

pub use crate::{
    engine::{Engine, EngineError},
    export::{ExportSink, ExporterId},
};
