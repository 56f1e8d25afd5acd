//! From a sent event to the filters that it matches, without comparing keys for
//! each filter.
//!
//! 1. Each key of the event is looked up once among those that filters and
//!    metrics name, in a table made of the configuration ([`keys`]). What an
//!    ancestor has of them is remembered by its number ([`memos`]).
//! 2. Where each value is, is entered by slot ([`slots`]); a value is read when
//!    a filter or metric asks for it.
//! 3. The class of the event follows from its name, the number of its category
//!    set ([`category_sets`]) and its level; classes are cached
//!    ([`class_cache`]).
//!
//! Invariants: for any event the answers are those of asking its
//! [`EventView`](fantail_event::EventView) by key. What is remembered is bounded
//! for any input; once a few events of a class were seen, another one
//! allocates nothing.

mod category_sets;
mod class_cache;
mod keys;
mod memos;
mod metric;
mod slots;

use std::cell::Cell;

use fantail_event::{EventView, LiveId, SentEvent};
use fantail_filter::{
    FilterId, FilterSet, Matcher,
    internal::{ClassId, ClassMatcher as _, Slots},
};

pub use self::metric::CountedEvent;
use self::{
    category_sets::{CategorySetId, CategorySets},
    class_cache::{ClassCache, ClassIndex, ClassKey, ClassStats},
    memos::SlotMemos,
    slots::SlotTable,
};
pub(crate) use self::{
    metric::{MetricEvent, MetricSlots},
    slots::SlotEvent,
};

/// The caches of one engine for one set of slots.
#[derive(Debug)]
pub(crate) struct EventSlots {
    table: SlotTable,
    sets: CategorySets,
    memos: SlotMemos,
    /// The category tree of the sets and memos; 0 is none.
    tree: u64,
}

/// A sent event with which [`EventSlots`] were begun.
#[derive(Clone, Copy)]
pub(crate) struct Begun<'a> {
    slots: &'a EventSlots,
    sent: &'a SentEvent<'a>,
    set: CategorySetId,
}

impl EventSlots {
    pub(crate) fn new(slots: &Slots) -> Self {
        Self {
            table: SlotTable::new(slots),
            sets: CategorySets::new(),
            memos: SlotMemos::default(),
            tree: 0,
        }
    }

    /// Begins with an event.
    #[inline(always)] // One caller, on the path of each event.
    pub(crate) fn begin<'a>(&'a mut self, sent: &'a SentEvent<'a>) -> Begun<'a> {
        if self.tree != sent.categories.identity() {
            self.follow(sent);
        }
        let set = self.table.begin(sent, &mut self.sets, &mut self.memos);
        Begun {
            slots: self,
            sent,
            set,
        }
    }

    /// The numbers of categories are those of one tree.
    #[cold]
    fn follow(&mut self, sent: &SentEvent<'_>) {
        self.tree = sent.categories.identity();
        self.sets = CategorySets::new();
        self.memos = SlotMemos::default();
    }

    /// Forgets a live event that ended.
    /// The bytes that are kept for live events.
    pub(crate) const fn memo_bytes(&self) -> usize {
        self.memos.bytes()
    }

    pub(crate) fn forget(&mut self, id: LiveId) {
        self.memos.forget(id);
    }
}

impl<'a> Begun<'a> {
    fn class_key(&self) -> ClassKey<'a> {
        ClassKey {
            name: self.sent.event.name(),
            categories: self.set,
            level: self.sent.level,
        }
    }

    /// Its values by slot.
    #[inline(always)]
    fn event(self, stats: &'a ClassStats) -> SlotEvent<'a> {
        SlotEvent {
            sent: self.sent,
            table: &self.slots.table,
            sets: &self.slots.sets,
            memos: &self.slots.memos,
            set: self.set,
            wanted: &stats.wanted,
            micros: Cell::new(-1),
        }
    }
}

/// The filters of one set, with what is remembered of the classes of events.
#[derive(Debug)]
pub(crate) struct SetMatcher {
    matcher: Matcher,
    classes: ClassCache,
    /// The tree of the categories in the classes; 0 is none.
    tree: u64,
    /// For events whose class is not cached.
    uncached: ClassStats,
    /// The classes of events without categories, by the numbers of the caller.
    numbered: Vec<Option<NumberedClass>>,
}

