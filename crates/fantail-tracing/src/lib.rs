//! Metrics, filters and exporters for programs that use [`tracing`], as a configuration
//! text.
//!
//! ```toml
//! [dependencies]
//! fantail-exposition = "0.1"
//! fantail-tracing = "0.1"
//! tracing = "0.1"
//! tracing-subscriber = "0.3"
//! ```
//!
//! ```
//! use fantail_exposition::Format;
//! use tracing_subscriber::prelude::*;
//!
//! const CONFIG: &str = "
//! metric requests {
//!   filter = event=request AND NOT path=\"/health\"
//!   group_by status {
//!   }
//! }
//! ";
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (layer, handle) = fantail_tracing::layer(CONFIG)?;
//!     tracing_subscriber::registry().with(layer).init();
//!
//!     tracing::info_span!("request", path = "/", status = 200).in_scope(|| {});
//!
//!     let text = String::from_utf8(handle.scrape(Format::Prometheus, Vec::new())?)?;
//!     assert!(text.contains("requests_total{status=\"200\"} 1\n"), "{text}");
//!     Ok(())
//! }
//! ```
//!
//! A span is an event with a duration when it closes. An event of `tracing` is an event
//! without one. Both inherit the fields of the spans around them, and values keep their
//! types.
//!
//! | in a filter | meaning |
//! | --- | --- |
//! | `event=request` | the name of a span, or of an event (`event!(name: "request", …)`) |
//! | `status>=500`, `user=anna*` | a field of the event or of a span around it |
//! | `message=*timeout*` | the message |
//! | `duration>1s` | the time for which a span was open |
//! | `error=*`, `error.sources=*refused*` | an error, and the errors that caused it |
//! | `level=warn`, `severity>=13` | the level; 1 is `TRACE`, 5 `DEBUG`, 9 `INFO`, 13 `WARN`, 17 `ERROR` |
//! | `target=hyper*` | the target |
//! | `span=session` | an event within a span of this name |
//! | `source_location="src/main.rs:17"` | the file and the line |
//!
//! `fantail-syntax` describes the language. A callsite that no filter can match is
//! disabled; an event that is counted takes no lock of the whole program and allocates
//! nothing.
//!
//! # Change it while the program runs
//! [`LayerHandle::reload`] takes another text; metrics that stay the same keep their counts.
//! [`LayerHandle::check`] reports names and fields that no callsite of the program has, with
//! suggestions. [`LayerHandle::explain`] says for each event why a filter matches it or not.
//!
//! # Filter another layer
//! A [`LayerFilter`] shows only some events to another layer, by the values of events
//! and of the spans around them, if needed with a sample or a rate limit:
//!
//! ```
//! # use tracing_subscriber::prelude::*;
//! let filter: fantail_tracing::LayerFilter = "severity>=13 OR user=anna".parse()?;
//! let log = tracing_subscriber::fmt::layer().with_filter(filter);
//! let _subscriber = tracing_subscriber::registry().with(log);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Export events
//! With the feature `exporters`, `event_exporter` blocks send events to files, sockets,
//! syslog, the journal or HTTP servers, from bounded queues or a spool. A [`StatsClient`]
//! sends them to `fantail serve` or Dovecot's stats process.
//!
//! # Metrics of the crate `metrics`
//! [`LayerBuilder::instruments`] adds counters, gauges and histograms that the program
//! updates itself to the scrape; `fantail_metrics::Recorder` takes them from the crate
//! `metrics`.
//!
//! [`tracing`]: https://docs.rs/tracing

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

/// The page for Rust developers, whose examples are tested here.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/start/rust.md")]
struct RustPage;

mod callsite;
mod client;
mod config;
mod filter;
mod layer;
#[cfg(shuttle)]
#[doc(hidden)]
pub mod models;
mod record;
mod sync;

pub use crate::{
    client::{ClientCounters, StatsClient},
    config::{
        error::{ConfigError, ConfigErrorKind},
        exporters::ExporterStatus,
    },
    filter::{Dropped, FilterHandle, LayerFilter},
    layer::{
        builder::{LayerBuilder, layer},
        check::{Unknown, UnknownPart},
        explain::Explain,
        handle::LayerHandle,
        probes::Explained,
        shared::SpanRecorder,
        span_recorder::{CallsiteFilter, Layer},
    },
};
