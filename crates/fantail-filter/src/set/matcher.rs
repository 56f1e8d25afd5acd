//! What a thread needs to match events against a set.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use fantail_event::{EventView, ValueRef};
use hashbrown::DefaultHashBuilder;

use super::{
    FilterId, FilterSet,
    cache::{Cache, ClassAt},
    checks::CheckId,
    class::{Class, Posting, Rest},
    code,
    lane::{AccessId, Lane},
    view::{SlotView, ViewSlots},
};

/// Matches events against a [`FilterSet`]: the classes seen so far, and work
/// space.
///
/// A thread has its own. It follows changes of the set; used with several sets
/// in turn it would begin anew each time. Once the class of an event was seen,
/// matching another one allocates nothing.
#[derive(Debug)]
pub struct Matcher {
    base: Cache,
    tail: Cache,
    /// Changes whenever classes are forgotten; unique among all matchers.
    stamp: u64,
    marks: Marks,
    found: Vec<u32>,
    ids: Vec<FilterId>,
}

/// Names the class of an event in one [`Matcher`]: what follows from its name,
/// its categories and its level.
///
/// Whoever knows that these did not change since an event's class was found
/// can have the next one matched without looking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassId {
    stamp: u64,
    base: ClassAt,
    tail: ClassAt,
}

/// What was found out about the current event.
#[derive(Debug, Default)]
struct Marks {
    /// Half of the marks of comparisons' results.
    generation: u32,
    /// For each comparison, the generation of its last result, and that.
    checks: Vec<u32>,
    /// For each filter the generation in which it was last looked at.
    filters: Vec<u32>,
}

impl Default for Matcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Matcher {
    /// A matcher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            base: Cache::default(),
            tail: Cache::default(),
            stamp: next_stamp(),
            marks: Marks::default(),
            found: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// The filters that match the event, ascending, as a Dovecot with this set
    /// would have it: none match an unnamed event if they all
    /// [require a name](FilterSet::requires_name).
    pub fn matches<E: EventView + ?Sized>(&mut self, set: &FilterSet, event: &E) -> &[FilterId] {
        if event.name().is_none() && set.requires_name() {
            return &[];
        }
        self.evaluate(set, event)
    }

    /// The filters for which [`Filter::evaluate`](crate::Filter::evaluate) is
    /// true, ascending.
    pub fn evaluate<E: EventView + ?Sized>(&mut self, set: &FilterSet, event: &E) -> &[FilterId] {
        self.evaluate_view(set, &ViewSlots::new(set.slots(), event))
    }

    /// As [`evaluate`](Self::evaluate), for values by slot.
    pub fn evaluate_view<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        view: &V,
    ) -> &[FilterId] {
        let class = self.classify(set, view);
        self.run(set, class, view)
    }

    /// The class of an event, by its name, categories and level alone.
    pub fn classify<V: SlotView + ?Sized>(&mut self, set: &FilterSet, view: &V) -> ClassId {
        self.follow(set);
        if self.base.relieve() | self.tail.relieve() {
            self.stamp = next_stamp();
        }
        let class = |cache: &mut Cache| match cache.is_empty() {
            true => None,
            false => cache.classify(set, view),
        };
        ClassId {
            base: class(&mut self.base),
            tail: class(&mut self.tail),
            stamp: self.stamp,
        }
    }

    /// As [`evaluate_view`](Self::evaluate_view), for an event whose class is
    /// known. One that has been forgotten meanwhile is found again.
    pub fn evaluate_class<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        class: ClassId,
        view: &V,
    ) -> &[FilterId] {
        self.follow(set);
        let class = if class.stamp == self.stamp {
            class
        } else {
            self.classify(set, view)
        };
        self.run(set, class, view)
    }

    /// Whether [`evaluate_class`](Self::evaluate_class) needs not look for
    /// this class again: neither was it forgotten, nor was there no room for
    /// it.
    #[must_use]
    #[inline]
    pub fn remembers(&self, class: ClassId) -> bool {
        class.stamp == self.stamp
            && (class.base.is_some() || self.base.is_empty())
            && (class.tail.is_some() || self.tail.is_empty())
    }

    /// Forgets what is no longer so.
    #[inline]
    fn follow(&mut self, set: &FilterSet) {
        if self.base.revision != set.base.revision || self.tail.revision != set.tail.revision {
            self.follow_changes(set);
        }
    }

    #[cold]
    fn follow_changes(&mut self, set: &FilterSet) {
        if self.base.revision != set.base.revision {
            self.base.reset(set, set.base_range(), set.base.revision);
        }
        if self.tail.revision != set.tail.revision {
            self.tail.reset(set, set.tail_range(), set.tail.revision);
        }
        self.stamp = next_stamp();
        self.marks.make_room(set.checks().len(), set.filters.len());
    }

    fn run<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        class: ClassId,
        view: &V,
    ) -> &[FilterId] {
        self.marks.next_generation();
        self.found.clear();
        let mut run = Run {
            set,
            view,
            marks: &mut self.marks,
            found: &mut self.found,
        };
        for (cache, at) in [(&mut self.base, class.base), (&mut self.tail, class.tail)] {
            if cache.is_empty() {
                continue;
            }
            run.cache(cache, at);
        }
        if self.found.len() > 1 {
            self.found.sort_unstable();
        }
        self.ids.clear();
        let found = self.found.iter();
        if set.is_untouched() {
            self.ids.extend(found.map(|at| FilterId((*at).into())));
        } else {
            self.ids.extend(found.filter_map(|at| set.id(*at)));
        }
        &self.ids
    }
}

