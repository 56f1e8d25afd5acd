//! The event classes of one part of a set.
//!
//! A class is found in two steps: the name decides which name tests are true and
//! which categories and levels matter; these decide the class.

use alloc::{boxed::Box, vec::Vec};
use core::ops::Range;

use fantail_event::Level;
use hashbrown::HashMap;

use super::{FilterSet, build::Builder, checks::CheckId, class::Class, hash::Seed, view::SlotView};
use crate::Test;

/// Cached names, in addition to twice the number that filters mention.
const MAX_NAMES: usize = 4_096;
/// Bytes of the longest name that is cached.
const MAX_NAME_BYTES: usize = 256;
/// Classes and kinds of names, in addition to twice the number of names that
/// filters mention.
const MAX_CLASSES: usize = 1_024;
/// Categories that distinguish classes; an event is asked for further ones.
const MAX_CLASS_CATEGORIES: usize = 64;
/// More filters than these that belong to every class are matched apart from the
/// classes.
const MAX_IN_EVERY_CLASS: usize = 256;
/// Events without room in a full cache after which it is cleared.
const EVENTS_BEFORE_CLEARING: u32 = 65_536;

/// The index of a class; `None` for events whose class has no room.
pub(super) type ClassAt = Option<u32>;

/// The classes of one part.
#[derive(Debug, Default)]
pub(super) struct Cache {
    pub(super) revision: u64,
    range: Range<u32>,
    names: HashMap<Box<[u8]>, u32>,
    /// By which name tests are true.
    kinds_by_names: HashMap<Box<[CheckId]>, u32>,
    kinds: Vec<Kind>,
    classes: Vec<Class>,
    /// The filters that all events are matched against in addition to their class.
    pub(super) apart: Option<Class>,
    has_apart: bool,
    /// All filters, for events without a class.
    whole: Option<Class>,
    weight: usize,
    /// Twice the number of name tests.
    mentioned: usize,
    /// Events that found no room in the full cache.
    crowded: u32,
    true_names: Vec<CheckId>,
    candidates: Vec<u32>,
    builder: Builder,
    seed: Seed,
}

/// The names for which the same name tests are true.
#[derive(Debug)]
struct Kind {
    names: Box<[CheckId]>,
    /// The categories that distinguish its classes, at most
    /// [`MAX_CLASS_CATEGORIES`]: those of filters without an index key. Filters with
    /// one test their categories when the key was found, which is rare; asking an
    /// event for its categories is slow.
    categories: Box<[CheckId]>,
    by_level: bool,
    classes: HashMap<ClassKey, u32>,
    /// The class, once it was built, if the kind has only one.
    only: Option<u32>,
}

/// The properties that distinguish the events of one kind of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ClassKey {
    /// A bit for each of the kind's categories.
    categories: u64,
    level: Option<Level>,
}

impl Cache {
    /// Clears the cache for another state of the set.
    pub(super) fn reset(&mut self, set: &FilterSet, range: Range<u32>, revision: u64) {
        self.forget();
        self.revision = revision;
        self.range = range;
        self.mentioned = 2 * set.checks().name_tests();
        self.apart = None;
        self.whole = None;
        let everywhere = set.name_index.ungated(&self.range).len();
        let everywhere = everywhere + set.name_index.independent(&self.range).len();
        self.has_apart = everywhere > MAX_IN_EVERY_CLASS;
        if self.has_apart {
            self.candidates.clear();
            self.candidates.extend(set.name_index.ungated(&self.range));
            self.candidates
                .extend(set.name_index.independent(&self.range));
            self.apart = Some(self.make(set, |_| None));
        }
    }

    fn forget(&mut self) {
        self.names.clear();
        self.kinds_by_names.clear();
        self.kinds.clear();
        self.classes.clear();
        self.weight = 0;
        self.crowded = 0;
    }

    /// Clears a cache that has been full for some time; returns whether it did.
    pub(super) fn relieve(&mut self) -> bool {
        let is_due = self.crowded > EVENTS_BEFORE_CLEARING;
        if is_due {
            self.forget();
        }
        is_due
    }

    pub(super) fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Builds the class of all filters, once.
    pub(super) fn make_whole(&mut self, set: &FilterSet) {
        if self.whole.is_none() {
            self.candidates.clear();
            self.candidates.extend(self.range.clone());
            self.whole = Some(self.make(set, |_| None));
        }
    }

    /// Returns the class; for `None` the class of all filters.
    pub(super) fn class(&self, at: ClassAt) -> Option<&Class> {
        match at {
            Some(at) => self.classes.get(at as usize),
            None => self.whole.as_ref(),
        }
    }

    /// Returns the class if its events are matched against no other filters.
    #[inline]
    pub(super) fn sole(&self, at: ClassAt) -> Option<&Class> {
        if self.apart.is_some() {
            return None;
        }
        self.classes.get(at? as usize)
    }

    /// Finds the class of an event.
    pub(super) fn classify<V: SlotView + ?Sized>(&mut self, set: &FilterSet, view: &V) -> ClassAt {
        let kind = match view.name() {
            None => self.kind_of(set, None),
            Some(name) => match self.names.get(name) {
                Some(&kind) => Some(kind),
                None => self.kind_of(set, Some(name)),
            },
        };
        let found = kind.and_then(|kind| self.class_of(set, kind, view));
        if found.is_none() {
            self.crowded = self.crowded.saturating_add(1);
        }
        found
    }

