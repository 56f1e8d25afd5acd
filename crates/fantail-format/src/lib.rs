//! Formatters: events as the bytes that an exporter sends.
//!
//! A [`Formatter`] writes an [`EffectiveEvent`](fantail_event::EffectiveEvent), an
//! event with all that it inherits, in one of the [`Format`]s. `json`, `tab-text`
//! and `none` are those of Dovecot, byte for byte (`docs/differences.md` lists the
//! exceptions); `ndjson`, `logfmt`, `journal`, `structured-data` and
//! `otlp` are new.
//! [`FieldRules`] leave fields out, hash or shorten them; [`EventIds`] give each
//! export an id. An [`EventFormatter`] adds a format.
//!
//! The crate reads no clock and does no I/O. Transports end the line.
//!
//! ```
//! use fantail_event::{Dialect, EffectiveBuffers, Event, SentEvent, Timestamp};
//! use fantail_format::{ExportContext, Format, Formatter, FormatterSettings, Parts, TimeStyle};
//!
//! let formatter = Formatter::new(FormatterSettings {
//!     time_style: TimeStyle::Unix,
//!     parts: Parts { hostname: false, categories: false, ..Parts::ALL },
//!     ..FormatterSettings::new(Format::Json, Dialect::V2_4)
//! });
//! let received_at = Timestamp::from_unix_micros(1_795_328_191_200_093);
//! let event = Event::builder(received_at).name("login").field("user", "anna").build()?;
//! let (mut buffers, mut out) = (EffectiveBuffers::new(), Vec::new());
//! let sent = SentEvent::alone(&event);
//! let context = ExportContext { host: b"mail1", received_at };
//! formatter.write(&buffers.gather(&sent), context, &mut out);
//! let expected = concat!(
//!     r#"{"event":"login","start_time":1795328191.200093,"end_time":1795328191.200093,"#,
//!     r#""fields":{"user":"anna","duration":0}}"#,
//! );
//! assert_eq!(String::from_utf8(out)?, expected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod event_ids;
mod export;
mod format;
mod formats;
mod formatter;
mod rules;
mod secret;
mod settings;
mod text;

pub use crate::{
    event_ids::EventIds,
    format::Format,
    formatter::{EventFormatter, ExportContext, Formatter, FormatterSettings},
    rules::{FieldRules, KeyPattern, Mask},
    secret::HashKey,
    settings::{Parts, TimeStyle},
};
