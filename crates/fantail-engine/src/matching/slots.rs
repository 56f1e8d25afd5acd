//! The values of one event, by slot.
//!
//! For each slot the table stores the position of the value: in the event, in
//! an ancestor, or nowhere. Positions are found when the first value is needed;
//! most events of a server need none. Events of a class need the same few
//! slots, so the class stores the lengths of their keys
//! ([`SlotEvent::wanted`]), and only the event's own keys of these lengths are
//! looked up. If another slot is needed, all keys are looked up.
//!
//! Nothing is copied, and nothing is cleared between events: each event has a
//! number, and a position with another number belongs to another event.

use std::cell::Cell;

use fantail_event::{
    DURATION, ElementSource, Elements, EventRef, EventView as _, Level, SentEvent, Source,
    ValueRef, internal::EventPositions as _,
};
use fantail_filter::internal::{Slot, SlotView, Slots};

use super::{
    category_sets::{CategorySetId, CategorySets},
    keys::Keys,
    memos::SlotMemos,
    metric::CountedEvent,
};

/// The position of a slot's value.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// The number of the event to which the position belongs.
    event: u32,
    /// The holder: 0 is the event itself; then the ancestors, nearest first,
    /// then the global event and its ancestors.
    holder: u32,
    /// The position among the fields of the holder.
    at: u32,
}

/// The holder of the duration.
const DURATION_HOLDER: u32 = u32::MAX;

/// The positions of all slots' values.
#[derive(Debug)]
pub(super) struct SlotTable {
    keys: Keys,
    positions: Box<[Cell<Position>]>,
    /// A bit for the length of each slot's key.
    lengths: Box<[u64]>,
    /// The slots of `duration`, which each event has.
    durations: Box<[Slot]>,
    /// The number of the current event; 0 is none.
    event: u32,
    /// The lengths of the current event's own keys that were looked up.
    looked_up: Cell<u64>,
}

impl SlotTable {
    pub(super) fn new(slots: &Slots) -> Self {
        let durations = [slots.duration(), slots.field(DURATION)];
        Self {
            keys: Keys::new(slots),
            positions: vec![Cell::default(); slots.len()].into(),
            lengths: slots.iter().map(|(_, key, _)| length_bit(key)).collect(),
            durations: durations.into_iter().flatten().collect(),
            event: 0,
            looked_up: Cell::new(0),
        }
    }

    /// Begins with an event; returns the set of its categories, own and
    /// inherited.
    #[inline(always)] // One caller, on the path of each event.
    pub(super) fn begin(
        &mut self,
        sent: &SentEvent<'_>,
        sets: &mut CategorySets,
        memos: &mut SlotMemos,
    ) -> CategorySetId {
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.positions.fill(Cell::default());
            self.event = 1;
        }
        self.looked_up.set(0);
        for slot in &self.durations {
            self.set(*slot, DURATION_HOLDER, 0);
        }
        let own = sets.of_event(sent.event, sent.categories);
        if sent.parents.is_empty() && sent.global.is_empty() {
            return own;
        }
        self.with_ancestors(own, sent, sets, memos)
    }

    /// Adds the categories of the ancestors, and prepares unknown ancestors.
    fn with_ancestors(
        &self,
        mut set: CategorySetId,
        sent: &SentEvent<'_>,
        sets: &mut CategorySets,
        memos: &mut SlotMemos,
    ) -> CategorySetId {
        let ancestors = sent.parents.iter().chain(sent.global);
        for (position, ancestor) in ancestors.enumerate() {
            let inherited = memos.prepare(position, ancestor, &self.keys, sets, sent);
            set = sets.union(set, inherited);
        }
        set
    }

    /// Finds the position of an event's value in this slot, and in other wanted
    /// slots.
    #[inline(never)]
    fn look_up(&self, event: &SlotEvent<'_>, slot: Slot) {
        let bit = self.lengths.get(slot.index()).copied();
        let wanted = event.wanted.get() | bit.unwrap_or_default();
        event.wanted.set(wanted);
        // The second look-up includes all lengths, so there is no third.
        let lengths = if self.looked_up.get() == 0 {
            wanted
        } else {
            u64::MAX
        };
        self.looked_up.set(lengths);
        let sent = event.sent;
        if !self.keys.is_empty() {
            sent.event.keys_of_lengths(lengths, |at, key| {
                if let Some(slot) = self.keys.find(key) {
                    // The last of several fields with one key is valid.
                    self.set(slot, 0, at);
                }
            });
        }
        let ancestors = sent.parents.iter().chain(sent.global);
        for (position, ancestor) in ancestors.enumerate() {
            // The number is below the limit of a client.
            let holder = u32::try_from(position + 1).unwrap_or(u32::MAX - 1);
            for &(slot, at) in &event.memos.get(position, ancestor.live).slots {
                self.inherit(slot, holder, at, lengths);
            }
        }
    }

    /// Sets an ancestor's value, unless the event has one itself or may have
    /// one that was not looked up.
    #[inline]
    fn inherit(&self, slot: u32, holder: u32, at: u32, lengths: u64) {
        let slot = slot as usize;
        if let (Some(position), Some(length)) = (self.positions.get(slot), self.lengths.get(slot))
            && length & lengths != 0
            && position.get().event != self.event
        {
            position.set(Position {
                event: self.event,
                holder,
                at,
            });
        }
    }

    #[inline]
    fn set(&self, slot: Slot, holder: u32, at: u32) {
        if let Some(position) = self.positions.get(slot.index()) {
            position.set(Position {
                event: self.event,
                holder,
                at,
            });
        }
    }
}

