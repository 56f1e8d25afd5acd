//! Events with values by slot, as a server could parse them from a line
//! directly into slots.

use fantail_event::{Event, EventView as _, Level, Source, ValueRef};
use fantail_filter::internal::{Slot, SlotView, Slots};

use crate::rules::Events;

/// An event and its values by slot. It has no lists, and inherits nothing.
#[derive(Debug)]
pub struct Filled<'a> {
    event: &'a Event,
    values: Vec<Option<ValueRef<'a>>>,
    events: &'a Events<'a>,
}

impl<'a> Filled<'a> {
    /// Returns the values that an event has for these slots.
    #[must_use]
    pub fn new(slots: &Slots, events: &'a Events<'a>, event: &'a Event) -> Self {
        let value = |(_, key, _)| event.as_event_ref().field(key);
        Self {
            event,
            values: slots.iter().map(value).collect(),
            events,
        }
    }
}

impl SlotView for Filled<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.event.as_event_ref().name()
    }

    #[inline]
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        *self.values.get(slot.index())?
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.events.sent(self.event).in_category(category)
    }

    fn level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    fn source(&self) -> Option<Source<'_>> {
        self.event.as_event_ref().source()
    }
}
