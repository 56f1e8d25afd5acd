//! Records spans and events of `tracing` as events of fantail.

use std::{cell::Cell, error::Error, fmt, fmt::Write as _};

use fantail_event::{ElementSource, Elements, Event, Timestamp, TooLarge, ValueRef};
use tracing_core::{
    Metadata,
    field::{Field, Visit},
    span::{Attributes, Record},
};

use super::{
    metadata::{LEVEL, SEVERITY, SOURCES, SPAN, TARGET, key_of, name_of, severity_of, source_of},
    slot_values::SlotValues,
    visit::{Fields, Visitor},
    wanted::{self, Wanted},
};

/// Formatted values are kept up to this size; the memory of larger ones is freed.
const MAX_KEPT_TEXT_BYTES: usize = 64 * 1024;

/// Buffers of a thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) event: Event,
    /// The values of an event that is only counted.
    pub(crate) values: SlotValues,
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
    let texts = [scratch.text.capacity(), scratch.values.text_capacity()];
    if texts.into_iter().all(|bytes| bytes <= MAX_KEPT_TEXT_BYTES) {
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

    /// Records all fields of a new span, without what its callsite has.
    pub(crate) fn record_span(&mut self, attributes: &Attributes<'_>) -> Result<(), TooLarge> {
        self.event.restart(Timestamp::default());
        self.record(&wanted::ALL, |recorder| attributes.record(recorder))
    }

    /// Records all values that a span gets later.
    pub(crate) fn record_values(
        &mut self,
        values: &Record<'_>,
        created: Timestamp,
    ) -> Result<(), TooLarge> {
        self.event.restart(created);
        self.record(&wanted::ALL, |recorder| values.record(recorder))
    }

    /// Makes an event of the fields of a span and of what its callsite has.
    pub(crate) fn complete_span(
        &mut self,
        metadata: &Metadata<'_>,
        created: Timestamp,
        fields: &Event,
    ) -> Result<(), TooLarge> {
        self.begin(metadata, &wanted::ALL, created)?;
        for (key, value) in fields.as_event_ref().fields() {
            self.event.set(key, value)?;
        }
        Ok(())
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
        visit: impl FnOnce(&mut dyn Visit),
    ) -> Result<(), TooLarge> {
        let mut visitor = Visitor(Recorder {
            scratch: self,
            wanted,
            result: Ok(()),
        });
        visit(&mut visitor);
        visitor.0.result
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

impl Fields for Recorder<'_> {
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

    fn set_sources(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let key = format!("{}{SOURCES}", key_of(field.name()));
        if self.wanted.has(&key) {
            let chain = std::iter::successors(error.source(), |&error| error.source());
            let texts: Vec<String> = chain.map(ToString::to_string).collect();
            let list = ValueRef::List(Elements::of(&texts, 0));
            let set = self.scratch.event.set(key.as_bytes(), list);
            self.result = self.result.and(set);
        }
    }
}
