//! What an event inherits, found without making an event of it.
//!
//! The fields of a [`RawSending`] with those of its ancestors are a list of
//! places: which of them holds the value, and where. The list, the hashes by
//! which keys are found again, and lists that were joined lie in buffers that
//! outlive the event.
//!
//! Invariant: what a [`Flat`] of it reads is what
//! [`SentEvent::flatten`](crate::SentEvent::flatten) gives for the same.

use alloc::vec::Vec;

use crate::{
    CategoryId, Event, Flat, RawEvent, RawSending,
    flat::{Fields, Raw},
    raw::{RawValue, Span},
};

/// The key of what each event is sent with, whatever its sender says.
pub(crate) const DURATION: &[u8] = b"duration";
/// Up to so many fields, looking through them is the fastest way; a bit each.
const FEW: u32 = u128::BITS;

/// Where a field of a sending is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// See [`RawSending::holder`].
    pub(crate) holder: u32,
    pub(crate) at: u32,
    pub(crate) value: Placed,
}

/// What its value is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placed {
    /// What stands there.
    Own,
    /// The duration of this sending.
    Duration,
    /// These of the joined elements.
    Joined { start: usize, end: usize },
}

/// An element of a list of one of the events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element {
    holder: u32,
    span: Span,
}

impl Element {
    pub(crate) fn of<'a>(&self, sending: &RawSending<'a>) -> &'a [u8] {
        self.span.of(sending.holder(self.holder).text)
    }
}

/// Buffers for what events inherit, to be used for one after another.
#[derive(Debug)]
pub struct Gather {
    places: Vec<Place>,
    elements: Vec<Element>,
    categories: Vec<CategoryId>,
    /// For each hash of a key, one more than the first place with it; 0 for
    /// none. Most keys are new, and this shows it at once.
    seen: [u8; 256],
    /// An event that is flattened some other way.
    odd: Event<'static>,
}

impl Default for Gather {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            elements: Vec::new(),
            categories: Vec::new(),
            seen: [0; 256],
            odd: Event::default(),
        }
    }
}

