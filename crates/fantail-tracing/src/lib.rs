//! Metrics, filters and exporters for programs that use [`tracing`], as a configuration
//! text.
//!
//! ```
//! use fantail_exposition::Format;
//! use tracing_subscriber::prelude::*;
//!
//! let (layer, handle) = fantail_tracing::layer(
//!     "metric requests {\n  filter = event=request\n  group_by status {\n  }\n}\n",
//! )?;
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     let request = tracing::info_span!("request", user = "anna", status = tracing::field::Empty);
//!     request.record("status", 200);
//! });
//! let text = String::from_utf8(handle.scrape(Format::Prometheus, Vec::new())?)?;
//! assert!(text.contains("requests_total{status=\"200\"} 1\n"), "{text}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`tracing`]: https://docs.rs/tracing

#![forbid(unsafe_code)]

/// The page for Rust developers, whose examples are tested here.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/start/rust.md")]
struct RustPage;

mod builder;
mod callsites;
mod check;
mod client;
mod clock;
mod config;
mod error;
mod explain;
mod exporters;
mod handle;
mod layer;
mod layer_filter;
mod metadata;
mod record;
mod shared;
mod span;
mod verdict;
mod wanted;

pub use crate::{
    builder::{LayerBuilder, layer},
    check::{Unknown, UnknownPart},
    client::{ClientCounters, StatsClient},
    error::{ConfigError, ConfigErrorKind},
    explain::{Explain, Explained},
    exporters::ExporterStatus,
    handle::Handle,
    layer::{CallsiteFilter, Layer, SpanRecorder},
    layer_filter::{Dropped, FilterHandle, LayerFilter},
};
