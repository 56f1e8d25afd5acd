//! Finds the fields and categories that an event has and inherits.
//!
//! The result is a list of positions: the event that holds a value, and the index
//! of the field there. This list, the index of keys and joined lists are kept in
//! buffers that are reused for the next event.

mod by_map;
mod lists;

use alloc::vec::Vec;

use self::lists::List;
use super::{EffectiveEvent, Fields, Spans};
use crate::{
    CategoryId, DURATION, EventRef, SentEvent,
    event::{
        parts::{FieldSpan, ValueSpan},
        positions::EventPositions as _,
        repeated,
    },
    invariant::Invariant as _,
    value::JoinedElement,
};

/// Events with fewer fields than this, those of ancestors included, are gathered
/// without a map: one bit and one byte per field are enough.
const MAX_HASHED_FIELDS: usize = u128::BITS as usize;

/// Where a field of the effective event is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldPosition {
    /// See [`SentEvent::holder`].
    pub(crate) holder: u32,
    pub(crate) at: u32,
    pub(crate) value: Inherited,
}

/// How the value of a field is found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inherited {
    /// The value of the field. If it is a list, it has one element.
    AsSent,
    /// The duration of this sending.
    Duration,
    /// The chain of lists from `first` to `last`, which are joined after all fields
    /// were found.
    Lists { first: u32, last: u32 },
    /// A range of the joined elements.
    Joined { start: usize, end: usize },
}

/// Reusable buffers for the fields and categories that events inherit.
///
/// ```
/// use fantail_event::{EffectiveBuffers, Event, SentEvent, Timestamp, ValueRef};
///
/// let event = Event::builder(Timestamp::from_unix_micros(0)).field("user", "anna").build()?;
/// let mut buffers = EffectiveBuffers::new();
/// let sent = SentEvent::alone(&event);
/// let effective = buffers.gather(&sent);
/// assert_eq!(effective.field(b"user"), Some(ValueRef::Str(b"anna")));
/// // Each event has a duration.
/// assert_eq!(effective.field(b"duration"), Some(ValueRef::Int(0)));
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Default)]
pub struct EffectiveBuffers {
    positions: Vec<FieldPosition>,
    /// Lists to join.
    lists: Vec<List>,
    elements: Vec<JoinedElement>,
    categories: Vec<CategoryId>,
    /// By hash of a key: 1 + the first position with it, or 0. Most keys are new,
    /// which this table shows without a comparison.
    first_positions: FirstPositions,
    /// The distinct fields of an event that repeats a key.
    distinct: Vec<FieldSpan>,
}

#[derive(Debug)]
struct FirstPositions([u8; 256]);

impl Default for FirstPositions {
    fn default() -> Self {
        Self([0; 256])
    }
}

/// A sent event, with its own fields without repetition.
#[derive(Clone, Copy)]
struct Distinct<'a> {
    sent: &'a SentEvent<'a>,
    own: &'a [FieldSpan],
}

impl<'a> Distinct<'a> {
    fn field(self, holder: u32, at: u32) -> Option<(EventRef<'a>, &'a FieldSpan)> {
        let event = self.sent.holder(holder);
        Some((event, self.fields(holder, event).get(at as usize)?))
    }

