//! Cohorts: metrics that the same events match and that count only durations,
//! updated all at once.
//!
//! Events of a class match the same filters again and again. The metrics of such
//! a list that count only durations are made a [cohort](Registry::cohort) when
//! the list has come a second time; those with fields, levels or exporters are
//! counted one by one.
//!
//! Invariants: the counts are the same as without cohorts. The table never grows
//! and forgets nothing: lists that find no free entry are counted one by one.

use std::cell::Cell;

use fantail_event::internal::Invariant as _;
use fantail_filter::FilterId;
use fantail_metrics::{MetricId, Registry, internal::CohortId};

use crate::plan::{Plan, PlannedMetric};

/// Shorter lists are counted one by one.
const MIN_FILTERS: usize = 4;
/// Entries of the table; a power of two.
const ENTRIES: usize = 512;
/// Entries in which a list may be.
const WAYS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct CohortCache {
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// The hash of the last list that was looked for here.
    last: u64,
    list: Option<List>,
}

#[derive(Debug)]
struct List {
    filters: Box<[FilterId]>,
    /// `None` where too few of the metrics, or no more, can be in one.
    cohort: Option<CohortId>,
    others: Box<[FilterId]>,
}

impl CohortCache {
    /// Counts an event that took `micros` microseconds and matches these filters,
    /// ascending, in the metrics of a cohort; returns the filters whose metrics
    /// are still to be counted, or `None` if none was counted.
    ///
    /// `note` is where the class of the event remembers the number of the list;
    /// 0 if it is not known yet.
    #[inline]
    pub(crate) fn count<'a>(
        &'a mut self,
        registry: &mut Registry,
        plan: &Plan,
        ids: &[MetricId],
        (filters, note): (&[FilterId], Option<&Cell<u32>>),
        micros: impl FnOnce() -> i64,
    ) -> Option<&'a [FilterId]> {
        if filters.len() < MIN_FILTERS || plan.plain_metrics < MIN_FILTERS {
            return None;
        }
        let noted = note.and_then(|note| (note.get() as usize).checked_sub(1));
        let at = match noted {
            Some(at) => at,
            None => self.find(registry, plan, ids, filters)?,
        };
        if let (None, Some(note)) = (noted, note) {
            note.set(u32::try_from(at + 1).always());
        }
        let list = self.entries.get(at)?.list.as_ref()?;
        // No sent event has a negative duration.
        let counted = registry.observe_cohort(list.cohort?, micros().cast_unsigned());
        counted.then_some(&list.others)
    }

    /// The index of a list.
    fn find(
        &mut self,
        registry: &mut Registry,
        plan: &Plan,
        ids: &[MetricId],
        filters: &[FilterId],
    ) -> Option<usize> {
        let hash = hash(filters);
        let mut free = None;
        for way in 0..WAYS {
            let at = index(hash, way);
            match self.entries.get(at).map(|entry| &entry.list) {
                Some(Some(list)) if same(&list.filters, filters) => return Some(at),
                Some(Some(_)) => {}
                Some(None) | None => {
                    free = Some(at);
                    break;
                }
            }
        }
        self.remember(registry, plan, ids, filters, hash, free?)
    }

    /// Makes a cohort if the list comes for the second time.
    #[cold]
    fn remember(
        &mut self,
        registry: &mut Registry,
        plan: &Plan,
        ids: &[MetricId],
        filters: &[FilterId],
        hash: u64,
        at: usize,
    ) -> Option<usize> {
        if self.entries.is_empty() {
            self.entries.resize_with(ENTRIES, Entry::default);
        }
        let entry = self.entries.get_mut(at)?;
        if std::mem::replace(&mut entry.last, hash) != hash {
            return None;
        }
        let is_plain = |filter: &FilterId| {
            let metric = plan.metrics.get(filter.index());
            metric.is_some_and(PlannedMetric::is_plain)
        };
        let (plain, others): (Vec<_>, Vec<_>) = filters.iter().copied().partition(is_plain);
        let members = plain.iter().filter_map(|filter| ids.get(filter.index()));
        let members: Vec<MetricId> = members.copied().collect();
        let is_large = members.len() >= MIN_FILTERS;
        entry.list = Some(List {
            filters: filters.into(),
            cohort: is_large.then(|| registry.cohort(&members)).flatten(),
            others: others.into(),
        });
        Some(at)
    }
}

/// A hash of a few of them: lists of one length that share these are rare.
#[inline]
fn hash(filters: &[FilterId]) -> u64 {
    let at = |at: usize| filters.get(at).map_or(0, |filter| filter.get());
    let len = filters.len();
    let parts = [at(0), at(len / 3), at(len / 3 * 2), at(len.wrapping_sub(1))];
    let mix = |hash: u64, part: u64| {
        let hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash.rotate_left(29)
    };
    parts.into_iter().fold(len as u64, mix)
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "some of it is meant")]
const fn index(hash: u64, way: usize) -> usize {
    ((hash >> 32) as usize).wrapping_add(way) % ENTRIES
}

/// Compares without a branch for each.
#[inline]
fn same(one: &[FilterId], other: &[FilterId]) -> bool {
    let pairs = one.iter().zip(other);
    let differences = pairs.fold(0, |all, (one, other)| all | (one.get() ^ other.get()));
    one.len() == other.len() && differences == 0
}
