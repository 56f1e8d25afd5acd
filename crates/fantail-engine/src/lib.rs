//! Events in; metrics updated, exporters fed.
//!
//! An [`Engine`] is a configuration at work. For each event it asks every
//! metric's filter, updates the metrics that match, and hands what their
//! exporters write to an [`ExportSink`]. A [`Plan`] is the configuration
//! compiled, which several engines share: a program has one engine for each of
//! its threads, and merges their snapshots. It opens no socket and no file and
//! reads no clock: whoever feeds it says what time it is.

mod engine;
mod export;
mod fast;
mod plan;
mod series;

pub use crate::{
    engine::{Counters, Engine, EngineError},
    export::{ExportSink, ExporterId},
    plan::Plan,
};
