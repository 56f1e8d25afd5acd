//! The values of one event, by slot.
//!
//! For each slot it is known where the value lies: in the event, in an
//! ancestor, or nowhere. That is found out when the first value is asked for:
//! for most events of a server none is. Events of a class ask for the same few
//! slots again and again, so it is learned with the class how long their keys
//! are ([`SlotEvent::wanted`]), and only an event's own keys of these lengths
//! are looked up. Once something else is asked for, all are.
//!
//! Nothing is copied, and nothing cleared between events: each has a number,
//! and what has another number is of another event.

use std::cell::{Cell, OnceCell};

use fantail_event::{
    CategoryTree, KeptEvent, Known, Level, RawEvent, RawSending, Source, ValueRef,
};
use fantail_filter::{Slot, SlotView, Slots};

use super::{
    keys::Keys,
    sets::{CategorySets, SetId},
};

/// Where a slot's value lies.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The event that it is known for.
    event: u32,
    /// 0: the event itself; then the ancestors, nearest first, then the global
    /// event and its ancestors.
    holder: u32,
    /// Among the fields of the holder.
    at: u32,
}

/// Not a holder: the duration.
const DURATION: u32 = u32::MAX;

/// Where all slots' values lie.
#[derive(Debug)]
pub(super) struct SlotTable {
    keys: Keys,
    places: Box<[Cell<Place>]>,
    /// A bit for the length of each slot's key.
    lengths: Box<[u64]>,
    /// The slots of `duration`, which each event has.
    durations: [Option<Slot>; 2],
    /// The number of the current event; 0 is none.
    event: u32,
    /// The lengths of those keys of the current event's own that were looked
    /// up.
    looked: Cell<u64>,
}

impl SlotTable {
    pub(super) fn new(slots: &Slots) -> Self {
        Self {
            keys: Keys::new(slots),
            places: vec![Cell::default(); slots.len()].into(),
            lengths: slots.iter().map(|(_, key, _)| length_bit(key)).collect(),
            durations: [slots.duration(), slots.field(super::DURATION)],
            event: 0,
            looked: Cell::new(0),
        }
    }

    /// Begins with an event; gives the set of its categories.
    #[inline]
    pub(super) fn begin(
        &mut self,
        sending: &RawSending<'_>,
        sets: &mut CategorySets,
        revision: u64,
    ) -> SetId {
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.places.fill(Cell::default());
            self.event = 1;
        }
        self.looked.set(0);
        for slot in self.durations.into_iter().flatten() {
            self.set(slot, DURATION, 0);
        }
        let own = sets.of_event(sending.event, sending.categories);
        if sending.parents.is_empty() && sending.global.is_empty() {
            return own;
        }
        self.with_ancestors(own, sending, sets, revision)
    }

    fn with_ancestors(
        &self,
        mut set: SetId,
        sending: &RawSending<'_>,
        sets: &mut CategorySets,
        revision: u64,
    ) -> SetId {
        for kept in sending.parents.iter().chain(sending.global) {
            let known = kept.known(revision, |event, known| {
                self.find_out(event, sending.categories, sets, known);
            });
            set = sets.union(set, SetId(known.categories));
        }
        set
    }

    /// Finds where an event's value in this slot lies, and in others that are
    /// wanted.
    #[inline(never)]
    fn look(&self, event: &SlotEvent<'_>, slot: Slot) {
        let bit = self.lengths.get(slot.index()).copied();
        let wanted = event.wanted.get() | bit.unwrap_or_default();
        event.wanted.set(wanted);
        // Once more, and then never again.
        let lengths = if self.looked.get() == 0 {
            wanted
        } else {
            u64::MAX
        };
        self.looked.set(lengths);
        let sending = event.sending;
        if !self.keys.is_empty() {
            sending.event.keys_of_lengths(lengths, |at, key| {
                if let Some(slot) = self.keys.find(key) {
                    // The last of several of one key holds.
                    self.set(slot, 0, at);
                }
            });
        }
        if sending.parents.is_empty() && sending.global.is_empty() {
            return;
        }
        for (holder, kept) in (1..).zip(sending.parents.iter().chain(sending.global)) {
            // Found out at the beginning.
            let known = kept.known(event.revision, |_, _| {});
            for &(slot, at) in &known.slots {
                self.inherit(slot, holder, at, lengths);
            }
        }
    }

    /// Notes an ancestor's value, unless the event has one itself or may have
    /// one that was not looked for.
    #[inline]
    fn inherit(&self, slot: u32, holder: u32, at: u32, lengths: u64) {
        let slot = slot as usize;
        if let (Some(place), Some(length)) = (self.places.get(slot), self.lengths.get(slot))
            && length & lengths != 0
            && place.get().event != self.event
        {
            place.set(Place {
                event: self.event,
                holder,
                at,
            });
        }
    }

    #[inline]
    fn set(&self, slot: Slot, holder: u32, at: u32) {
        if let Some(place) = self.places.get(slot.index()) {
            place.set(Place {
                event: self.event,
                holder,
                at,
            });
        }
    }

    #[cold]
    fn find_out(
        &self,
        event: RawEvent<'_>,
        tree: &CategoryTree,
        sets: &mut CategorySets,
        known: &mut Known,
    ) {
        known.categories = sets.of_event(event, tree).0;
        let slots = (0..).zip(event.keys()).filter_map(|(at, key)| {
            let slot = self.keys.find(key)?;
            Some((u32::try_from(slot.index()).ok()?, at))
        });
        known.slots.extend(slots);
    }
}