fn next_stamp() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Marks {
    fn next_generation(&mut self) {
        self.generation += 1;
        if self.generation > u32::MAX / 2 {
            self.generation = 1;
            self.checks.fill(0);
            self.filters.fill(0);
        }
    }

    fn make_room(&mut self, checks: usize, filters: usize) {
        self.checks.resize(checks, 0);
        self.filters.resize(filters, 0);
    }

    /// Whether the filter is looked at for the first time.
    fn is_first(&mut self, filter: u32) -> bool {
        let Some(mark) = self.filters.get_mut(filter as usize) else {
            return false;
        };
        core::mem::replace(mark, self.generation) != self.generation
    }

    /// A comparison that holds.
    fn note(&mut self, check: CheckId) {
        if let Some(mark) = self.checks.get_mut(check as usize) {
            *mark = self.generation << 1 | 1;
        }
    }

    /// The result of a comparison, evaluated unless it was.
    fn result(&mut self, check: CheckId, evaluate: impl FnOnce() -> bool) -> bool {
        let Some(mark) = self.checks.get_mut(check as usize) else {
            return false;
        };
        if *mark >> 1 == self.generation {
            return *mark & 1 == 1;
        }
        let result = evaluate();
        *mark = self.generation << 1 | u32::from(result);
        result
    }
}

/// One event against the classes.
struct Run<'a, V: ?Sized> {
    set: &'a FilterSet,
    view: &'a V,
    marks: &'a mut Marks,
    found: &'a mut Vec<u32>,
}

impl<V: SlotView + ?Sized> Run<'_, V> {
    fn cache(&mut self, cache: &mut Cache, at: ClassAt) {
        if at.is_none() {
            cache.make_whole(self.set);
        }
        let state = cache.state();
        if let Some(class) = cache.class(at) {
            self.class(class, state);
        }
        if at.is_some()
            && let Some(apart) = &cache.apart
        {
            self.class(apart, state);
        }
    }

    fn class(&mut self, class: &Class, state: &DefaultHashBuilder) {
        self.found.extend_from_slice(&class.certain);
        for rest in &class.unhung {
            self.rest(class, *rest);
        }
        for lane in &class.lanes {
            self.lane(class, lane, state);
        }
    }

    fn lane(&mut self, class: &Class, lane: &Lane, state: &DefaultHashBuilder) {
        let (view, slot) = (self.view, lane.slot);
        let value = view.value(slot);
        let elements = |each: &mut dyn FnMut(&[u8])| {
            view.any_element(slot, &mut |element| {
                each(element);
                false
            });
        };
        let mut found = |access| self.access(class, access, value);
        lane.find(value, state, elements, &mut found);
    }

    /// A comparison that may hold for this value.
    fn access(&mut self, class: &Class, access: AccessId, value: Option<ValueRef<'_>>) {
        let Some((check, postings)) = class.access(access) else {
            return;
        };
        let (set, view) = (self.set, self.view);
        let holds = set.checks().field(check).is_some_and(|(slot, test)| {
            test.holds_for(value, |accept| view.any_element(slot, accept))
        });
        if !holds {
            return;
        }
        self.marks.note(check);
        // Only elements of lists can lead to the same comparison twice.
        let is_list = matches!(value, Some(ValueRef::List));
        for posting in postings {
            match *posting {
                Posting::Match(filter) => {
                    if !is_list || self.marks.is_first(filter) {
                        self.found.push(filter);
                    }
                }
                Posting::Run(rest) => {
                    if !is_list || self.marks.is_first(rest.filter) {
                        self.rest(class, rest);
                    }
                }
                Posting::RunOnce(rest) => {
                    if self.marks.is_first(rest.filter) {
                        self.rest(class, rest);
                    }
                }
            }
        }
    }

    fn rest(&mut self, class: &Class, rest: Rest) {
        let (set, view, marks) = (self.set, self.view, &mut *self.marks);
        let test = |check| marks.result(check, || set.checks().holds(check, view));
        if code::run(class.ops(rest), test) {
            self.found.push(rest.filter);
        }
    }
}
