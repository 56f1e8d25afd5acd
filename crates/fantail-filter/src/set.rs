//! Many filters at once.
//!
//! A [`FilterSet`] gives the filters that match an event, exactly those that
//! [`Filter::evaluate`] is true for, at a cost that follows what matches and
//! not what is configured. Each filter by itself costs some ten nanoseconds:
//! with ten thousand of them a server would do nothing else.
//!
//! # How
//!
//! 1. *Slots.* Each field key that a filter names has a [`Slot`]; nothing else
//!    is ever looked up ([`Slots`], [`SlotView`]).
//! 2. *Classes.* Events of one name, categories and level are alike in what
//!    can match them. The first of a kind has the filters specialised: what
//!    their `event=` and `category=` say is known and folded away, and most
//!    filters vanish. Which names a filter can match at all is found when it
//!    is added, so that making a class looks only at filters that name it.
//! 3. *Access predicates.* In its class each filter hangs on comparisons of
//!    which one must hold for it to match, the most selective ones. Those are
//!    found from the event's values: equality by hash, beginnings and ends of
//!    texts by length and hash, networks by mask and hash, ranges of numbers
//!    in order.
//! 4. *Levels.* Where a comparison holds, the filters that hang on it are
//!    specialised again. Of most nothing is left, and they match; of many a
//!    bound of one number, and a binary search finds all that match. Where
//!    more than a few are left they hang on another comparison each. Without,
//!    all that begin with `cmd_name=SELECT` would be evaluated, whatever their
//!    `duration>1s` says: ten of them for each that matches.
//! 5. *Shared comparisons.* What remains is evaluated, a short program of
//!    jumps. Equal comparisons of all filters are one, and evaluated at most
//!    once an event: the result is remembered under the event's number.
//!
//! What is left to pay for is memory. So little lies between a value and the
//! filters: a cache line of a field index, one of a hash table, one of the comparison.
//! A field is looked up when a filter asks for it.
//!
//! This is the way of publish/subscribe systems: access predicates (Fabret et
//! al., 2001), shared subexpressions (A-Tree, 2021), the most selective
//! attribute first, level by level (BE-Tree, 2011). Counting algorithms, which
//! note for each filter how many of its comparisons hold, lose here: mail
//! servers' events have fields that nearly always hold the same value.
//! Specialising by name is what the general systems cannot do, and most of the
//! gain.
//!
//! # Change at run time
//!
//! Filters are added to a *tail* with classes of its own; adding one makes
//! only those anew. When the tail is large it becomes part of the *base*. A
//! filter that is removed from the base is passed over until enough are gone
//! for it to be made anew. Nothing is compiled by [`FilterSet::insert`] but
//! the filter itself; classes are made by the [`Matcher`] when they are first
//! needed.
//!
//! # Bounds
//!
//! A matcher keeps at most some thousand names and classes more than twice
//! those that filters mention, and a few entries a filter in all of them
//! together; events for which there is no room are matched against an index
//! without classes, more slowly, and after a while all classes are forgotten
//! to make room for what is current. Filters are specialised again only so far
//! as their operations do not multiply. What is configured is not bounded
//! here: see [`Limits`](fantail_syntax::Limits) for what one filter may cost.
//!
//! Not here: which comparisons an event *nearly* met (that is a question to
//! one filter), and learning from the events which comparisons are selective
//! (it is guessed from the filters).

mod build;
mod cache;
mod checks;
mod class;
mod code;
mod collect;
mod field_index;
mod hash;
mod index_key;
mod matcher;
mod name_index;
mod run;
mod slots;
mod table;
mod view;

use alloc::vec::Vec;
use core::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use self::{
    checks::Checks,
    code::{Folder, Op},
    name_index::NameIndex,
};
pub use self::{
    matcher::{ClassId, ClassMatches, Matcher},
    slots::{Slot, Slots},
    view::{SlotView, ViewSlots},
};
use crate::Filter;

/// Names a filter of a [`FilterSet`]: the first is 0, and each that is added
/// gets the next number. Numbers of removed filters do not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterId(u64);

