//! The classes of one part of a set that were seen so far.
//!
//! Found in two steps: the name says which name tests are true, and with them
//! which categories matter and whether the level does; these say the class.

use alloc::{boxed::Box, vec::Vec};
use core::ops::Range;

use fantail_event::Level;
use hashbrown::HashMap;

use super::{FilterSet, build::Builder, checks::CheckId, class::Class, hash::Seed, view::SlotView};
use crate::Test;

/// Names that are remembered, beside twice as many as filters mention.
const NAMES: usize = 4_096;
/// Longer names are not remembered.
const NAME_LEN: usize = 256;
/// Classes, and kinds of names, beside twice as many as filters mention names.
const CLASSES: usize = 1_024;
/// Categories that tell classes apart; others are asked for each event.
const CATEGORIES: usize = 64;
/// Filters that are of interest to every class are matched apart from them if
/// they are more than this.
const IN_EVERY_CLASS: usize = 256;
/// Once there is no room, so many events go by before all is forgotten.
const PATIENCE: u32 = 65_536;

/// Which class: its place, or none for events that no class has room for.
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
    /// What all events are matched against beside their class.
    pub(super) apart: Option<Class>,
    has_apart: bool,
    /// What events of no class are matched against.
    whole: Option<Class>,
    weight: usize,
    /// Twice as many as there are name tests.
    mentioned: usize,
    /// Events since there was no room.
    crowded: u32,
    true_names: Vec<CheckId>,
    candidates: Vec<u32>,
    builder: Builder,
    seed: Seed,
}

/// All names for which the same name tests are true.
#[derive(Debug)]
struct Kind {
    names: Box<[CheckId]>,
    /// The categories by which its events differ, at most [`CATEGORIES`]; only
    /// those that filters ask for which hang on nothing else. Others are asked
    /// for when such a filter was found, which is seldom; asking an event for
    /// its categories is slow.
    categories: Box<[CheckId]>,
    by_level: bool,
    classes: HashMap<Traits, u32>,
    /// The class, if there can be only one and it was made.
    only: Option<u32>,
}

/// By what events of one kind of names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Traits {
    /// A bit for each of the kind's categories.
    categories: u64,
    level: Option<Level>,
}

impl Cache {
    /// Forgets everything, for another state of the set.
    pub(super) fn reset(&mut self, set: &FilterSet, range: Range<u32>, revision: u64) {
        self.forget();
        self.revision = revision;
        self.range = range;
        self.mentioned = 2 * set.checks().name_tests();
        self.apart = None;
        self.whole = None;
        let everywhere = set.name_index.ungated(&self.range).len();
        let everywhere = everywhere + set.name_index.independent(&self.range).len();
        self.has_apart = everywhere > IN_EVERY_CLASS;
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

    /// Forgets all classes if there was no room for some time; whether it did.
    pub(super) fn relieve(&mut self) -> bool {
        let is_due = self.crowded > PATIENCE;
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

    /// Makes what stands in for classes, unless it is there.
    pub(super) fn make_whole(&mut self, set: &FilterSet) {
        if self.whole.is_none() {
            self.candidates.clear();
            self.candidates.extend(self.range.clone());
            self.whole = Some(self.make(set, |_| None));
        }
    }

    /// The class, or what stands in for it.
    pub(super) fn class(&self, at: ClassAt) -> Option<&Class> {
        match at {
            Some(at) => self.classes.get(at as usize),
            None => self.whole.as_ref(),
        }
    }

    /// The class, if it is all that its events are matched against.
    #[inline]
    pub(super) fn sole(&self, at: ClassAt) -> Option<&Class> {
        if self.apart.is_some() {
            return None;
        }
        self.classes.get(at? as usize)
    }

    /// The class of an event.
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
        if let Some(name) = name.filter(|name| name.len() <= NAME_LEN) {
            if self.names.len() < NAMES + self.mentioned {
                self.names.insert(name.into(), kind);
            } else {
                self.crowded = self.crowded.saturating_add(1);
            }
        }
        Some(kind)
    }

    /// A new kind, for the name tests gathered.
    fn make_kind(&mut self, set: &FilterSet) -> Option<u32> {
        let at = u32::try_from(self.kinds.len()).ok()?;
        if self.kinds.len() >= CLASSES + self.mentioned {
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
        categories.truncate(CATEGORIES);
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
        let traits = kind.traits(set, view);
        if let Some(&class) = kind.classes.get(&traits) {
            return Some(class);
        }
        let number = u32::try_from(self.classes.len()).ok()?;
        if self.classes.len() >= CLASSES + self.mentioned || self.weight > self.room() {
            return None;
        }
        let (names, categories) = (kind.names.clone(), kind.categories.clone());
        let is_only = categories.is_empty() && !kind.by_level;
        let by_level = kind.by_level;
        self.gather(set, &names);
        let class = self.make(set, |check| match set.checks().test(check) {
            Some(Test::Category(_)) => {
                let bit = categories.binary_search(&check).ok()?;
                Some(traits.categories >> bit & 1 == 1)
            }
            Some(Test::Level(level)) if by_level => Some(traits.level == Some(*level)),
            _ => known_name(set, &names, check),
        });
        self.weight += 16 + class.weight();
        self.classes.push(class);
        let kind = self.kinds.get_mut(at)?;
        if is_only {
            kind.only = Some(number);
        }
        kind.classes.insert(traits, number);
        Some(number)
    }

    /// How heavy all classes may be together.
    fn room(&self) -> usize {
        65_536 + 8 * self.range.len()
    }

    /// The filters of interest to classes with these true name tests.
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

    /// A class of the filters gathered.
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
    fn traits<V: SlotView + ?Sized>(&self, set: &FilterSet, view: &V) -> Traits {
        let mut categories = 0;
        for (bit, check) in self.categories.iter().enumerate() {
            if let Some(Test::Category(category)) = set.checks().test(*check)
                && view.in_category(category)
            {
                categories |= 1 << bit;
            }
        }
        Traits {
            categories,
            level: if self.by_level { view.level() } else { None },
        }
    }
}
