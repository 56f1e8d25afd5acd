//! Events that are only counted.
//!
//! If a configuration exports nothing, an event needs no more than the values that filters
//! and metrics read. They are recorded by slot; what a callsite fixes is found once.
//!
//! Absent: lists, which have elements of all spans around an event. A configuration that
//! reads one has its events recorded as a whole.

use std::{
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
};

use fantail_engine::{
    Plan,
    internal::{CountedEvent, SlotPlan as _},
};
use fantail_event::{DURATION, Event, Level, Source, ValueRef};
use fantail_filter::internal::{Slot, SlotView, Slots};
use tracing_core::Metadata;

use super::table::CallsiteTable;
use crate::record::{
    metadata::{
        LEVEL, SEVERITY, SOURCES, SPAN, TARGET, key_of, level_of, name_of, severity_of, source_of,
    },
    open_span::SpanEvent,
    slot_values::SlotValues,
};

/// The callsites of a configuration that only counts.
#[derive(Debug)]
pub(crate) struct CountedCallsites {
    table: CallsiteTable<CountedCallsite>,
    /// The number of the next callsite.
    next: AtomicUsize,
}

/// What a callsite fixes.
#[derive(Debug)]
pub(crate) struct CountedCallsite {
    /// Counts from 0 in one configuration.
    pub(crate) number: usize,
    metadata: &'static Metadata<'static>,
    name: Option<&'static str>,
    level: Level,
    /// The slots of its fields, in their order.
    pub(crate) slots: Box<[Option<Slot>]>,
    /// The values of built-in fields.
    built_in: Box<[(Slot, BuiltIn)]>,
    /// The slots of the duration, which each event has.
    durations: [Option<Slot>; 2],
    /// Whether a value can only come from the spans around an event.
    needs_spans: bool,
}

/// The value of a built-in field.
#[derive(Debug, Clone, Copy)]
enum BuiltIn {
    Text(&'static str),
    Number(i64),
}

impl CountedCallsites {
    /// `None` if events of this plan are recorded as a whole.
    pub(crate) fn new(plan: &Plan) -> Option<Self> {
        let mut keys = plan.slots().iter().map(|(_, key, _)| key);
        let is_list = |key: &[u8]| key == SPAN.as_bytes() || key.ends_with(SOURCES.as_bytes());
        let is_fit = plan.only_counts() && !keys.any(is_list);
        is_fit.then(|| Self {
            table: CallsiteTable::new(),
            next: AtomicUsize::new(0),
        })
    }

    /// Returns what a callsite fixes; `None` if there are too many callsites.
    #[inline]
    pub(crate) fn get(
        &self,
        plan: &Plan,
        metadata: &'static Metadata<'static>,
    ) -> Option<&CountedCallsite> {
        self.table.get_or_insert(metadata, || {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            CountedCallsite::new(number, plan.slots(), metadata)
        })
    }
}

impl CountedCallsite {
    fn new(number: usize, slots: &Slots, metadata: &'static Metadata<'static>) -> Self {
        let fields = metadata.fields().iter();
        let own = fields.map(|field| slots.field(key_of(field.name()).as_bytes()));
        let own: Box<[Option<Slot>]> = own.collect();
        let level = *metadata.level();
        let built_in = [
            (TARGET, BuiltIn::Text(metadata.target())),
            (LEVEL, BuiltIn::Text(level.as_str())),
            (SEVERITY, BuiltIn::Number(severity_of(level))),
        ];
        let built_in = built_in.into_iter();
        let built_in =
            built_in.filter_map(|(key, value)| Some((slots.field(key.as_bytes())?, value)));
        let built_in: Box<[_]> = built_in.collect();
        let durations = [slots.duration(), slots.field(DURATION)];
        let mut others = slots.iter().map(|(slot, ..)| slot);
        let needs_spans = others.any(|slot| {
            !own.contains(&Some(slot))
                && !durations.contains(&Some(slot))
                && built_in.iter().all(|(known, _)| *known != slot)
        });
        Self {
            number,
            metadata,
            name: name_of(metadata),
            level: level_of(level),
            slots: own,
            built_in,
            durations,
            needs_spans,
        }
    }

    /// Returns whether the spans around an event can have a value that is read.
    #[inline]
    pub(crate) fn reads_spans(&self, values: &SlotValues) -> bool {
        // A field can be left empty.
        let mut own = self.slots.iter().flatten();
        self.needs_spans || own.any(|slot| values.get(*slot).is_none())
    }
}

/// The values of an event itself.
pub(crate) enum Own<'a> {
    Values(&'a SlotValues),
    /// The fields of a span.
    Fields(&'a Event),
}

/// An event that is counted.
pub(crate) struct Counted<'a, G> {
    pub(crate) slots: &'a Slots,
    pub(crate) callsite: &'a CountedCallsite,
    pub(crate) own: Own<'a>,
    /// The spans around it, nearest first.
    pub(crate) spans: &'a [G],
    pub(crate) micros: i64,
}

impl<G: Deref<Target = SpanEvent>> Counted<'_, G> {
    /// Returns the value of a span's field.
    #[inline(never)]
    fn inherited(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let key = self.slots.key(slot);
        let mut fields = self.spans.iter().map(|span| field(&span.event, key));
        fields.find_map(|value| value)
    }
}

impl<G: Deref<Target = SpanEvent>> SlotView for Counted<'_, G> {
    fn name(&self) -> Option<&[u8]> {
        self.callsite.name.map(str::as_bytes)
    }

    #[inline]
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let callsite = self.callsite;
        if callsite.durations.contains(&Some(slot)) {
            return Some(ValueRef::Int(self.micros));
        }
        let own = match self.own {
            Own::Values(values) => values.get(slot),
            Own::Fields(event) => field(event, self.slots.key(slot)),
        };
        if own.is_some() {
            return own;
        }
        let mut built_in = callsite.built_in.iter();
        match built_in.find(|(known, _)| *known == slot) {
            Some((_, BuiltIn::Text(text))) => Some(ValueRef::from(*text)),
            Some((_, BuiltIn::Number(number))) => Some(ValueRef::Int(*number)),
            None => self.inherited(slot),
        }
    }

    fn in_category(&self, _: &[u8]) -> bool {
        false
    }

    fn level(&self) -> Option<Level> {
        Some(self.callsite.level)
    }

    fn source(&self) -> Option<Source<'_>> {
        source_of(self.callsite.metadata)
    }
}

impl<G: Deref<Target = SpanEvent>> CountedEvent for Counted<'_, G> {
    fn micros(&self) -> i64 {
        self.micros
    }
}

fn field<'a>(event: &'a Event, key: &[u8]) -> Option<ValueRef<'a>> {
    event.as_event_ref().field(key)
}