impl FilterId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as an index: for a set from which nothing is removed, the
    /// place of the filter.
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Filters that are matched together.
///
/// The set itself is plain data: shared between threads, it is matched against
/// by each through a [`Matcher`] of its own. It keeps the compiled form of its
/// filters, not the [`Filter`]s.
///
/// ```
/// # use fantail_event::{EventView, ValueRef};
/// use fantail_filter::{Filter, FilterSet, Matcher};
///
/// struct Command(&'static str, i64);
///
/// impl EventView for Command {
///     fn name(&self) -> Option<&[u8]> {
///         Some(b"command")
///     }
///     fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
///         match key {
///             b"verb" => Some(ValueRef::Str(self.0.as_bytes())),
///             b"bytes" => Some(ValueRef::Int(self.1)),
///             _ => None,
///         }
///     }
/// }
///
/// let mut set = FilterSet::new();
/// let large = set.insert(&"event=command AND bytes>=1k".parse::<Filter>()?);
/// let fetch = set.insert(&"event=comm* AND verb=fetch".parse::<Filter>()?);
/// let other = set.insert(&"event=reply".parse::<Filter>()?);
///
/// let mut matcher = Matcher::new();
/// assert_eq!(matcher.matches(&set, &Command("FETCH", 4096)), [large, fetch]);
/// assert_eq!(matcher.matches(&set, &Command("FETCH", 10)), [fetch]);
/// set.remove(fetch);
/// assert_eq!(matcher.matches(&set, &Command("FETCH", 4096)), [large]);
/// assert!(set.contains(other));
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FilterSet {
    slots: Slots,
    checks: Checks,
    ops: Vec<Op>,
    /// Ascending by id.
    filters: Vec<Entry>,
    name_index: NameIndex,
    next_id: u64,
    /// How many look at unnamed events, too.
    without_name: usize,
    removed: usize,
    base: Part,
    tail: Part,
}

/// A filter of the set.
#[derive(Debug, Clone)]
struct Entry {
    id: FilterId,
    first: usize,
    len: u32,
    requires_name: bool,
    is_removed: bool,
}

/// Neighbouring filters that are matched by classes of their own.
#[derive(Debug, Clone, Default)]
struct Part {
    end: usize,
    /// Removed since the classes of this part were last made anew.
    removed: usize,
    /// Of all parts of all sets that differ, no two have the same; 0 is that
    /// of the empty part.
    revision: u64,
}

impl Part {
    fn renew(&mut self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        self.revision = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.removed = 0;
    }
}

impl FilterSet {
    /// A set of no filters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a filter, behind all others.
    pub fn insert(&mut self, filter: &Filter) -> FilterId {
        let id = self.append(filter);
        self.tail.renew();
        // So large that making the tail's classes anew begins to cost; so
        // small a part of all that it is rare.
        if self.filters.len() - self.base.end > 64 + self.base.end / 8 {
            self.settle();
        }
        id
    }

    /// Removes a filter; `false` if it is not there.
    pub fn remove(&mut self, id: FilterId) -> bool {
        let Some(at) = self.position(id) else {
            return false;
        };
        let Some(entry) = self.filters.get_mut(at) else {
            return false;
        };
        entry.is_removed = true;
        self.without_name -= usize::from(!entry.requires_name);
        self.removed += 1;
        if at >= self.base.end {
            self.tail.renew();
        } else {
            self.base.removed += 1;
            if self.base.removed > 64 + self.base.end / 8 {
                self.base.renew();
            }
        }
        if self.removed > 64 + self.len() {
            self.compact();
        }
        true
    }

    /// Whether this filter is in the set.
    #[must_use]
    pub fn contains(&self, id: FilterId) -> bool {
        self.position(id).is_some()
    }

    /// How many filters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filters.len() - self.removed
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The filters' ids, ascending.
    pub fn ids(&self) -> impl Iterator<Item = FilterId> {
        let kept = self.filters.iter().filter(|entry| !entry.is_removed);
        kept.map(|entry| entry.id)
    }