impl Gather {
    /// Buffers without anything in them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that the event has and inherits: what
    /// [`SentEvent::flatten`](crate::SentEvent::flatten) gives of the same.
    ///
    /// It allocates for what it did not meet before: more fields or categories
    /// than ever, and each event that names a key twice or has very many
    /// fields.
    pub fn gather<'g>(&'g mut self, sending: &'g RawSending<'_>) -> Flat<'g> {
        self.clear();
        let own = match sending.parents.is_empty() && sending.global.is_empty() {
            true => self.own(sending.event),
            false => None,
        };
        if own.is_some() || self.fields(sending) {
            self.categories(sending);
            return Flat::from(Raw {
                sending,
                fields: match own {
                    Some(duration) => Fields::Own { duration },
                    None => Fields::Places(&self.places),
                },
                elements: &self.elements,
                categories: &self.categories,
            });
        }
        self.odd = sending.with_sent(|sent| sent.flatten().into_owned());
        Flat::from(&self.odd)
    }

    fn clear(&mut self) {
        self.places.clear();
        self.elements.clear();
        self.categories.clear();
        self.seen = [0; 256];
    }

    /// Where the duration belongs in an event that inherits nothing; `None` if
    /// it has very many fields, or a key stands in it twice.
    fn own(&mut self, event: RawEvent<'_>) -> Option<usize> {
        if event.len() >= FEW as usize {
            return None;
        }
        let fields = &event.parts.fields;
        let mut duration = fields.len();
        for (at, field) in fields.iter().enumerate() {
            let key = field.key.of(event.text);
            if key == DURATION {
                duration = at;
            }
            let seen = self.seen.get_mut(hash(key))?;
            let before = usize::from(*seen).checked_sub(1);
            if let Some(first) = before {
                let mut others = fields.get(first..at)?.iter();
                if others.any(|other| other.key.of(event.text) == key) {
                    // The next way begins with nothing seen.
                    self.seen = [0; 256];
                    return None;
                }
            } else {
                *seen = u8::try_from(at + 1).ok()?;
            }
        }
        Some(duration)
    }

    /// Finds all fields; `false` if that is too much, or a key stands twice in
    /// an event: then its first value would be joined to what it should have
    /// been replaced by.
    fn fields(&mut self, sending: &RawSending<'_>) -> bool {
        let count = sending.downward().map(|(_, event)| event.len());
        if count.sum::<usize>() >= FEW as usize {
            return false;
        }
        for (holder, event) in sending.downward() {
            let mut set = 0_u128;
            for at in 0..event.len() {
                let Some(place) = self.field(sending, (holder, event), at) else {
                    return false;
                };
                let bit = 1_u128.checked_shl(place).unwrap_or_default();
                if set & bit != 0 {
                    return false;
                }
                set |= bit;
            }
        }
        let (known, hash) = self.find(sending, DURATION);
        match self.places.get_mut(known) {
            Some(place) => place.value = Placed::Duration,
            None => self.add(hash, 0, u32::MAX, Placed::Duration),
        }
        true
    }

    /// Puts a field where it belongs; which place that is.
    #[inline]
    fn field(
        &mut self,
        sending: &RawSending<'_>,
        (holder, event): (u32, RawEvent<'_>),
        at: usize,
    ) -> Option<u32> {
        let field = event.parts.fields.get(at)?;
        let (known, hash) = self.find(sending, field.key.of(event.text));
        // Below FEW, both of them.
        let (place, at) = (u32::try_from(known).ok()?, u32::try_from(at).ok()?);
        let Some(old) = self.places.get(known).copied() else {
            self.add(hash, holder, at, Placed::Own);
            return Some(place);
        };
        let value = match field.value {
            RawValue::List(list) => self.join(sending, old, (holder, list)),
            _ => Placed::Own,
        };
        *self.places.get_mut(known)? = Place { holder, at, value };
        Some(place)
    }

    fn add(&mut self, hash: usize, holder: u32, at: u32, value: Placed) {
        self.places.push(Place { holder, at, value });
        if let Some(seen @ 0) = self.seen.get_mut(hash) {
            // At most FEW places.
            *seen = u8::try_from(self.places.len()).unwrap_or_default();
        }
    }

    /// The place with this key, or the next free one, and the key's hash.
    #[inline]
    fn find(&self, sending: &RawSending<'_>, key: &[u8]) -> (usize, usize) {
        let hash = hash(key);
        let seen = self.seen.get(hash).copied().unwrap_or_default();
        let place = match usize::from(seen).checked_sub(1) {
            None => self.places.len(),
            Some(first) => self.find_from(first, sending, key),
        };
        (place, hash)
    }

    fn find_from(&self, first: usize, sending: &RawSending<'_>, key: &[u8]) -> usize {
        let places = self.places.get(first..).unwrap_or_default();
        let mut keys = places.iter().map(|place| {
            let event = sending.holder(place.holder);
            event.key(place.at as usize)
        });
        // `duration`, if nobody has it, comes last: nobody looks for it then.
        let found = keys.position(|known| known == Some(key));
        found.map_or(self.places.len(), |found| first + found)
    }

    /// The elements of what stands there and of a new list, without those of
    /// the new one that are there already.
    #[cold]
    fn join(&mut self, sending: &RawSending<'_>, old: Place, new: (u32, Span)) -> Placed {
        let start = self.elements.len();
        let event = sending.holder(old.holder);
        let value = event.parts.fields.get(old.at as usize).map(|it| it.value);
        match (old.value, value) {
            (Placed::Joined { start, end }, _) => self.elements.extend_from_within(start..end),
            (Placed::Own, Some(RawValue::List(list))) => {
                let spans = event.parts.elements(list).iter();
                let holder = old.holder;
                let elements = spans.map(|span| Element {
                    holder,
                    span: *span,
                });
                self.elements.extend(elements);
            }
            _ => return Placed::Own,
        }
        let (holder, list) = new;
        for span in sending.holder(holder).parts.elements(list) {
            let element = Element {
                holder,
                span: *span,
            };
            let text = element.of(sending);
            let before = self.elements.get(start..).unwrap_or_default();
            if !before.iter().any(|known| known.of(sending) == text) {
                self.elements.push(element);
            }
        }
        Placed::Joined {
            start,
            end: self.elements.len(),
        }
    }

    /// All categories with their ancestors, each once.
    fn categories(&mut self, sending: &RawSending<'_>) {
        let found = &mut self.categories;
        let own = sending.downward().flat_map(|(_, event)| event.categories());
        for own in own {
            let mut next = Some(*own);
            while let Some(category) = next {
                if found.contains(&category) {
                    // So are its ancestors.
                    break;
                }
                found.push(category);
                next = sending.categories.parent(category);
            }
        }
    }
}

/// Of the length and the last bytes; below 256.
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
