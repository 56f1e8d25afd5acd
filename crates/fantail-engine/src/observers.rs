//! Observers: filters that watch events in addition to the metrics.

use fantail_filter::{Filter, FilterId, FilterSet, internal::Slots};

use crate::matching::{Begun, SetMatcher};

/// The filters of observers, matched by the slots of the metrics' filters, and
/// by further slots for other keys.
#[derive(Debug)]
pub(crate) struct Observers {
    filters: Vec<Filter>,
    pub(crate) set: FilterSet,
    pub(crate) matcher: SetMatcher,
}

impl Default for Observers {
    fn default() -> Self {
        Self::new(&FilterSet::new(), [])
    }
}

impl Observers {
    pub(crate) fn new(metrics: &FilterSet, filters: impl IntoIterator<Item = Filter>) -> Self {
        let filters: Vec<Filter> = filters.into_iter().collect();
        let mut set = match filters.is_empty() {
            true => FilterSet::new(),
            false => FilterSet::with_slots_of(metrics),
        };
        for filter in &filters {
            set.insert(filter);
        }
        Self {
            filters,
            set,
            matcher: SetMatcher::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Returns the slots of all filters: the metrics' and the observers'.
    pub(crate) fn slots<'a>(&'a self, metrics: &'a FilterSet) -> &'a Slots {
        match self.is_empty() {
            true => metrics.slots(),
            false => self.set.slots(),
        }
    }

    /// Returns the filters that match an event, ascending.
    #[inline(never)]
    pub(crate) fn matching<'a>(&'a mut self, begun: Begun<'a>) -> &'a [FilterId] {
        let (_, matched) = self.matcher.match_slots(&self.set, begun);
        matched.filters
    }

    pub(crate) fn into_filters(self) -> Vec<Filter> {
        self.filters
    }
}
