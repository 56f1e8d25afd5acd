//! One sending of an event as it was read.

use alloc::{borrow::Cow, vec::Vec};

use crate::{
    CategoryId, CategoryTree, Event, Field, KeptEvent, Level, RawEvent, SentEvent, Value,
    flatten::join,
};

/// The key of what each event is sent with, whatever its sender says.
const DURATION: &[u8] = b"duration";
/// Up to so many fields, looking through them is the fastest way; a bit each.
const FEW: u32 = u128::BITS;

/// One sending: what [`SentEvent`] is of [`Event`]s.
///
/// The field `duration` is not among the event's own: as for each event that
/// Dovecot's stats process gets, it is
/// [`RawEvent::duration_micros`], whatever the sender says it is.
#[derive(Debug, Clone, Copy)]
pub struct RawSending<'a> {
    /// The level of this sending.
    pub level: Level,
    /// The event itself.
    pub event: RawEvent<'a>,
    /// Its ancestors, nearest first.
    pub parents: &'a [&'a KeptEvent],
    /// The global event, then its ancestors, nearest first; empty for none.
    pub global: &'a [&'a KeptEvent],
    /// The categories known, with their parents.
    pub categories: &'a CategoryTree,
}

impl<'a> RawSending<'a> {
    /// Calls `run` with the same as a [`SentEvent`], `duration` included.
    ///
    /// It allocates: the event's fields, and those of its ancestors when they
    /// are asked for that way for the first time.
    pub fn with_sent<R>(&self, run: impl FnOnce(&SentEvent<'_>) -> R) -> R {
        let mut event = self.event.to_event(self.categories);
        event.set(DURATION, Value::Int(self.event.duration_micros()));
        let parents = self.parents.iter().map(|kept| kept.event(self.categories));
        let parents: Vec<&Event<'_>> = parents.collect();
        let global = self.global.iter().map(|kept| kept.event(self.categories));
        let global: Vec<&Event<'_>> = global.collect();
        run(&SentEvent {
            level: self.level,
            event: &event,
            parents: &parents,
            global: &global,
            categories: self.categories,
        })
    }
    /// What [`SentEvent::flatten`] gives of the same, borrowed from the texts.
    #[must_use]
    pub fn flatten(&self) -> Event<'a> {
        let own = self.event;
        let mut flat = Flat {
            fields: Vec::new(),
            seen: [0; 256],
            set: 0,
        };
        let count = self.downward().map(|event| event.len()).sum::<usize>() + 1;
        let is_simple = count <= FEW as usize && {
            flat.fields.reserve_exact(count);
            self.downward().all(|event| flat.add(event)) && flat.add_duration(own)
        };
        if !is_simple {
            return self.with_sent(|sent| sent.flatten().into_owned());
        }
        let mut event = Event::new(own.created());
        event.name = own.name().map(Cow::Borrowed);
        event.sent = own.sent();
        event.source = own.source();
        event.always_log_source = own.parts.always_log_source;
        let names = self.all_categories().into_iter();
        event.categories = names
            .filter_map(|category| self.categories.name(category))
            .map(Cow::Borrowed)
            .collect();
        event.replace_fields(flat.fields);
        event
    }

    /// The global event's chain from its root down, then the event's own.
    fn downward(&self) -> impl Iterator<Item = RawEvent<'a>> + use<'a> {
        let inherited = self.global.iter().rev().chain(self.parents.iter().rev());
        let inherited = inherited.map(|kept| kept.raw());
        inherited.chain(core::iter::once(self.event))
    }

    /// All categories with their ancestors, each once.
    fn all_categories(&self) -> Vec<CategoryId> {
        let mut found = Vec::new();
        for own in self.downward().flat_map(|event| event.categories()) {
            let mut next = Some(*own);
            while let Some(category) = next {
                if !found.contains(&category) {
                    found.push(category);
                }
                next = self.categories.parent(category);
            }
        }
        found
    }
}

/// Fields of several events, each key once.
struct Flat<'a> {
    fields: Vec<Field<'a>>,
    /// For each hash of a key, one more than the first place with it; 0 for
    /// none. Most keys are new, and this shows it at once.
    seen: [u8; 256],
    /// A bit for each that the current event has set.
    set: u128,
}

impl<'a> Flat<'a> {
    /// Adds those of the next event; `false` if it names a key twice: then
    /// the first value was joined to what it should have been replaced by.
    fn add(&mut self, event: RawEvent<'a>) -> bool {
        self.set = 0;
        for at in 0..event.len() {
            let (Some(key), Some(value)) = (event.key(at), event.owned_value(at)) else {
                continue;
            };
            let place = self.place(key);
            if place < self.fields.len() && self.set & (1 << place) != 0 {
                return false;
            }
            self.put(place, key, value);
        }
        true
    }

    fn add_duration(&mut self, own: RawEvent<'a>) -> bool {
        let place = self.place(DURATION);
        self.put(place, DURATION, Value::Int(own.duration_micros()));
        true
    }

    fn place(&self, key: &[u8]) -> usize {
        let is_at = |at: &usize| self.fields.get(*at).is_some_and(|it| *it.key == *key);
        let seen = self.seen.get(hash(key)).copied().unwrap_or_default();
        match usize::from(seen).checked_sub(1) {
            None => self.fields.len(),
            Some(first) if is_at(&first) => first,
            Some(first) => {
                let others = first + 1..self.fields.len();
                others.into_iter().find(is_at).unwrap_or(self.fields.len())
            }
        }
    }

    fn put(&mut self, place: usize, key: &'a [u8], value: Value<'a>) {
        self.set |= 1 << place;
        match self.fields.get_mut(place) {
            Some(field) => {
                field.value = match value {
                    Value::List(_) => join(Some(&field.value), &value),
                    value => value,
                };
            }
            None => {
                if let Some(seen @ 0) = self.seen.get_mut(hash(key)) {
                    // At most FEW places.
                    *seen = u8::try_from(place + 1).unwrap_or_default();
                }
                self.fields.push(Field {
                    key: Cow::Borrowed(key),
                    value,
                });
            }
        }
    }
}

/// Of the length and three of the bytes; below 256.
fn hash(key: &[u8]) -> usize {
    let byte = |at: usize| usize::from(key.get(at).copied().unwrap_or_default());
    let last = byte(key.len().saturating_sub(1));
    (key.len() + 7 * byte(0) + 31 * byte(key.len() / 2) + 101 * last) % 256
}