/// Returns the bit of a key's length.
fn length_bit(key: &[u8]) -> u64 {
    1 << (key.len() % 64)
}

/// The event with which a table was begun.
pub(crate) struct SlotEvent<'a> {
    pub(super) sent: &'a SentEvent<'a>,
    pub(super) table: &'a SlotTable,
    pub(super) sets: &'a CategorySets,
    pub(super) memos: &'a SlotMemos,
    /// The set of its categories, own and inherited.
    pub(super) set: CategorySetId,
    /// The lengths of the keys that are looked up in events of this class.
    pub(super) wanted: &'a Cell<u64>,
    /// The duration; below 0 until it is needed.
    pub(super) micros: Cell<i64>,
}

impl<'a> SlotEvent<'a> {
    #[inline]
    fn position(&self, slot: Slot) -> Option<Position> {
        let table = self.table;
        let cell = table.positions.get(slot.index())?;
        let position = cell.get();
        if position.event == table.event {
            return Some(position);
        }
        let length = *table.lengths.get(slot.index())?;
        if table.looked_up.get() & length != 0 {
            return None;
        }
        table.look_up(self, slot);
        Some(cell.get()).filter(|position| position.event == table.event)
    }

    fn ancestor(&self, holder: u32) -> Option<EventRef<'a>> {
        let at = (holder as usize).checked_sub(1)?;
        let parents = self.sent.parents;
        let ancestor = match at.checked_sub(parents.len()) {
            None => parents.get(at),
            Some(at) => self.sent.global.get(at),
        };
        Some(ancestor?.event.as_event_ref())
    }
}

impl CountedEvent for SlotEvent<'_> {
    #[inline]
    fn micros(&self) -> i64 {
        if self.micros.get() < 0 {
            self.micros.set(self.sent.event.duration_micros());
        }
        self.micros.get()
    }
}

impl SlotView for SlotEvent<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.sent.event.name()
    }

    #[inline]
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let position = self.position(slot)?;
        let value = match position.holder {
            0 => self.sent.event.value_at(position.at as usize),
            DURATION_HOLDER => return Some(ValueRef::Int(self.micros())),
            holder => self.ancestor(holder)?.value_at(position.at as usize),
        };
        match value {
            // A list has the elements of all ancestors.
            Some(ValueRef::List(_)) => {
                let list = u64::try_from(slot.index()).unwrap_or(u64::MAX);
                Some(ValueRef::List(Elements::of(self, list)))
            }
            value => value,
        }
    }

    fn in_category(&self, category: &[u8]) -> bool {
        let number = self.sent.categories.number(category);
        let known = number.map_or(Some(false), |number| self.sets.contains(self.set, number));
        known.unwrap_or_else(|| self.sent.in_category(category))
    }

    fn level(&self) -> Option<Level> {
        Some(self.sent.level)
    }

    fn source(&self) -> Option<Source<'_>> {
        self.sent.event.source()
    }
}

/// The lists in a slot, outermost first; the number of a list is its slot.
impl ElementSource for SlotEvent<'_> {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let sent = self.sent;
        let parents = sent.parents.iter().enumerate();
        let global = sent.global.iter().enumerate();
        let global = global.map(|(at, ancestor)| (sent.parents.len() + at, ancestor));
        for (position, ancestor) in global.rev().chain(parents.rev()) {
            let mut slots = self.memos.get(position, ancestor.live).slots.iter();
            let found = slots.find(|(slot, _)| u64::from(*slot) == list);
            if let Some((_, at)) = found
                && ancestor
                    .event
                    .as_event_ref()
                    .any_element_at(*at as usize, &mut *test)
            {
                return true;
            }
        }
        let at = usize::try_from(list).ok();
        let cell = at.and_then(|at| self.table.positions.get(at));
        match cell.map(Cell::get) {
            Some(position) if position.event == self.table.event && position.holder == 0 => {
                sent.event.any_element_at(position.at as usize, test)
            }
            _ => false,
        }
    }
}
