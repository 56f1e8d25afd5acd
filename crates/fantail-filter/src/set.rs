//! Many filters at once.
//!
//! A [`FilterSet`] finds the filters that match an event, exactly those for which
//! [`Filter::evaluate`](crate::Filter::evaluate) is true. Its cost follows the number of matches, not the
//! number of filters: evaluating one filter takes about ten nanoseconds, which
//! would leave a server with ten thousand of them no time for anything else.
//!
//! # How
//!
//! 1. *Slots.* Each field key that a filter names has a slot, a small number. No
//!    other field of an event is looked up.
//! 2. *Classes.* An event class is a name, a set of categories and a level. When
//!    its first event arrives, the filters are specialised for it: the results of
//!    their `event=`, `category=` and level tests are known and folded away, and
//!    most filters vanish. An index by name, kept up to date by
//!    [`FilterSet::insert`], restricts this to the filters that can match the name.
//! 3. *Access predicates.* Within its class, a filter is entered under a set of
//!    comparisons; the filter matches only if at least one holds. The most selective set is
//!    chosen. The event's values lead to these comparisons: equality by hash,
//!    beginnings and ends of texts by length and hash, networks by mask and hash,
//!    ranges of numbers by order.
//! 4. *Levels.* Below a comparison that holds, the filters entered there are
//!    specialised again. Most have nothing left and match; many have one numeric
//!    bound left, and a binary search finds all that match. More than a few others
//!    are entered under a further comparison each. Without levels, every filter
//!    that begins with `cmd_name=SELECT` would be evaluated, even those that also
//!    require `duration>1s`: ten evaluations for each match.
//! 5. *Shared comparisons.* What is left of a filter is a short program of jumps.
//!    Equal comparisons of all filters are one comparison, evaluated at most once
//!    for each event; the result is remembered under the event's number.
//!
//! The remaining cost is memory access, so few cache lines lie between a value and
//! its filters: one of a field index, one of a hash table, one of the comparison.
//! A field is looked up when a filter needs it.
//!
//! Publish/subscribe systems work like this: access predicates (Fabret et al.,
//! 2001), shared subexpressions (A-Tree, 2021), the most selective attribute first,
//! level by level (BE-Tree, 2011). Counting algorithms, which count for each filter
//! how many of its comparisons hold, are slower here, because events of mail
//! servers have fields that nearly always hold the same value. General systems
//! cannot specialise by name, which gives most of the gain.
//!
//! # Change at run time
//!
//! [`FilterSet::insert`] adds filters to a *tail* with classes of its own, so that
//! only these are rebuilt. A large tail becomes part of the *base*. A filter that
//! is removed from the base is skipped; when enough are removed, the base is
//! rebuilt. [`FilterSet::insert`] compiles only the filter; a [`Matcher`] builds a
//! class when its first event arrives.
//!
//! # Bounds
//!
//! A matcher keeps at most twice as many names and classes as filters mention, and
//! a few thousand more; all classes together hold a few entries for each filter.
//! Events beyond these bounds are matched, more slowly, against an index without
//! classes. After a while all classes are forgotten, which makes room for current
//! ones. Filters are specialised only as long as their operations do not multiply.
//! The number of filters is not bounded here; see
//! [`Limits`](fantail_syntax::Limits) for the cost of one filter.
//!
//! Absent: which comparisons an event *nearly* met (ask one filter:
//! [`Filter::explain`](crate::Filter::explain)), and learning selectivity from events (it is estimated
//! from the filters).

mod cache;
mod change;
mod checks;
mod class;
mod code;
mod index;
mod matcher;
mod run;
mod slots;
mod view;

use alloc::vec::Vec;
use core::ops::Range;

use self::{
    change::Part,
    checks::Checks,
    class::build,
    code::Op,
    index::{field_index, hash, name_index::NameIndex, table},
};
pub use self::{
    matcher::{ClassId, ClassMatcher, ClassMatches, Matcher},
    slots::{Slot, Slots},
    view::{SlotView, ViewSlots},
};

/// Identifies a filter of a [`FilterSet`]: the first is 0, and each filter added
/// has the next number. Numbers of removed filters are not used again.
///
/// ```
/// use fantail_filter::{Filter, FilterId, FilterSet};
///
/// let filters: [Filter; 2] = ["event=a".parse()?, "event=b".parse()?];
/// let mut set: FilterSet = filters.iter().collect();
/// let first: FilterId = set.ids().next().unwrap();
/// assert_eq!(first.get(), 0);
/// set.remove(first);
/// assert_eq!(set.insert(&filters[0]).get(), 2);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterId(u64);

impl FilterId {
    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the number as an index: the filter's position in a set from which
    /// nothing was removed.
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Filters that are matched together.
///
/// The set is plain data, which threads can share; each thread matches through a
/// [`Matcher`] of its own. The set keeps the compiled form of its filters, not the
/// [`Filter`](crate::Filter)s.
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
    /// Number of filters that do not require a name.
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

impl FilterSet {
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the set has this filter.
    #[must_use]
    pub fn contains(&self, id: FilterId) -> bool {
        self.position(id).is_some()
    }

    /// Returns the number of filters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filters.len() - self.removed
    }

    /// Returns whether the set has no filters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the ids of all filters, ascending.
    pub fn ids(&self) -> impl Iterator<Item = FilterId> {
        let kept = self.filters.iter().filter(|entry| !entry.is_removed);
        kept.map(|entry| entry.id)
    }

    /// Returns whether each filter [requires a name](crate::Filter::requires_name), in
    /// which case none matches an unnamed event in Dovecot. True for an empty set.
    #[must_use]
    pub fn requires_name(&self) -> bool {
        self.without_name == 0
    }

    /// Returns the slots of the fields that filters name or named.
    #[doc(hidden)]
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Creates an empty set that begins with the slots of another set, so that an
    /// event's values by slot serve both.
    #[doc(hidden)]
    #[must_use]
    pub fn with_slots_of(other: &Self) -> Self {
        Self {
            slots: other.slots.clone(),
            ..Self::default()
        }
    }

    /// Returns the slot of a field, which need not be named by a filter.
    #[doc(hidden)]
    pub fn add_slot(&mut self, key: &[u8]) -> Slot {
        self.slots.intern_field(key)
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

    /// The program of the filter at this position.
    fn ops(&self, filter: u32) -> &[Op] {
        let entry = self.filters.get(filter as usize);
        entry.map(|entry| self.ops_of(entry)).unwrap_or_default()
    }

    /// The id of the filter at this position, unless it was removed.
    fn id(&self, filter: u32) -> Option<FilterId> {
        let entry = self.filters.get(filter as usize)?;
        (!entry.is_removed).then_some(entry.id)
    }

    /// Whether no filter was ever removed, so that ids are positions.
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

/// A position or length of an array that memory bounds to less than 2³² elements.
fn narrow(count: usize) -> u32 {
    debug_assert!(u32::try_from(count).is_ok(), "{count} elements");
    u32::try_from(count).unwrap_or(u32::MAX)
}