    #[inline]
    fn fields(self, holder: u32, event: EventRef<'a>) -> &'a [FieldSpan] {
        match holder {
            0 => self.own,
            _ => &event.parts.fields,
        }
    }
}

impl EffectiveBuffers {
    /// Creates empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds all fields and categories that the event has and inherits.
    ///
    /// Allocates if an event has more fields or categories than any before, and for
    /// each event with 128 fields or more, inherited ones included.
    pub fn gather<'g>(&'g mut self, sent: &'g SentEvent<'_>) -> EffectiveEvent<'g> {
        self.positions.clear();
        self.lists.clear();
        self.elements.clear();
        self.categories.clear();
        self.gather_categories(sent);
        let event = sent.event;
        let mut distinct = core::mem::take(&mut self.distinct);
        distinct.clear();
        let inherits = !(sent.parents.is_empty() && sent.global.is_empty());
        let mut duration = None;
        let is_done = match inherits {
            false => {
                duration = self.own_duration(event);
                duration.is_some()
            }
            true => self.gather_hashed(sent),
        };
        if !is_done {
            // Many fields, or a repeated key.
            distinct.extend_from_slice(&event.parts.fields);
            repeated::merge(&mut distinct, event.text);
            let own = &distinct;
            match inherits {
                false => {
                    let mut keys = own.iter().map(|field| field.key.of(event.text));
                    duration = Some(keys.position(|key| key == DURATION).unwrap_or(own.len()));
                }
                true => self.gather_by_map(Distinct { sent, own }),
            }
        }
        self.distinct = distinct;
        if !self.lists.is_empty() {
            self.join_lists(sent);
        }
        EffectiveEvent::of_spans(Spans {
            sent,
            own: match is_done {
                true => &event.parts.fields,
                false => &self.distinct,
            },
            fields: match duration {
                Some(duration) => Fields::Own { duration },
                None => Fields::Inherited(&self.positions),
            },
            elements: &self.elements,
            categories: &self.categories,
        })
    }

    /// The position of the duration in an event that inherits nothing; `None` if the
    /// event has many fields or repeats a key.
    fn own_duration(&mut self, event: EventRef<'_>) -> Option<usize> {
        let fields = &event.parts.fields;
        if fields.len() >= MAX_HASHED_FIELDS {
            return None;
        }
        let first_positions = &mut self.first_positions.0;
        first_positions.fill(0);
        let mut duration = fields.len();
        for (at, field) in fields.iter().enumerate() {
            let key = field.key.of(event.text);
            if key == DURATION {
                duration = at;
            }
            let first = first_positions.get_mut(hash(key))?;
            if let Some(before) = usize::from(*first).checked_sub(1) {
                let mut others = fields.get(before..at)?.iter();
                if others.any(|other| other.key.of(event.text) == key) {
                    return None;
                }
            } else {
                *first = u8::try_from(at + 1).ok()?;
            }
        }
        Some(duration)
    }

    /// Finds all fields; `false` if the event has many, or repeats a key: a repeated
    /// list replaces the first, but would be joined to it here.
    fn gather_hashed(&mut self, sent: &SentEvent<'_>) -> bool {
        let counts = sent.chain().map(|event| event.parts.fields.len());
        if counts.sum::<usize>() >= MAX_HASHED_FIELDS {
            return false;
        }
        self.first_positions.0.fill(0);
        for (holder, event) in sent.downward() {
            let mut seen = 0_u128;
            for (at, field) in event.parts.fields.iter().enumerate() {
                if field.is_empty_list() {
                    if event.repeats_key(at) {
                        return false;
                    }
                    continue;
                }
                let Some(position) = self.add_hashed(sent, (holder, event), at) else {
                    return false;
                };
                let bit = 1_u128.checked_shl(position).always();
                if seen & bit != 0 {
                    return false;
                }
                seen |= bit;
            }
        }
        let (known, hash) = self.find(sent, DURATION);
        match self.positions.get_mut(known) {
            Some(position) => position.value = Inherited::Duration,
            None => self.push(hash, 0, u32::MAX, Inherited::Duration),
        }
        true
    }

    /// Adds a field, or replaces the value of its key; returns the position.
    #[inline]
    fn add_hashed(
        &mut self,
        sent: &SentEvent<'_>,
        (holder, of): (u32, EventRef<'_>),
        at: usize,
    ) -> Option<u32> {
        let field = of.parts.fields.get(at)?;
        let (known, hash) = self.find(sent, field.key.of(of.text));
        // Both are below MAX_HASHED_FIELDS.
        let (position, at) = (u32::try_from(known).ok()?, u32::try_from(at).ok()?);
        match known < self.positions.len() {
            true => {
                // If a key is repeated, the result is discarded.
                let own = &sent.event.parts.fields;
                self.replace(Distinct { sent, own }, known, (holder, at), field.value);
            }
            false => {
                let value = self.inherit((holder, field.value));
                self.push(hash, holder, at, value);
            }
        }
        Some(position)
    }

    fn push(&mut self, hash: usize, holder: u32, at: u32, value: Inherited) {
        self.positions.push(FieldPosition { holder, at, value });
        if let Some(first @ 0) = self.first_positions.0.get_mut(hash) {
            // At most MAX_HASHED_FIELDS.
            *first = u8::try_from(self.positions.len()).always();
        }
    }

    /// Replaces the value at a position.
    #[inline]
    fn replace(
        &mut self,
        event: Distinct<'_>,
        known: usize,
        (holder, at): (u32, u32),
        value: ValueSpan,
    ) {
        let Some(old) = self.positions.get(known).copied() else {
            return;
        };
        let value = match value {
            ValueSpan::List(list) => self.add_list(event, old, (holder, list)),
            _ => Inherited::AsSent,
        };
        if let Some(position) = self.positions.get_mut(known) {
            *position = FieldPosition { holder, at, value };
        }
    }

    /// The position with this key, or the next free one, and the key's hash.
    #[inline]
    fn find(&self, sent: &SentEvent<'_>, key: &[u8]) -> (usize, usize) {
        let hash = hash(key);
        let first = self.first_positions.0.get(hash).copied();
        let position = match usize::from(first.always()).checked_sub(1) {
            None => self.positions.len(),
            Some(first) => self.find_from(first, sent, key),
        };
        (position, hash)
    }

    fn find_from(&self, first: usize, sent: &SentEvent<'_>, key: &[u8]) -> usize {
        let positions = self.positions.get(first..).always();
        // The position of a duration that no event has is added last, after all
        // searches.
        let found = positions.iter().position(|position| {
            let event = sent.holder(position.holder);
            let field = event.parts.fields.get(position.at as usize);
            field.is_some_and(|field| field.key.of(event.text) == key)
        });
        found.map_or(self.positions.len(), |found| first + found)
    }

    /// Finds all categories and their ancestors without repeats.
    fn gather_categories(&mut self, sent: &SentEvent<'_>) {
        let found = &mut self.categories;
        let mut add = |own: CategoryId| {
            let mut next = Some(own);
            while let Some(category) = next {
                if found.contains(&category) {
                    // Its ancestors were found, too.
                    break;
                }
                found.push(category);
                next = sent.categories.parent(category);
            }
        };
        for (_, event) in sent.downward() {
            match event.category_ids(sent.categories) {
                Some(ids) => ids.for_each(&mut add),
                None => {
                    let ids = event.look_up_categories(sent.categories);
                    ids.into_iter().for_each(&mut add);
                }
            }
        }
    }
}

/// A hash of the length and the last bytes; below 256.
#[inline]
fn hash(key: &[u8]) -> usize {
    let last = match key.last_chunk() {
        Some(last) => u32::from_le_bytes(*last),
        None => key
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte)),
    };
    let [length, ..] = key.len().to_le_bytes();
    let mixed = (last ^ u32::from(length)).wrapping_mul(0x9e37_79b1);
    let [.., high] = mixed.to_le_bytes();
    high.into()
}
