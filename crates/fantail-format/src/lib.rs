//! Events as bytes: what an exporter sends.
//!
//! A [`Formatter`] writes an [`EffectiveEvent`](fantail_event::EffectiveEvent), an event with
//! all that it inherits, in one of the [`Format`]s: JSON, tab-text and nothing
//! byte for byte as Dovecot's stats process does (see `docs/differences.md`
//! for what differs); flat NDJSON, logfmt and entries of the systemd journal
//! besides. [`FieldRules`] leave fields out, hash or shorten them;
//! [`EventIds`] tell what is written from all else that is. It reads
//! no clock and does no I/O; transports end the line.

mod event_ids;
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
