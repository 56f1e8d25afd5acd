//! Metrics as text: scrapes and dumps of a snapshot.
//!
//! Scrapes have four layouts: [OpenMetrics 1.0, Prometheus text 0.0.4 and
//! protobuf](Format), which are valid and have the same families, and [Dovecot's
//! own](dovecot), which is not valid, for dashboards that need it. [`dump`]
//! writes the table of `doveadm stats dump` and the answer of the stats-reader
//! socket. The crate opens no socket and reads no clock; it writes to an
//! [`io::Write`](std::io::Write) in chunks of about 64 KB.
//!
//! # The families
//! The names are Dovecot's if those are valid. A metric `imap_cmd` has:
//!
//! | name | what |
//! | --- | --- |
//! | `dovecot_imap_cmd_total` | events |
//! | `dovecot_imap_cmd_duration_seconds_total` | their durations together, exact |
//! | `dovecot_imap_cmd_FIELD_total` | the values of a field together; not of `duration` |
//!
//! If the last level of `group_by` is quantized and no other, a histogram
//! replaces the first two: `dovecot_imap_cmd_bucket`, `_sum` and `_count`. Its
//! bounds and sum are those of its own field: seconds for the duration,
//! unchanged values for other fields. If values are negative, `_sum` could
//! decrease, so it is omitted; OpenMetrics then also omits `_count`, which
//! requires `_sum`.
//!
//! The [heavy hitters](fantail_metrics::HeavyHitters) of a metric are gauges
//! `dovecot_imap_cmd_top` with a label for each value, `_top_error` with the maximum
//! error of each, and `_top_others` with the maximum of any other value; the counter
//! `_top_weight_total` is the exact sum of all.
//!
//! A metric whose name is not `[a-zA-Z_:][a-zA-Z0-9_:]*` is omitted:
//! administrators use names like `log/all` for this purpose. A metric whose
//! samples would have the names of another is omitted too;
//! [`Exposition::finish`] reports both.
//!
//! # The labels
//! Each level of `group_by` is a label with the name of its field. Illegal
//! characters become `_`, and a name that is reserved or used gets a number.
//! The value is [`Label::text`](fantail_metrics::Label::text): valid UTF-8 for
//! any bytes, and different for different values.
//!
//! Only the innermost sub-metrics are samples. Dovecot also exposes their
//! ancestors; without them, no event is counted twice in a family, and `sum()`
//! is correct:
//!
//! ```text
//! dovecot_imap_cmd_total{cmd_name="SELECT",tagged_reply_state="OK"} 75
//! dovecot_imap_cmd_total{cmd_name="SELECT",tagged_reply_state="NO"} 15
//! ```
//!
//! `sum by (cmd_name) (dovecot_imap_cmd_total)` is Dovecot's
//! `dovecot_imap_cmd_total{cmd_name="SELECT"}`, and the sum of all is its
//! `dovecot_imap_cmd_count`. As in Dovecot, an event with a list counts once
//! for each element. An event without a value of a level has no such label (an
//! empty label is none).
//!
//! # Native histograms
//! Protobuf has native histograms of schema 3 (eight buckets for each power of two) of
//! the durations (`dovecot_imap_cmd_duration_seconds`) and of each field
//! (`dovecot_imap_cmd_FIELD`), after all other families. Their names are those of the
//! counters of their sums without `_total`. Histograms with classic buckets are the same
//! in all formats.
//!
//! A bucket is 9 % wide. A distribution counts values in bins, and the value that
//! [represents](fantail_metrics::Distribution::each_bin) a bin decides about the bucket,
//! from the first value on. So no bucket ever decreases, and a value is at most 1 %
//! beyond the bounds of its bucket. Negative integers count as 2⁶⁴ minus their amount, as
//! in the sums.
//!
//! # Exemplars
//! If a registry [keeps exemplars](fantail_metrics::Registry::keep_exemplars),
//! the buckets of histograms and the counters of events and durations have
//! their last event as an exemplar in OpenMetrics and protobuf, with the event's own
//! value and time. Label and value together may have 128 characters; a longer
//! exemplar is omitted.
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
//!     description: b"logins of users".to_vec(),
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
//!     r#"# HELP dovecot_logins Events of the metric logins: logins of users
//! ## TYPE dovecot_logins counter
//! dovecot_logins_total 0
//! ## HELP dovecot_logins_duration_seconds Seconds taken by the events of the metric logins: logins of users
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
