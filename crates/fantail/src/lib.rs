//! Dovecot's event system as a library.
//!
//! This crate is the front door: every part of fantail under one name, and
//! no logic of its own. A part alone is a crate of its own, too.
//!
//! | you want to | look at | feature |
//! | --- | --- | --- |
//! | have events, with fields, categories and parents | [`event`] | always there |
//! | match your own events with Dovecot's filter language | [`filter`], [`event::EventView`] | `filter` |
//! | match JSON values with it | [`filter`] | `serde_json`, not by default |
//! | parse and print filters, and no more | [`syntax`] | `syntax` |
//! | read what Dovecot's processes send | [`wire`], [`event`] | `wire` |
//! | count, sum and sort events into buckets | [`metrics`] | `metrics` |
//! | answer a scrape with OpenMetrics or Prometheus text | [`exposition`] | `exposition` |
//! | add up the metrics of many hosts | [`fleet`] | `fleet` |
//! | write events as JSON or tab-text | [`format`](mod@format) | `format` |
//! | send bytes to a log, a file, a server | [`transport`] | `transport` |
//! | read a dovecot.conf | [`config`] | `config` |
//! | know Dovecot's events, and check a dovecot.conf against them | [`lint`] | `lint` |
//! | do all of it at once | [`engine`] | `engine` |
//! | count, filter and export the events of a program that uses the crate `tracing` | `tracing` | `tracing`, not by default |
//! | take the place of Dovecot's stats process | `server` | `server`, not by default |
//!
//! Each feature brings the parts whose types its own speaks: `config` brings
//! `filter`, `format` and `metrics`. All are there by default but those that
//! say otherwise. A program that wants one part takes no other:
//!
//! ```toml
//! [dependencies]
//! fantail = { version = "0.1", default-features = false, features = ["filter"] }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "config")]
pub use fantail_config as config;
#[cfg(feature = "engine")]
pub use fantail_engine as engine;
pub use fantail_event as event;
#[cfg(feature = "exposition")]
pub use fantail_exposition as exposition;
#[cfg(feature = "filter")]
pub use fantail_filter as filter;
#[cfg(feature = "fleet")]
pub use fantail_fleet as fleet;
#[cfg(feature = "format")]
pub use fantail_format as format;
#[cfg(feature = "lint")]
pub use fantail_lint as lint;
#[cfg(feature = "metrics")]
pub use fantail_metrics as metrics;
#[cfg(feature = "server")]
pub use fantail_server as server;
#[cfg(feature = "syntax")]
pub use fantail_syntax as syntax;
#[cfg(feature = "tracing")]
pub use fantail_tracing as tracing;
#[cfg(feature = "transport")]
pub use fantail_transport as transport;
#[cfg(feature = "wire")]
pub use fantail_wire as wire;
