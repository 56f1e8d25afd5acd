//! An event together with all that it inherits.

use crate::{CategoryTree, Event, EventView, Level, Origin, Source, Value, ValueRef};

/// One sending of an event: the event, its ancestors, the global event with
/// its ancestors, and the level.
#[derive(Debug, Clone, Copy)]
pub struct SentEvent<'a> {
    /// The level of this sending.
    pub level: Level,
    /// The event itself.
    pub event: &'a Event<'a>,
    /// Its ancestors, nearest first.
    pub parents: &'a [&'a Event<'a>],
    /// The global event, then its ancestors, nearest first; empty for none.
    pub global: &'a [&'a Event<'a>],
    /// The categories known, with their parents.
    pub categories: &'a CategoryTree,
}

impl<'a> SentEvent<'a> {
    /// The event and everything it inherits from, in the order of look-ups.
    pub fn chain(&self) -> impl Iterator<Item = &'a Event<'a>> + use<'a> {
        core::iter::once(self.event)
            .chain(self.parents.iter().copied())
            .chain(self.global.iter().copied())
    }

    /// The value of a field by recursive look-up.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<&'a Value<'a>> {
        self.chain().find_map(|event| event.own_field(key))
    }
}

impl EventView for SentEvent<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name.as_deref()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        self.find(key).map(Value::as_ref)
    }

    fn field_near(&self, key: &[u8], place: &mut usize) -> Option<ValueRef<'_>> {
        // Nothing that is inherited counts if the event has it itself.
        if let Some(value) = self.event.own_field_at(*place, key) {
            return Some(value.as_ref());
        }
        let mut chain = self.chain();
        let found = chain.find_map(|event| event.own_field_near(key, place));
        found.map(Value::as_ref)
    }

    fn any_element(&self, key: &[u8], test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let downward = self
            .global
            .iter()
            .rev()
            .chain(self.parents.iter().rev())
            .copied();
        downward
            .chain(core::iter::once(self.event))
            .any(|event| match event.own_field(key) {
                Some(Value::List(list)) => list.iter().any(|element| test(element)),
                _ => false,
            })
    }

    fn field_origin(&self, key: &[u8]) -> Option<Origin> {
        if self.event.own_field(key).is_some() {
            return Some(Origin::Own);
        }
        let at = |chain: &[&Event<'_>]| chain.iter().position(|e| e.own_field(key).is_some());
        at(self.parents)
            .map(|n| Origin::Parent(n + 1))
            .or_else(|| at(self.global).map(Origin::Global))
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.chain().any(|event| {
            event
                .categories
                .iter()
                .any(|own| self.categories.is_within(own, category))
        })
    }

    fn level(&self) -> Option<Level> {
        Some(self.level)
    }

    fn source(&self) -> Option<&Source<'_>> {
        self.event.source.as_ref()
    }

    fn duration_micros(&self) -> Option<i64> {
        Some(self.event.duration_micros())
    }
}