/// The bit of a key's length.
fn length_bit(key: &[u8]) -> u64 {
    1 << (key.len() % 64)
}

/// The event that a table is about.
#[derive(Debug)]
pub(super) struct SlotEvent<'a> {
    pub(super) sending: &'a RawSending<'a>,
    pub(super) table: &'a SlotTable,
    pub(super) sets: &'a CategorySets,
    /// The set of its categories, own and inherited.
    pub(super) set: SetId,
    pub(super) revision: u64,
    /// The lengths of the keys that events like this one are asked for.
    pub(super) wanted: &'a Cell<u64>,
    /// Empty until somebody asks.
    pub(super) source: OnceCell<Option<Source<'a>>>,
    /// Its duration; less than 0 until somebody asks.
    pub(super) micros: Cell<i64>,
}

impl<'a> SlotEvent<'a> {
    /// The duration in microseconds, not negative.
    #[inline]
    pub(super) fn micros(&self) -> i64 {
        if self.micros.get() < 0 {
            self.micros.set(self.sending.event.duration_micros());
        }
        self.micros.get()
    }

    #[inline]
    fn place(&self, slot: Slot) -> Option<Place> {
        let table = self.table;
        let cell = table.places.get(slot.index())?;
        let place = cell.get();
        if place.event == table.event {
            return Some(place);
        }
        let length = *table.lengths.get(slot.index())?;
        if table.looked.get() & length != 0 {
            return None;
        }
        table.look(self, slot);
        Some(cell.get()).filter(|place| place.event == table.event)
    }

    fn kept(&self, holder: u32) -> Option<&'a KeptEvent> {
        let at = (holder as usize).checked_sub(1)?;
        let parents = self.sending.parents;
        let kept = match at.checked_sub(parents.len()) {
            None => parents.get(at),
            Some(at) => self.sending.global.get(at),
        };
        kept.copied()
    }

    /// Calls with each element of the lists in this slot, outermost first,
    /// until the first that `test` accepts; whether it accepts any.
    pub(super) fn elements(&self, slot: Slot, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let sending = self.sending;
        let downward = sending
            .global
            .iter()
            .rev()
            .chain(sending.parents.iter().rev());
        for kept in downward {
            // The same as in filling.
            let known = kept.known(self.revision, |_, _| {});
            let mut places = known.slots.iter();
            let place = places.find(|(number, _)| *number as usize == slot.index());
            if let Some((_, at)) = place
                && kept.raw().elements(*at as usize).any(&mut *test)
            {
                return true;
            }
        }
        match self.place(slot) {
            Some(Place { holder: 0, at, .. }) => sending.event.elements(at as usize).any(test),
            _ => false,
        }
    }
}

impl SlotView for SlotEvent<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.sending.event.name()
    }

    #[inline]
    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let place = self.place(slot)?;
        match place.holder {
            0 => self.sending.event.value(place.at as usize),
            DURATION => Some(ValueRef::Int(self.micros())),
            holder => self.kept(holder)?.raw().value(place.at as usize),
        }
    }

    fn any_element(&self, slot: Slot, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.elements(slot, test)
    }

    fn in_category(&self, category: &[u8]) -> bool {
        let tree = self.sending.categories;
        let Some(category) = tree.number(category) else {
            return false;
        };
        let known = self.sets.contains(self.set, category);
        known.unwrap_or_else(|| {
            let kept = self.sending.parents.iter().chain(self.sending.global);
            let events = std::iter::once(self.sending.event).chain(kept.map(|kept| kept.raw()));
            let mut own = events.flat_map(|event| event.categories());
            own.any(|own| {
                let mut ancestors =
                    std::iter::successors(Some(*own), |category| tree.parent(*category));
                ancestors.any(|ancestor| ancestor == category)
            })
        })
    }

    fn level(&self) -> Option<Level> {
        Some(self.sending.level)
    }

    fn source(&self) -> Option<&Source<'_>> {
        self.source
            .get_or_init(|| self.sending.event.source())
            .as_ref()
    }
}
