//! From an event as it was read to the filters it matches and what they count,
//! without looking anything up by its key.
//!
//! [`Engine::handle`](crate::Engine::handle) asks a `SentEvent` for each field
//! by its key: it looks through the event's fields, then those of each
//! ancestor. Here
//!
//! 1. each key that the event has is looked up once among those that filters
//!    and metrics name, in a table made of the configuration ([`keys`]);
//!    what an ancestor has of them is remembered with it
//!    ([`KeptEvent::known`](fantail_event::KeptEvent::known));
//! 2. where each value lies is noted by slot ([`slots`]), and a value is only
//!    read when a filter or metric asks for it;
//! 3. the class of the event follows from three numbers and its name
//!    ([`classes`], [`sets`]);
//! 4. metrics that take nothing but the duration, and that the same filters
//!    lead to again and again, are counted all at once ([`together`]).
//!
//! Invariants: for any event the answers are those of `handle`. What is
//! remembered is bounded whatever clients send; once a few events of a kind were
//! seen, another one allocates nothing.

mod classes;
mod keys;
mod metric;
mod sets;
mod slots;
mod together;

use std::{
    cell::{Cell, OnceCell},
    sync::atomic::{AtomicU64, Ordering},
};

use fantail_event::{RawSending, Timestamp};
use fantail_filter::{ClassId, FilterId, FilterSet, Matcher, Slot, SlotView as _};
use fantail_metrics::{MetricId, Registry};

use self::{
    classes::{ClassAt, Classes, Learned, Traits},
    metric::MetricEvent,
    sets::{CategorySets, SetId},
    slots::{SlotEvent, SlotTable},
};
pub(crate) use self::{metric::MetricSlots, together::Together};
use crate::Plan;

/// The key that each event has, whatever its sender says.
const DURATION: &[u8] = b"duration";

/// What one engine remembers for one set of filters.
#[derive(Debug)]
pub(crate) struct Fast {
    table: SlotTable,
    sets: CategorySets,
    classes: Classes,
    /// Of events whose class is not remembered: they may be asked for anything.
    unlearned: Learned,
    /// Of the tree that the sets are of.
    tree: u64,
    /// Of all that kept events may have been found out for; 0 is none.
    revision: u64,
}

impl Fast {
    /// For events to be matched against this set, as it is now.
    pub(crate) fn new(filters: &FilterSet) -> Self {
        Self {
            table: SlotTable::new(filters.slots()),
            sets: CategorySets::new(),
            classes: Classes::default(),
            unlearned: Learned::anything(),
            tree: 0,
            revision: 0,
        }
    }

    /// Matches an event.
    #[inline]
    pub(crate) fn matching<'a>(
        &'a mut self,
        filters: &FilterSet,
        matcher: &'a mut Matcher,
        sending: &'a RawSending<'a>,
    ) -> Matching<'a> {
        self.follow(sending.categories.identity());
        let set = self.table.begin(sending, &mut self.sets, self.revision);
        let traits = Traits {
            name: sending.event.name(),
            categories: set,
            level: sending.level,
        };
        let (class, at) = match self.classes.find(traits, matcher) {
            Some((class, at)) => (class, Some(at)),
            None => self.classify(filters, matcher, sending, traits),
        };
        let known = at.and_then(|at| self.classes.learned(at));
        let learned = known.unwrap_or(&self.unlearned);
        let event = self.event(sending, set, learned);
        // Where it is returned to, not to be moved there.
        let mut matching = Matching {
            event,
            filters: [].iter(),
            list: None,
        };
        let matches = matcher.match_class(filters, class, &matching.event);
        matching.filters = matches.filters.iter();
        if matches.always {
            matching.list = known.map(|known| &known.list);
        }
        matching
    }

    /// Finds the class of an event, and remembers it if that can be.
    #[cold]
    fn classify(
        &mut self,
        filters: &FilterSet,
        matcher: &mut Matcher,
        sending: &RawSending<'_>,
        traits: Traits<'_>,
    ) -> (ClassId, Option<ClassAt>) {
        let event = self.event(sending, traits.categories, &self.unlearned);
        let class = matcher.classify(filters, &event);
        let at = match matcher.remembers(class) {
            true => self.classes.remember(traits, class),
            false => None,
        };
        (class, at)
    }

    /// The event that the table was begun with.
    #[inline(always)]
    fn event<'a>(
        &'a self,
        sending: &'a RawSending<'a>,
        set: SetId,
        learned: &'a Learned,
    ) -> SlotEvent<'a> {
        SlotEvent {
            sending,
            table: &self.table,
            sets: &self.sets,
            set,
            revision: self.revision,
            wanted: &learned.wanted,
            source: OnceCell::new(),
            micros: Cell::new(-1),
        }
    }

    /// The numbers of categories are those of one tree.
    #[inline]
    fn follow(&mut self, tree: u64) {
        if self.tree != tree || self.revision == 0 {
            self.begin_with(tree);
        }
    }

    #[cold]
    fn begin_with(&mut self, tree: u64) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        self.tree = tree;
        self.revision = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.sets = CategorySets::new();
        self.classes = Classes::default();
    }
}

/// An event, and the filters it matches that were not taken yet, ascending.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    event: SlotEvent<'a>,
    filters: std::slice::Iter<'a, FilterId>,
    /// Where they are known as a list, if each event of the class matches
    /// them.
    list: Option<&'a Cell<u32>>,
}

impl<'a> Matching<'a> {
    /// Whether there are none any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.filters.as_slice().is_empty()
    }

    /// Takes a filter.
    pub(crate) fn next(&mut self) -> Option<FilterId> {
        self.filters.next().copied()
    }

    /// Counts the event in all metrics that take nothing but its duration, and
    /// takes their filters, if `together` knows them.
    #[inline]
    pub(crate) fn count_together(
        &mut self,
        together: &'a mut Together,
        registry: &mut Registry,
        plan: &Plan,
        ids: &[MetricId],
    ) {
        let filters = self.filters.as_slice();
        let micros = || self.event.micros();
        if let Some(others) = together.count(registry, plan, ids, (filters, self.list), micros) {
            self.filters = others.iter();
        }
    }

    /// Counts the event in a metric.
    pub(crate) fn count(&self, registry: &mut Registry, id: MetricId, slots: &MetricSlots) {
        let event = &self.event;
        registry.observe_view(id, &MetricEvent { event, slots });
    }

    /// Counts the event, which came at `time`, in a metric; exemplars tell the
    /// value in the slot `exemplar`.
    pub(crate) fn count_at(
        &self,
        registry: &mut Registry,
        id: MetricId,
        slots: &MetricSlots,
        exemplar: Slot,
        time: Timestamp,
    ) {
        let event = &self.event;
        let value = event.value(exemplar);
        registry.observe_view_at(id, &MetricEvent { event, slots }, value, time);
    }
}