/// A class that a caller has numbered.
#[derive(Debug)]
struct NumberedClass {
    class: ClassId,
    /// As in [`ClassStats`].
    list: Cell<u32>,
}

/// A match of an event against a set.
pub(crate) struct Matched<'a> {
    /// The filters that match, ascending.
    pub(crate) filters: &'a [FilterId],
    /// The number of this list in the cohort cache, stored by the class, if
    /// each event of the class matches the list.
    pub(crate) list: Option<&'a Cell<u32>>,
}

impl SetMatcher {
    pub(crate) fn new() -> Self {
        Self {
            matcher: Matcher::new(),
            classes: ClassCache::default(),
            tree: 0,
            uncached: ClassStats::uncached(),
            numbered: Vec::new(),
        }
    }

    /// Matches an event without categories; events with one number have one name and one
    /// level.
    #[inline]
    pub(crate) fn match_numbered<V: CountedEvent>(
        &mut self,
        filters: &FilterSet,
        number: usize,
        event: &V,
    ) -> Matched<'_> {
        let known = self.numbered.get(number).and_then(Option::as_ref);
        if known.is_none_or(|known| !self.matcher.is_current(known.class)) {
            self.number(filters, number, event);
        }
        let known = self.numbered.get(number).and_then(Option::as_ref);
        let Some(known) = known else {
            let class = self.matcher.classify(filters, event);
            let matches = self.matcher.match_class(filters, class, event);
            return Matched {
                filters: matches.filters,
                list: None,
            };
        };
        let matches = self.matcher.match_class(filters, known.class, event);
        Matched {
            filters: matches.filters,
            list: matches.always.then_some(&known.list),
        }
    }

    /// Finds the class with a number, unless its matcher cannot cache it.
    #[cold]
    fn number<V: CountedEvent>(&mut self, filters: &FilterSet, number: usize, event: &V) {
        let class = self.matcher.classify(filters, event);
        if self.numbered.len() <= number {
            self.numbered.resize_with(number + 1, || None);
        }
        self.numbered[number] = self.matcher.remembers(class).then(|| NumberedClass {
            class,
            list: Cell::new(0),
        });
    }

    /// Matches an event by slots; returns its values and the filters.
    #[inline(always)] // The values are built where they are used.
    pub(crate) fn match_slots<'a>(
        &'a mut self,
        filters: &FilterSet,
        begun: Begun<'a>,
    ) -> (SlotEvent<'a>, Matched<'a>) {
        if self.tree != begun.slots.tree {
            self.tree = begun.slots.tree;
            self.classes = ClassCache::default();
        }
        let key = begun.class_key();
        let (class, index) = match self.classes.find(key, &self.matcher) {
            Some((class, index)) => (class, Some(index)),
            None => self.classify(filters, begun, key),
        };
        let known = index.and_then(|index| self.classes.stats(index));
        let event = begun.event(known.unwrap_or(&self.uncached));
        let matches = self.matcher.match_class(filters, class, &event);
        let matched = Matched {
            filters: matches.filters,
            list: match matches.always {
                true => known.map(|known| &known.list),
                false => None,
            },
        };
        (event, matched)
    }

    /// Finds the class of an event, and caches it if that is possible.
    #[cold]
    fn classify(
        &mut self,
        filters: &FilterSet,
        begun: Begun<'_>,
        key: ClassKey<'_>,
    ) -> (ClassId, Option<ClassIndex>) {
        let event = begun.event(&self.uncached);
        let class = self.matcher.classify(filters, &event);
        let index = match self.matcher.remembers(class) {
            true => self.classes.remember(key, class),
            false => None,
        };
        (class, index)
    }

    /// Matches an event of another type by its keys.
    pub(crate) fn match_keys<E: EventView + ?Sized>(
        &mut self,
        filters: &FilterSet,
        event: &E,
    ) -> &[FilterId] {
        self.matcher.evaluate(filters, event)
    }
}
