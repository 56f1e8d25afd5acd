//! Metrics as text: scrapes and dumps of a snapshot.
//!
//! Scrapes have three layouts: [OpenMetrics 1.0 and Prometheus text
//! 0.0.4](Format), which are valid and have the same families, and [Dovecot's
//! own](dovecot), which is not valid, for dashboards that need it. [`dump`] writes
//! the table of `doveadm stats dump` and the answer of the stats-reader socket.
//! Nothing here opens a socket or reads a clock; everything is written to an
//! [`io::Write`](std::io::Write) in chunks of about 64 KB.
//!
//! # The families
//! The names are Dovecot's, where those can be valid. A metric `imap_cmd`
//! has:
//!
//! | name | what |
//! | --- | --- |
//! | `dovecot_imap_cmd_total` | events |
//! | `dovecot_imap_cmd_duration_seconds_total` | their durations together, exact |
//! | `dovecot_imap_cmd_FIELD_total` | the values of a field together |
//!
//! If the last level of `group_by`, and no other, is quantized, there is a
//! histogram in place of the first two: `dovecot_imap_cmd_bucket`, `_sum` and
//! `_count`. Its bounds and sum are those of its own field: seconds for the
//! duration, for others the values as they are. Without negative values, that
//! is: with some, `_sum` would not only grow, and is left out (in OpenMetrics
//! with `_count`, which it does not have alone).
//!
//! A metric whose name is not `[a-zA-Z_:][a-zA-Z0-9_:]*` is left out:
//! administrators use names like `log/all` for that. So is one whose samples
//! would have the names of others; [`Exposition::finish`] reports both.
//!
//! # The labels
//! Each level of `group_by` is a label with the name of its field (`_` for
//! what is illegal in it; a number behind names that are reserved or taken).
//! Its value is [`Label::text`](fantail_metrics::Label::text): any bytes in,
//! valid UTF-8 out, no two values alike.
//!
//! Only the innermost sub-metrics are samples, where Dovecot also gives those
//! above: so no event is counted twice in a family, and `sum()` is right:
//!
//! ```text
//! dovecot_imap_cmd_total{cmd_name="SELECT",tagged_reply_state="OK"} 75
//! dovecot_imap_cmd_total{cmd_name="SELECT",tagged_reply_state="NO"} 15
//! ```
//!
//! `sum by (cmd_name) (dovecot_imap_cmd_total)` is what Dovecot calls
//! `dovecot_imap_cmd_total{cmd_name="SELECT"}`, and the sum of all is its
//! `dovecot_imap_cmd_count`. An event with a list counts once for each element
//! there; Dovecot counts so, too. An event without a value of some level has
//! no such label (an empty one is none).
//!
//! # Exemplars
//! If a registry [keeps exemplars](fantail_metrics::Registry::keep_exemplars),
//! the buckets of histograms and the counters of events and durations tell
//! their last event in OpenMetrics, with that event's own value and time. Its
//! label and value may have 128 characters together; a longer one is left out.
//!
//! ```text
//! dovecot_logins_total 12 # {session="B1xZ"} 1 1700000000.250000
//! ```
//!
//! ```
//! use fantail_event::Dialect;
//! use fantail_metrics::{MetricSettings, Registry};
//! use fantail_exposition::{Exposition, Family, Format, Kind, ExpositionOptions};
//!
//! let mut registry = Registry::new(Dialect::V2_4);
//! registry.add(MetricSettings {
//!     name: b"logins".to_vec(),
//!     description: b"logins".to_vec(),
//!     ..MetricSettings::default()
//! })?;
//!
//! let mut answer = Exposition::new(Vec::new(), ExpositionOptions::new(Format::OpenMetrics));
//! answer.snapshot(&registry.snapshot())?;
//! let lines = Family {
//!     name: "fantail_lines_read",
//!     kind: Kind::Counter,
//!     help: "Lines read from clients",
//!     unit: None,
//! };
//! answer.family(&lines, |samples| samples.add(&[("worker", "0")], 12))?;
//! let (text, left_out) = answer.finish()?;
//! assert_eq!(
//!     String::from_utf8_lossy(&text),
//!     r#"# HELP dovecot_logins Total number of all events of this kind of logins
//! ## TYPE dovecot_logins counter
//! dovecot_logins_total 0
//! ## HELP dovecot_logins_duration_seconds Total duration of all events of this kind of logins
//! ## TYPE dovecot_logins_duration_seconds counter
//! ## UNIT dovecot_logins_duration_seconds seconds
//! dovecot_logins_duration_seconds_total 0.000000
//! ## HELP fantail_lines_read Lines read from clients
//! ## TYPE fantail_lines_read counter
//! fantail_lines_read_total{worker="0"} 12
//! ## EOF
//! "#
//! );
//! assert_eq!(left_out, []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod dovecot;
pub mod dump;
mod scrape;
mod text;

pub use crate::scrape::{
    Exposition, ExpositionOptions, Family, Format, Kind, LeftOut, Number, Samples, SkipReason,
    takes_gzip,
};
