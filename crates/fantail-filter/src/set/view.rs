//! Events as a set sees them: values by slot.

use fantail_event::{EventView, Level, Source, ValueRef};

use super::slots::{Slot, Slots};

/// An event whose values are read by slot.
///
/// For events whose values lie in an array by slot. [`ViewSlots`] implements it for
/// any [`EventView`] and looks each value up when it is read. Each method means
/// the same as the method of that name in [`EventView`].
pub trait SlotView {
    /// Returns the event's name.
    fn name(&self) -> Option<&[u8]>;

    /// Returns the value in this slot. That of [2.4's `duration`](Slots::duration)
    /// is the duration in microseconds, or the field of that name for events of a
    /// type without times.
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>>;

    /// Returns whether the event has this category.
    fn in_category(&self, category: &[u8]) -> bool;

    /// Returns the level of this sending.
    fn level(&self) -> Option<Level>;

    /// Returns the line of source code that sent the event.
    fn source(&self) -> Option<Source<'_>>;
}

/// Any [`EventView`] as a [`SlotView`].
#[derive(Debug)]
pub struct ViewSlots<'a, E: ?Sized> {
    slots: &'a Slots,
    event: &'a E,
}

impl<'a, E: EventView + ?Sized> ViewSlots<'a, E> {
    /// Creates a view of an event for the set that has these slots.
    pub fn new(slots: &'a Slots, event: &'a E) -> Self {
        Self { slots, event }
    }
}

impl<E: EventView + ?Sized> SlotView for ViewSlots<'_, E> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name()
    }

    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        self.slots.look_up(slot, self.event)
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.event.in_category(category)
    }

    fn level(&self) -> Option<Level> {
        self.event.level()
    }

    fn source(&self) -> Option<Source<'_>> {
        self.event.source()
    }
}