    fn kind_of(&mut self, set: &FilterSet, name: Option<&[u8]>) -> Option<u32> {
        self.true_names.clear();
        if let Some(name) = name {
            let found = &mut self.true_names;
            set.checks().true_names(name, |check| found.push(check));
            found.sort_unstable();
        }
        let known = self.kinds_by_names.get(self.true_names.as_slice());
        let kind = match known.copied() {
            Some(kind) => kind,
            None => self.make_kind(set)?,
        };
        if let Some(name) = name.filter(|name| name.len() <= MAX_NAME_BYTES) {
            if self.names.len() < MAX_NAMES + self.mentioned {
                self.names.insert(name.into(), kind);
            } else {
                self.crowded = self.crowded.saturating_add(1);
            }
        }
        Some(kind)
    }

    /// Adds a kind for the true name tests.
    fn make_kind(&mut self, set: &FilterSet) -> Option<u32> {
        let at = u32::try_from(self.kinds.len()).ok()?;
        if self.kinds.len() >= MAX_CLASSES + self.mentioned {
            return None;
        }
        let names: Box<[CheckId]> = self.true_names.as_slice().into();
        self.gather(set, &names);
        let (mut categories, mut by_level) = (Vec::new(), false);
        let mut left = Vec::new();
        for &filter in &self.candidates {
            left.clear();
            let known = |check| known_name(set, &names, check);
            if !self.builder.is_unhung(set, filter, known, &mut left) {
                continue;
            }
            for op in &left {
                match set.checks().test(op.check) {
                    Some(Test::Category(_)) => categories.push(op.check),
                    Some(Test::Level(_)) => by_level = true,
                    _ => {}
                }
            }
        }
        categories.sort_unstable();
        categories.dedup();
        categories.truncate(MAX_CLASS_CATEGORIES);
        self.kinds_by_names.insert(names.clone(), at);
        self.kinds.push(Kind {
            names,
            categories: categories.into(),
            by_level,
            classes: HashMap::new(),
            only: None,
        });
        Some(at)
    }

    fn class_of<V: SlotView + ?Sized>(
        &mut self,
        set: &FilterSet,
        kind: u32,
        view: &V,
    ) -> Option<u32> {
        let at = kind as usize;
        let kind = self.kinds.get(at)?;
        if kind.only.is_some() {
            return kind.only;
        }
        let key = kind.class_key(set, view);
        if let Some(&class) = kind.classes.get(&key) {
            return Some(class);
        }
        let number = u32::try_from(self.classes.len()).ok()?;
        if self.classes.len() >= MAX_CLASSES + self.mentioned || self.weight > self.room() {
            return None;
        }
        let (names, categories) = (kind.names.clone(), kind.categories.clone());
        let is_only = categories.is_empty() && !kind.by_level;
        let by_level = kind.by_level;
        self.gather(set, &names);
        let class = self.make(set, |check| match set.checks().test(check) {
            Some(Test::Category(_)) => {
                let bit = categories.binary_search(&check).ok()?;
                Some(key.categories >> bit & 1 == 1)
            }
            Some(Test::Level(level)) if by_level => Some(key.level == Some(*level)),
            _ => known_name(set, &names, check),
        });
        self.weight += 16 + class.weight();
        self.classes.push(class);
        let kind = self.kinds.get_mut(at)?;
        if is_only {
            kind.only = Some(number);
        }
        kind.classes.insert(key, number);
        Some(number)
    }

    /// The limit of the weight of all classes.
    fn room(&self) -> usize {
        65_536 + 8 * self.range.len()
    }

    /// Gathers the filters of classes with these true name tests.
    fn gather(&mut self, set: &FilterSet, names: &[CheckId]) {
        self.candidates.clear();
        self.candidates
            .extend(set.name_index.named(names, &self.range));
        if !self.has_apart {
            self.candidates.extend(set.name_index.ungated(&self.range));
            self.candidates
                .extend(set.name_index.independent(&self.range));
        }
        self.candidates.sort_unstable();
        self.candidates.dedup();
    }

    /// Builds a class of the gathered filters.
    fn make(&mut self, set: &FilterSet, known: impl Fn(CheckId) -> Option<bool>) -> Class {
        let filters = self.candidates.iter().copied();
        let live = filters.filter(|filter| set.id(*filter).is_some());
        self.builder.build(set, &self.seed, live, known)
    }
}

fn known_name(set: &FilterSet, names: &[CheckId], check: CheckId) -> Option<bool> {
    match set.checks().test(check) {
        Some(Test::Name(_)) => Some(names.binary_search(&check).is_ok()),
        _ => None,
    }
}

impl Kind {
    fn class_key<V: SlotView + ?Sized>(&self, set: &FilterSet, view: &V) -> ClassKey {
        let mut categories = 0;
        for (bit, check) in self.categories.iter().enumerate() {
            if let Some(Test::Category(category)) = set.checks().test(*check)
                && view.in_category(category)
            {
                categories |= 1 << bit;
            }
        }
        ClassKey {
            categories,
            level: if self.by_level { view.level() } else { None },
        }
    }
}
