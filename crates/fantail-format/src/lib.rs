//! Events as bytes: what an exporter sends.
//!
//! A [`Formatter`] writes a [`SentEvent`](fantail_event::SentEvent), with all
//! that it inherits, as JSON, as tab-text or as nothing, byte for byte as
//! Dovecot's stats process does (see `docs/differences.md` for what differs).
//! It reads no clock and does no I/O; transports end the line.

mod formatter;
mod json;
mod settings;
mod tab_text;
mod time_text;

pub use crate::{
    formatter::{Formatter, FormatterSettings, Moment},
    settings::{Format, Parts, TimeStyle},
};
