//! The table of field keys: each key that a filter names has a small number.
//!
//! A set never takes slots back, so that its users may keep the numbers.

use alloc::{boxed::Box, vec::Vec};
use core::hash::BuildHasher as _;

use fantail_event::{EventView, ValueRef};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::narrow;

/// The number of a field key in a [`FilterSet`](crate::FilterSet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    /// Returns the number: from 0, without gaps.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The keys that have slots.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    keys: Vec<Key>,
    table: HashTable<u32>,
    state: DefaultHashBuilder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    name: Box<[u8]>,
    is_duration: bool,
}

impl Slots {
    /// Returns the number of slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether there are no slots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the slot of a field.
    #[must_use]
    pub fn field(&self, key: &[u8]) -> Option<Slot> {
        self.find(key, false)
    }

    /// Returns the slot of 2.4's `duration`: a number for events that have times,
    /// the field of that name for others.
    #[must_use]
    pub fn duration(&self) -> Option<Slot> {
        self.find(DURATION, true)
    }

    /// Returns all slots in order, each with its key and whether it is
    /// [2.4's `duration`](Self::duration).
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &[u8], bool)> {
        let numbered = (0..).zip(&self.keys);
        numbered.map(|(number, key)| (Slot(number), &*key.name, key.is_duration))
    }

    /// Returns an event's value in this slot; `None` for a slot of another table.
    #[must_use]
    #[inline]
    pub fn look_up<'e, E: EventView + ?Sized>(
        &self,
        slot: Slot,
        event: &'e E,
    ) -> Option<ValueRef<'e>> {
        let key = self.keys.get(slot.index())?;
        if key.is_duration
            && let Some(micros) = event.duration_micros()
        {
            return Some(ValueRef::Int(micros));
        }
        event.field(&key.name)
    }

    /// Returns the key of a slot; empty for a slot of another table.
    #[must_use]
    pub fn key(&self, slot: Slot) -> &[u8] {
        self.keys.get(slot.index()).map_or(&[], |key| &*key.name)
    }

    pub(super) fn intern_duration(&mut self) -> Slot {
        self.intern(DURATION, true)
    }

    pub(super) fn intern_field(&mut self, key: &[u8]) -> Slot {
        self.intern(key, false)
    }

    fn intern(&mut self, name: &[u8], is_duration: bool) -> Slot {
        if let Some(slot) = self.find(name, is_duration) {
            return slot;
        }
        let number = narrow(self.keys.len());
        self.keys.push(Key {
            name: name.into(),
            is_duration,
        });
        let (state, keys) = (&self.state, &self.keys);
        let hash = |&number: &u32| {
            keys.get(number as usize)
                .map_or(0, |key| state.hash_one(&*key.name))
        };
        self.table
            .insert_unique(self.state.hash_one(name), number, hash);
        Slot(number)
    }

    fn find(&self, name: &[u8], is_duration: bool) -> Option<Slot> {
        let is_it = |&number: &u32| {
            let key = self.keys.get(number as usize);
            key.is_some_and(|key| *key.name == *name && key.is_duration == is_duration)
        };
        let found = self.table.find(self.state.hash_one(name), is_it);
        found.copied().map(Slot)
    }
}

const DURATION: &[u8] = b"duration";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_as_they_come() {
        let mut slots = Slots::default();
        let a = slots.intern_field(b"a");
        let duration = slots.intern_duration();
        let field = slots.intern_field(b"duration");
        assert_eq!(slots.intern_field(b"a"), a);
        assert_eq!([a, duration, field].map(Slot::index), [0, 1, 2]);
        assert_eq!(slots.field(b"duration"), Some(field));
        assert_eq!(slots.duration(), Some(duration));
        assert_eq!(slots.field(b"b"), None);
        let keys: Vec<_> = slots.iter().map(|(slot, key, _)| (slot, key)).collect();
        assert_eq!(keys[1..], [(duration, DURATION), (field, DURATION)]);
        assert_eq!(slots.key(a), b"a");
    }
}
