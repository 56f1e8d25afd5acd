//! The classes of events seen lately.
//!
//! A [`Matcher`](fantail_filter::Matcher) finds an event's class by its name,
//! by asking for the categories that matter, and by its level. Here the name,
//! the number of the set of categories and the level are looked up at once. A
//! cache of fixed size: where two kinds of events would have one place, the
//! older one is looked for again.

use std::cell::Cell;

use fantail_event::{Level, same_name};
use fantail_filter::{ClassId, Matcher};

use super::{keys, sets::SetId};

/// Pairs of places; a power of two. A mail server sends some hundred kinds.
const PAIRS: usize = 256;
/// Events with longer names are not remembered.
const NAME: usize = 128;

/// What the class of an event follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) categories: SetId,
    pub(super) level: Level,
}

#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Twice [`PAIRS`] of them, or none.
    entries: Vec<Option<Entry>>,
}

/// Where a class is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassAt(usize);

/// What the events of a class had in common so far.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// See [`SlotEvent::wanted`](super::slots::SlotEvent::wanted).
    pub(super) wanted: Cell<u64>,
    /// Where the filters that all of them match are known as a list; 0 where
    /// they are not.
    pub(super) list: Cell<u32>,
}

#[derive(Debug)]
struct Entry {
    has_name: bool,
    name: Vec<u8>,
    categories: SetId,
    level: Level,
    class: ClassId,
    learned: Learned,
}

impl Learned {
    /// Nothing, and nothing can be.
    pub(super) const fn anything() -> Self {
        Self {
            wanted: Cell::new(u64::MAX),
            list: Cell::new(0),
        }
    }
}

impl Entry {
    #[inline]
    fn is_of(&self, traits: Traits<'_>) -> bool {
        self.categories == traits.categories
            && self.level == traits.level
            && self.has_name == traits.name.is_some()
            && same_name(&self.name, traits.name.unwrap_or_default())
    }
}

impl Classes {
    /// The class, if it is remembered, and `matcher` forgot none since.
    #[inline]
    pub(super) fn find(&self, traits: Traits<'_>, matcher: &Matcher) -> Option<(ClassId, ClassAt)> {
        let first = place(traits);
        let pair = self.entries.get(first..first + 2)?;
        let is_it = |entry: &Entry| entry.is_of(traits) && matcher.is_current(entry.class);
        let mut entries = (first..).zip(pair);
        let (at, entry) = entries.find_map(|(at, entry)| {
            Some((at, entry.as_ref()?)).filter(|(_, entry)| is_it(entry))
        })?;
        Some((entry.class, ClassAt(at)))
    }

    /// What was learned of a class that was found.
    #[inline]
    pub(super) fn learned(&self, at: ClassAt) -> Option<&Learned> {
        Some(&self.entries.get(at.0)?.as_ref()?.learned)
    }

    /// Remembers a class that its matcher remembers.
    #[cold]
    pub(super) fn remember(&mut self, traits: Traits<'_>, class: ClassId) -> Option<ClassAt> {
        let name = traits.name.unwrap_or_default();
        if traits.categories == SetId::UNKNOWN || name.len() > NAME {
            return None;
        }
        if self.entries.is_empty() {
            self.entries.resize_with(2 * PAIRS, Default::default);
        }
        let at = place(traits);
        let [first, second, ..] = self.entries.get_mut(at..)? else {
            return None;
        };
        let is_known = |entry: &Option<Entry>| entry.as_ref().is_some_and(|it| it.is_of(traits));
        if !is_known(first) {
            std::mem::swap(first, second);
        }
        // Its memory is taken over.
        let mut bytes = first.take().map(|entry| entry.name).unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(name);
        *first = Some(Entry {
            has_name: traits.name.is_some(),
            name: bytes,
            categories: traits.categories,
            level: traits.level,
            class,
            learned: Learned::default(),
        });
        Some(ClassAt(at))
    }
}

/// The first of two places.
#[inline]
fn place(traits: Traits<'_>) -> usize {
    let name = keys::hash(traits.name.unwrap_or_default());
    let others = traits.categories.0.wrapping_mul(8) + u32::from(traits.level.to_wire());
    (name ^ others.wrapping_mul(0x9e37_79b1) >> 8) as usize % PAIRS * 2
}
