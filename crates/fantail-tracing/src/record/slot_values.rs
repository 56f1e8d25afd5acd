//! The values of an event, by the slots of a plan.

use std::{error::Error, fmt, fmt::Write as _};

use fantail_event::{MAX_TEXT_BYTES, ValueRef};
use fantail_filter::internal::Slot;
use tracing_core::{Event, field::Field};

use super::visit::{Fields, Visitor};

/// The values of one event after another. Nothing is cleared between events: each has a
/// number.
#[derive(Debug, Default)]
pub(crate) struct SlotValues {
    /// By slot: the number of the event that has the value.
    values: Vec<(u64, Value)>,
    event: u64,
    text: String,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    /// The start and the end in the text.
    Str(usize, usize),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

/// Records the fields that have a slot.
struct Recorder<'a> {
    values: &'a mut SlotValues,
    slots: &'a [Option<Slot>],
}

impl SlotValues {
    /// Records the fields of an event that have a slot; `slots` are those of the fields of
    /// its callsite, below `len`. Returns whether the event is not too large.
    pub(crate) fn record(&mut self, event: &Event<'_>, slots: &[Option<Slot>], len: usize) -> bool {
        self.event += 1;
        self.text.clear();
        if self.values.len() < len {
            self.values.resize(len, (0, Value::Bool(false)));
        }
        let values = self;
        event.record(&mut Visitor(Recorder {
            values: &mut *values,
            slots,
        }));
        values.text.len() <= MAX_TEXT_BYTES
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let (event, value) = self.values.get(slot.index())?;
        if *event != self.event {
            return None;
        }
        Some(match *value {
            Value::Str(start, end) => ValueRef::from(self.text.get(start..end)?),
            Value::Int(number) => ValueRef::Int(number),
            Value::Unsigned(number) => ValueRef::Unsigned(number),
            Value::Float(number) => ValueRef::Float(number),
            Value::Bool(truth) => ValueRef::Bool(truth),
        })
    }

    /// Returns the bytes that are kept for texts.
    pub(super) fn text_capacity(&self) -> usize {
        self.text.capacity()
    }

    #[inline]
    fn set(&mut self, slot: Slot, value: Value) {
        if let Some(entry) = self.values.get_mut(slot.index()) {
            *entry = (self.event, value);
        }
    }
}

impl Recorder<'_> {
    #[inline]
    fn slot(&self, field: &Field) -> Option<Slot> {
        self.slots.get(field.index()).copied().flatten()
    }
}

impl Fields for Recorder<'_> {
    #[inline]
    fn set(&mut self, field: &Field, value: ValueRef<'_>) {
        let Some(slot) = self.slot(field) else {
            return;
        };
        let value = match value {
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Unsigned(number) => Value::Unsigned(number),
            ValueRef::Float(number) => Value::Float(number),
            ValueRef::Bool(truth) => Value::Bool(truth),
            // Strings are set by the other method, and `tracing` has no other types.
            _ => return,
        };
        self.values.set(slot, value);
    }

    #[inline]
    fn set_str(&mut self, field: &Field, value: &str) {
        let Some(slot) = self.slot(field) else {
            return;
        };
        let text = &mut self.values.text;
        let start = text.len();
        text.push_str(value);
        let value = Value::Str(start, text.len());
        self.values.set(slot, value);
    }

    fn format(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(slot) = self.slot(field) else {
            return;
        };
        let text = &mut self.values.text;
        let start = text.len();
        // What is written until an error is the value.
        let _ = text.write_fmt(value);
        let value = Value::Str(start, text.len());
        self.values.set(slot, value);
    }

    /// A plan that reads sources has no slots here.
    fn set_sources(&mut self, _: &Field, _: &(dyn Error + 'static)) {}
}
