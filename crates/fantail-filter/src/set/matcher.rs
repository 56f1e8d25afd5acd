//! The matcher: the state of one thread that matches events against a set.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use fantail_event::EventView;

use super::{
    FilterId, FilterSet,
    cache::{Cache, ClassAt},
    run::{Run, Scratch},
    view::{SlotView, ViewSlots},
};

/// Matches events against a [`FilterSet`].
///
/// A matcher caches event classes and belongs to one thread. It follows changes of
/// its set; with several sets in turn it clears its cache each time. Matching an
/// event of a cached class allocates nothing.
#[derive(Debug)]
pub struct Matcher {
    base: Cache,
    tail: Cache,
    /// Changes when classes are dropped; unique among all matchers.
    stamp: u64,
    scratch: Scratch,
    ids: Vec<FilterId>,
}

/// The class of an event in one [`Matcher`], which follows from its name, its
/// categories and its level.
///
/// The next event with the same name, categories and level can be matched by this
/// id without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassId {
    stamp: u64,
    base: ClassAt,
    tail: ClassAt,
}

/// The filters that an event of a known class matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassMatches<'a> {
    /// Ascending.
    pub filters: &'a [FilterId],
    /// Whether each event of the class matches exactly these filters, as long as the
    /// matcher [remembers](ClassMatcher::remembers) the class and no filter is
    /// removed.
    pub always: bool,
}

/// Matching by class, for callers that have values by slot and store the classes
/// of events.
pub trait ClassMatcher {
    /// Returns the class of an event, by its name, categories and level.
    fn classify<V: SlotView + ?Sized>(&mut self, set: &FilterSet, view: &V) -> ClassId;

    /// Returns the filters that match an event of a known class, and whether all
    /// events of the class match them. A class that was dropped is found again.
    fn match_class<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        class: ClassId,
        view: &V,
    ) -> ClassMatches<'_>;

    /// Returns whether the class is cached: the cache had capacity for it and has
    /// not dropped it.
    #[must_use]
    fn remembers(&self, class: ClassId) -> bool;

    /// Returns whether no class was dropped since this one was found. A class that
    /// was [cached](Self::remembers) then is cached still.
    #[must_use]
    fn is_current(&self, class: ClassId) -> bool;
}

impl Default for Matcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Matcher {
    /// Returns a matcher with an empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self {
            base: Cache::default(),
            tail: Cache::default(),
            stamp: next_stamp(),
            scratch: Scratch::default(),
            ids: Vec::new(),
        }
    }

    /// Returns the filters that match the event, ascending. As in Dovecot, none
    /// matches an unnamed event if all filters
    /// [require a name](FilterSet::requires_name).
    pub fn matches<E: EventView + ?Sized>(&mut self, set: &FilterSet, event: &E) -> &[FilterId] {
        if event.name().is_none() && set.requires_name() {
            return &[];
        }
        self.evaluate(set, event)
    }

    /// Returns the filters for which [`Filter::evaluate`](crate::Filter::evaluate)
    /// is true, ascending.
    pub fn evaluate<E: EventView + ?Sized>(&mut self, set: &FilterSet, event: &E) -> &[FilterId] {
        let view = ViewSlots::new(set.slots(), event);
        let class = self.classify(set, &view);
        self.run(set, class, &view).filters
    }

    /// Clears the cache of a changed part of the set.
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
        self.scratch
            .make_room(set.checks().len(), set.filters.len());
    }

    #[inline(always)] // On the path of each event.
    fn run<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        class: ClassId,
        view: &V,
    ) -> ClassMatches<'_> {
        let Self {
            base,
            tail,
            scratch,
            ids,
            ..
        } = self;
        let (base, tail) = (&*base, &*tail);
        // A class without further filters lists those that always match, unless
        // some were removed.
        let sole = match (base.is_empty(), tail.is_empty()) {
            (false, true) if set.base.removed == 0 => base.sole(class.base),
            (true, false) => tail.sole(class.tail),
            _ => None,
        };
        if let Some(sole) = sole
            && sole.is_fixed()
        {
            return ClassMatches {
                filters: sole.always(),
                always: true,
            };
        }
        scratch.next_event();
        let mut run = Run { set, view, scratch };
        let always = if let Some(sole) = sole {
            let cache = if tail.is_empty() { base } else { tail };
            run.values(sole, &sole.root, cache.seed());
            sole.always()
        } else {
            for (cache, at) in [(base, class.base), (tail, class.tail)] {
                if !cache.is_empty() {
                    run.cache(cache, at);
                }
            }
            &[]
        };
        let found = scratch.found();
        let filters = if found.is_empty() {
            always
        } else {
            unite(set, always, found, ids);
            ids
        };
        ClassMatches {
            filters,
            always: false,
        }
    }
}

impl ClassMatcher for Matcher {
    fn classify<V: SlotView + ?Sized>(&mut self, set: &FilterSet, view: &V) -> ClassId {
        self.follow(set);
        if self.base.relieve() | self.tail.relieve() {
            self.stamp = next_stamp();
        }
        let class = |cache: &mut Cache| match cache.is_empty() {
            true => None,
            false => {
                let class = cache.classify(set, view);
                if class.is_none() {
                    cache.make_whole(set);
                }
                class
            }
        };
        ClassId {
            base: class(&mut self.base),
            tail: class(&mut self.tail),
            stamp: self.stamp,
        }
    }

    #[inline]
    fn match_class<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        class: ClassId,
        view: &V,
    ) -> ClassMatches<'_> {
        self.follow(set);
        let class = if class.stamp == self.stamp {
            class
        } else {
            self.classify(set, view)
        };
        self.run(set, class, view)
    }

    #[inline]
    fn remembers(&self, class: ClassId) -> bool {
        class.stamp == self.stamp
            && (class.base.is_some() || self.base.is_empty())
            && (class.tail.is_some() || self.tail.is_empty())
    }

    #[inline]
    fn is_current(&self, class: ClassId) -> bool {
        class.stamp == self.stamp
    }
}

/// Merges filters by id and filters by index, both ascending.
fn unite(set: &FilterSet, always: &[FilterId], found: &[u32], ids: &mut Vec<FilterId>) {
    ids.clear();
    let is_untouched = set.is_untouched();
    let found = found.iter().filter_map(|at| match is_untouched {
        true => Some(FilterId((*at).into())),
        false => set.id(*at),
    });
    let mut always = always.iter().copied().peekable();
    for id in found {
        while let Some(before) = always.next_if(|before| *before < id) {
            ids.push(before);
        }
        ids.push(id);
    }
    ids.extend(always);
}

fn next_stamp() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}
