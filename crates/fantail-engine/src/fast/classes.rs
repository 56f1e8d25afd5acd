//! The classes of events seen lately.
//!
//! A [`Matcher`](fantail_filter::Matcher) finds an event's class by its name,
//! by asking for the categories that matter, and by its level. Here the name,
//! the number of the set of categories and the level are looked up at once. A
//! cache of fixed size: where two kinds of events would have one place, the
//! older one is looked for again.

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
    pairs: Vec<[Option<Entry>; 2]>,
}

#[derive(Debug)]
struct Entry {
    has_name: bool,
    name: Vec<u8>,
    categories: SetId,
    level: Level,
    class: ClassId,
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
    /// The class, if it is remembered, and still that of `matcher`.
    #[inline]
    pub(super) fn find(&self, traits: Traits<'_>, matcher: &Matcher) -> Option<ClassId> {
        let pair = self.pairs.get(place(traits))?;
        let mut entries = pair.iter().flatten();
        let entry = entries.find(|entry| entry.is_of(traits))?;
        Some(entry.class).filter(|class| matcher.remembers(*class))
    }

    #[cold]
    pub(super) fn remember(&mut self, traits: Traits<'_>, class: ClassId) {
        let name = traits.name.unwrap_or_default();
        if traits.categories == SetId::UNKNOWN || name.len() > NAME {
            return;
        }
        if self.pairs.is_empty() {
            self.pairs.resize_with(PAIRS, Default::default);
        }
        let Some(pair) = self.pairs.get_mut(place(traits)) else {
            return;
        };
        let [first, second] = pair;
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
        });
    }
}

#[inline]
fn place(traits: Traits<'_>) -> usize {
    let name = keys::hash(traits.name.unwrap_or_default());
    let others = traits.categories.0.wrapping_mul(8) + u32::from(traits.level.to_wire());
    (name ^ others.wrapping_mul(0x9e37_79b1) >> 8) as usize % PAIRS
}
