//! Dovecot's event system as a library.
//!
//! This crate is the front door: every part of fantail under one name, and
//! no logic of its own. A part alone is a crate of its own, too.
//!
//! | you want to | look at |
//! | --- | --- |
//! | match your own events with Dovecot's filter language | [`filter`], [`event::EventView`] |
//! | read what Dovecot's processes send | [`wire`], [`event`] |
//! | count, sum and sort events into buckets | [`metrics`] |
//! | answer a scrape with OpenMetrics or Prometheus text | [`openmetrics`] |
//! | write events as JSON or tab-text | [`format`](mod@format) |
//! | send bytes to a log or a file | [`transport`] |
//! | read a dovecot.conf | [`config`] |
//! | know Dovecot's events, and check a dovecot.conf against them | [`lint`] |
//! | do all of it at once | [`engine`] |
//! | take the place of Dovecot's stats process | `server` (with the feature of that name) |

pub use fantail_config as config;
pub use fantail_engine as engine;
pub use fantail_event as event;
pub use fantail_filter as filter;
pub use fantail_format as format;
pub use fantail_lint as lint;
pub use fantail_metrics as metrics;
pub use fantail_openmetrics as openmetrics;
#[cfg(feature = "server")]
pub use fantail_server as server;
pub use fantail_syntax as syntax;
pub use fantail_transport as transport;
pub use fantail_wire as wire;
