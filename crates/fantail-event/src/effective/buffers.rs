//! Finds what an event inherits, without making an event of it.
//!
//! The fields of a [`SentEvent`] with those of its ancestors are a list of
//! positions: which event holds the value, and where. The list, the index by
//! which keys are found again, and joined lists lie in buffers that outlive the
//! event.

mod by_map;
mod lists;

use alloc::vec::Vec;

use self::lists::List;
pub(crate) use self::lists::ListElement;

use super::{EffectiveEvent, Fields, Spans};
use crate::{
    CategoryId, DURATION, EventRef, SentEvent,
    event::{
        parts::{FieldSpan, ValueSpan},
        repeated,
    },
};

/// Events with fewer fields than this, those of ancestors included, are gathered
/// without a map: a bit and a byte for each field are enough.
const MAX_HASHED_FIELDS: usize = u128::BITS as usize;

/// Where a field of the effective event is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldPosition {
    /// See [`SentEvent::holder`].
    pub(crate) holder: u32,
    pub(crate) at: u32,
    pub(crate) value: Inherited,
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inherited {
    /// The value of the field as it was sent.
    AsSent,
    /// The duration of this sending.
    Duration,
    /// The lists from the first to the last of these, which are joined once all
    /// are found.
    Lists { first: u32, last: u32 },
    /// These of the joined elements.
    Joined { start: usize, end: usize },
}

/// Buffers for what events inherit, to be used for one event after another.
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
    /// Lists that are to be joined.
    lists: Vec<List>,
    elements: Vec<ListElement>,
    categories: Vec<CategoryId>,
    /// For each hash of a key, one more than the first position with it; 0 for
    /// none. Most keys are new, and this shows it at once.
    first_positions: FirstPositions,
    /// The fields of an event that names a key again, without repetition.
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
    /// Buffers without anything in them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds everything that the event has and inherits.
    ///
    /// It allocates when an event has more fields or categories than any
    /// before, and for each event that has, with what it inherits, 128 fields
    /// or more.
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
            // Many fields, or a key that is named again.
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

    /// The position of the duration in an event that inherits nothing; `None`
    /// if it has many fields or names a key again.
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

    /// Finds all fields; `false` if there are many, or the event names a key
    /// again: then its first value would be joined to what it should have been
    /// replaced by.
    fn gather_hashed(&mut self, sent: &SentEvent<'_>) -> bool {
        let counts = sent.chain().map(|event| event.parts.fields.len());
        if counts.sum::<usize>() >= MAX_HASHED_FIELDS {
            return false;
        }
        self.first_positions.0.fill(0);
        for (holder, event) in sent.downward() {
            let mut seen = 0_u128;
            for at in 0..event.parts.fields.len() {
                let Some(position) = self.add_hashed(sent, (holder, event), at) else {
                    return false;
                };
                let bit = 1_u128.checked_shl(position).unwrap_or_default();
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

    /// Puts a field where it belongs; returns the position.
    #[inline]
    fn add_hashed(
        &mut self,
        sent: &SentEvent<'_>,
        (holder, of): (u32, EventRef<'_>),
        at: usize,
    ) -> Option<u32> {
        let field = of.parts.fields.get(at)?;
        let (known, hash) = self.find(sent, field.key.of(of.text));
        // Below MAX_HASHED_FIELDS, both of them.
        let (position, at) = (u32::try_from(known).ok()?, u32::try_from(at).ok()?);
        match known < self.positions.len() {
            true => {
                // No key is there twice, or nobody will look at the result.
                let own = &sent.event.parts.fields;
                self.replace(Distinct { sent, own }, known, (holder, at), field.value);
            }
            false => self.push(hash, holder, at, Inherited::AsSent),
        }
        Some(position)
    }

    fn push(&mut self, hash: usize, holder: u32, at: u32, value: Inherited) {
        self.positions.push(FieldPosition { holder, at, value });
        if let Some(first @ 0) = self.first_positions.0.get_mut(hash) {
            // At most MAX_HASHED_FIELDS positions.
            *first = u8::try_from(self.positions.len()).unwrap_or_default();
        }
    }

    /// Takes a value over into a position that has one already.
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
        let position = match usize::from(first.unwrap_or_default()).checked_sub(1) {
            None => self.positions.len(),
            Some(first) => self.find_from(first, sent, key),
        };
        (position, hash)
    }

    fn find_from(&self, first: usize, sent: &SentEvent<'_>, key: &[u8]) -> usize {
        let positions = self.positions.get(first..).unwrap_or_default();
        // A duration that no event has comes last: its key is not looked for
        // any more.
        let found = positions.iter().position(|position| {
            let event = sent.holder(position.holder);
            let field = event.parts.fields.get(position.at as usize);
            field.is_some_and(|field| field.key.of(event.text) == key)
        });
        found.map_or(self.positions.len(), |found| first + found)
    }

    /// Finds all categories with their ancestors, each once.
    fn gather_categories(&mut self, sent: &SentEvent<'_>) {
        let found = &mut self.categories;
        let mut add = |own: CategoryId| {
            let mut next = Some(own);
            while let Some(category) = next {
                if found.contains(&category) {
                    // So are its ancestors.
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
