//! The fields of `tracing`, with their types.

use std::{error::Error, fmt};

use fantail_event::ValueRef;
use tracing_core::field::{Field, Visit};

/// Takes the fields of an event or a span.
pub(super) trait Fields {
    fn set(&mut self, field: &Field, value: ValueRef<'_>);

    fn set_str(&mut self, field: &Field, value: &str) {
        self.set(field, ValueRef::from(value));
    }

    /// Sets a value that is formatted. Formatting may send events: nothing may be
    /// borrowed from the thread or locked.
    fn format(&mut self, field: &Field, value: fmt::Arguments<'_>);

    /// Sets the sources of an error, at least one.
    fn set_sources(&mut self, field: &Field, error: &(dyn Error + 'static));
}

/// Shows the fields that `tracing` visits.
pub(super) struct Visitor<F>(pub(super) F);

impl<F: Fields> Visit for Visitor<F> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.set_str(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.set(field, ValueRef::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.set(field, ValueRef::from(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.0.set(field, ValueRef::Int(value)),
            (_, Ok(value)) => self.0.set(field, ValueRef::Unsigned(value)),
            _ => self.0.format(field, format_args!("{value}")),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.0.set(field, ValueRef::from(value)),
            Err(_) => self.0.format(field, format_args!("{value}")),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.set(field, ValueRef::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.set(field, ValueRef::Bool(value));
    }

    /// The error as text, and a list of the texts of its sources.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.format(field, format_args!("{value}"));
        if value.source().is_some() {
            self.0.set_sources(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.format(field, format_args!("{value:?}"));
    }
}