    /// Whether each filter [requires a name](Filter::requires_name): then, to
    /// Dovecot, none matches an unnamed event. True of no filters.
    #[must_use]
    pub fn requires_name(&self) -> bool {
        self.without_name == 0
    }

    /// The field keys that filters name, or named, and their numbers.
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// A set of no filters whose slots are those of another set, and more once
    /// its filters name other keys: an event's values by slot serve both.
    #[must_use]
    pub fn with_slots_of(other: &Self) -> Self {
        Self {
            slots: other.slots.clone(),
            ..Self::default()
        }
    }

    /// The slot of a field that others than the filters want to know.
    pub fn add_slot(&mut self, key: &[u8]) -> Slot {
        self.slots.intern_field(key)
    }

    fn append(&mut self, filter: &Filter) -> FilterId {
        let id = FilterId(self.next_id);
        self.next_id += 1;
        let first = self.ops.len();
        let (checks, slots) = (&mut self.checks, &mut self.slots);
        let comparisons = filter.comparisons();
        let check = |index: usize| {
            let comparison = comparisons.get(index);
            comparison.map_or(u32::MAX, |it| checks.intern(it.test(), slots))
        };
        self.ops.extend(code::compile(filter.program(), check));
        let ops = self.ops.get(first..).unwrap_or_default();
        self.name_index
            .add(narrow(self.filters.len()), ops, &self.checks);
        self.filters.push(Entry {
            id,
            first,
            len: narrow(ops.len()),
            requires_name: filter.requires_name(),
            is_removed: false,
        });
        self.without_name += usize::from(!filter.requires_name());
        id
    }

    /// Makes the tail part of the base.
    fn settle(&mut self) {
        self.base.end = self.filters.len();
        self.base.renew();
        self.tail.renew();
    }

    /// Forgets what only removed filters needed; slots stay.
    fn compact(&mut self) {
        let mut old = core::mem::take(self);
        self.slots = core::mem::take(&mut old.slots);
        self.next_id = old.next_id;
        for entry in old.filters.iter().filter(|entry| !entry.is_removed) {
            let first = self.ops.len();
            for op in old.ops_of(entry) {
                let check = match old.checks.test(op.check) {
                    Some(test) => self.checks.intern(test, &mut self.slots),
                    None => u32::MAX,
                };
                self.ops.push(Op { check, ..*op });
            }
            let ops = self.ops.get(first..).unwrap_or_default();
            self.name_index
                .add(narrow(self.filters.len()), ops, &self.checks);
            self.without_name += usize::from(!entry.requires_name);
            self.filters.push(Entry {
                first,
                ..entry.clone()
            });
        }
        self.settle();
    }

    fn position(&self, id: FilterId) -> Option<usize> {
        let found = self.filters.binary_search_by_key(&id, |entry| entry.id);
        let at = found.ok()?;
        let entry = self.filters.get(at)?;
        (!entry.is_removed).then_some(at)
    }

    fn ops_of(&self, entry: &Entry) -> &[Op] {
        self.ops
            .get(entry.first..)
            .and_then(|ops| ops.get(..entry.len as usize))
            .unwrap_or_default()
    }

    /// The program of the filter at this place.
    fn ops(&self, filter: u32) -> &[Op] {
        let entry = self.filters.get(filter as usize);
        entry.map(|entry| self.ops_of(entry)).unwrap_or_default()
    }

    /// The id of the filter at this place, unless it was removed.
    fn id(&self, filter: u32) -> Option<FilterId> {
        let entry = self.filters.get(filter as usize)?;
        (!entry.is_removed).then_some(entry.id)
    }

    /// Whether nothing was ever removed: ids are places.
    fn is_untouched(&self) -> bool {
        self.next_id == self.filters.len() as u64 && self.removed == 0
    }

    fn checks(&self) -> &Checks {
        &self.checks
    }

    fn base_range(&self) -> Range<u32> {
        0..narrow(self.base.end)
    }

    fn tail_range(&self) -> Range<u32> {
        narrow(self.base.end)..narrow(self.filters.len())
    }
}

/// A number of things of which each takes more than a byte of memory.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
