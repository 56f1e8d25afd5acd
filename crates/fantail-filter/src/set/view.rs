//! What is matched against a set: values by slot.

use fantail_event::{EventView, Level, Source, ValueRef};

use super::slots::{Slot, Slots};

/// An event whose values are asked for by slot.
///
/// Implement it to hand over values that lie in an array already; for any
/// [`EventView`] there is [`ViewSlots`], which looks values up as they are
/// asked for. The meaning of each method is that of its namesake there.
pub trait SlotView {
    /// The event's name.
    fn name(&self) -> Option<&[u8]>;

    /// The value in this slot. That of [2.4's `duration`](Slots::duration) is
    /// the duration in microseconds as a number, or for events of a type that
    /// has no times the field of that name.
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>>;

    /// Whether the event is within this category.
    fn in_category(&self, category: &[u8]) -> bool;

    /// The level of this sending.
    fn level(&self) -> Option<Level>;

    /// The line of source code that sent the event.
    fn source(&self) -> Option<Source<'_>>;
}

/// Any [`EventView`] as a [`SlotView`]; borrows both, keeps nothing.
#[derive(Debug)]
pub struct ViewSlots<'a, E: ?Sized> {
    slots: &'a Slots,
    event: &'a E,
}

impl<'a, E: EventView + ?Sized> ViewSlots<'a, E> {
    /// The event seen through the slots of the set that it is to be matched
    /// against.
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
