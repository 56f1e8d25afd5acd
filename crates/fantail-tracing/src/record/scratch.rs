//! Records spans and events of `tracing` as events of fantail.

use std::{cell::Cell, error::Error, fmt, fmt::Write as _};

use fantail_event::{ElementSource, Elements, Event, Timestamp, TooLarge, ValueRef};
use tracing_core::{
    Metadata,
    field::{Field, Visit},
    span::{Attributes, Record},
};

use super::{
    metadata::{LEVEL, SEVERITY, SPAN, TARGET, key_of, name_of, severity_of, source_of},
    wanted::Wanted,
};

/// Formatted values are kept up to this size; the memory of larger ones is freed.
const MAX_KEPT_TEXT_BYTES: usize = 64 * 1024;

/// Buffers of a thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) event: Event,
    /// A value while it is formatted.
    text: String,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Calls `record` with the buffers of this thread. An event within an event, from the
/// `Debug` of a value, gets buffers of its own.
pub(crate) fn with_scratch<R>(record: impl FnOnce(&mut Scratch) -> R) -> R {
    // A thread that ends has no buffers.
    let kept = SCRATCH.try_with(Cell::take).ok().flatten();
    let mut scratch = kept.unwrap_or_default();
    let result = record(&mut scratch);
    if scratch.text.capacity() <= MAX_KEPT_TEXT_BYTES {
        let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
    }
    result
}

impl Scratch {
    /// Records an event.
    pub(crate) fn record_event(
        &mut self,
        event: &tracing_core::Event<'_>,
        wanted: &Wanted,
        time: Timestamp,
    ) -> Result<(), TooLarge> {
        self.begin(event.metadata(), wanted, time)?;
        self.event.set_sent(time);
        self.record(wanted, |recorder| event.record(recorder))
    }

    /// Records a new span.
    pub(crate) fn record_span(
        &mut self,
        attributes: &Attributes<'_>,
        wanted: &Wanted,
        time: Timestamp,
    ) -> Result<(), TooLarge> {
        self.begin(attributes.metadata(), wanted, time)?;
        self.record(wanted, |recorder| attributes.record(recorder))
    }

    /// Records only the values that a span gets later.
    pub(crate) fn record_values(
        &mut self,
        values: &Record<'_>,
        wanted: &Wanted,
        time: Timestamp,
    ) -> Result<(), TooLarge> {
        self.event.restart(time);
        self.record(wanted, |recorder| values.record(recorder))
    }

    /// Begins with an event of a callsite: its name, source and built-in fields.
    fn begin(
        &mut self,
        metadata: &Metadata<'_>,
        wanted: &Wanted,
        created: Timestamp,
    ) -> Result<(), TooLarge> {
        let event = &mut self.event;
        event.restart(created);
        if let Some(name) = name_of(metadata) {
            event.set_name(name.as_bytes())?;
        }
        if wanted.has_source()
            && let Some(source) = source_of(metadata)
        {
            event.set_source(source.file, source.line)?;
        }
        let level = *metadata.level();
        let built_in = [
            (TARGET, ValueRef::from(metadata.target())),
            (LEVEL, ValueRef::from(level.as_str())),
            (SEVERITY, ValueRef::Int(severity_of(level))),
        ];
        for (key, value) in built_in {
            if wanted.has_built_in(key) {
                event.set(key.as_bytes(), value)?;
            }
        }
        if metadata.is_span() && wanted.has_built_in(SPAN) {
            let name = OneElement(metadata.name());
            event.set(SPAN.as_bytes(), ValueRef::List(Elements::of(&name, 0)))?;
        }
        Ok(())
    }

    /// Sets the fields that `visit` shows.
    fn record(
        &mut self,
        wanted: &Wanted,
        visit: impl FnOnce(&mut Recorder<'_>),
    ) -> Result<(), TooLarge> {
        let mut recorder = Recorder {
            scratch: self,
            wanted,
            result: Ok(()),
        };
        visit(&mut recorder);
        recorder.result
    }
}

/// A list of one string.
struct OneElement<'a>(&'a str);

impl ElementSource for OneElement<'_> {
    fn any_element(&self, _list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        test(self.0.as_bytes())
    }
}

/// Sets the fields of an event.
struct Recorder<'a> {
    scratch: &'a mut Scratch,
    wanted: &'a Wanted,
    result: Result<(), TooLarge>,
}

impl Recorder<'_> {
    fn set(&mut self, field: &Field, value: ValueRef<'_>) {
        let key = key_of(field.name());
        if self.wanted.has(key) {
            let set = self.scratch.event.set(key.as_bytes(), value);
            self.result = self.result.and(set);
        }
    }

    fn format(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let key = key_of(field.name());
        if !self.wanted.has(key) {
            return;
        }
        // The value may send events: nothing is borrowed or locked while it is formatted.
        let text = &mut self.scratch.text;
        text.clear();
        // What is written until an error is the value.
        let _ = text.write_fmt(value);
        let set = self
            .scratch
            .event
            .set(key.as_bytes(), ValueRef::from(&*text));
        self.result = self.result.and(set);
    }
}

impl Visit for Recorder<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, ValueRef::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, ValueRef::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, ValueRef::from(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.set(field, ValueRef::Int(value)),
            (_, Ok(value)) => self.set(field, ValueRef::Unsigned(value)),
            _ => self.format(field, format_args!("{value}")),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.set(field, ValueRef::from(value)),
            Err(_) => self.format(field, format_args!("{value}")),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, ValueRef::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, ValueRef::Bool(value));
    }

    /// The error as text, and a list of the texts of its sources.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.format(field, format_args!("{value}"));
        if value.source().is_none() {
            return;
        }
        let key = format!("{}.sources", key_of(field.name()));
        if self.wanted.has(&key) {
            let chain = std::iter::successors(value.source(), |&error| error.source());
            let texts: Vec<String> = chain.map(ToString::to_string).collect();
            let list = ValueRef::List(Elements::of(&texts, 0));
            let set = self.scratch.event.set(key.as_bytes(), list);
            self.result = self.result.and(set);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.format(field, format_args!("{value:?}"));
    }
}
