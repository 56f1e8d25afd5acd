//! Metrics that an event counts for all at once.
//!
//! Events come in kinds, and those of a kind match the same filters again and
//! again. The metrics of such a list that take nothing but the duration are
//! made a [cohort](Registry::cohort) once the list has come a second time;
//! those with fields, levels or exporters are counted one by one.
//!
//! Invariants: what is counted is the same as without. The table never grows,
//! and nothing is forgotten: lists that find no place are counted one by one,
//! at the cost of a look at a few places.

use std::cell::Cell;

use fantail_filter::FilterId;
use fantail_metrics::{CohortId, MetricId, Registry};

use crate::plan::{Plan, PlannedMetric};

/// Shorter lists are not worth a look.
const SHORTEST: usize = 4;
/// A power of two.
const PLACES: usize = 512;
/// How many places a list may have.
const WAYS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Together {
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    /// The hash of the last list that could have been here.
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

impl Together {
    /// Counts an event that took so many microseconds and matches these
    /// filters, ascending, in the metrics of a cohort; gives the filters
    /// whose metrics are still to be counted, if that is not all of them.
    ///
    /// With the filters goes a note of where they are known, for whoever comes
    /// with the same ones each time; 0 if that was not noted yet.
    #[inline]
    pub(crate) fn count<'a>(
        &'a mut self,
        registry: &mut Registry,
        plan: &Plan,
        ids: &[MetricId],
        (filters, note): (&[FilterId], Option<&Cell<u32>>),
        micros: impl FnOnce() -> i64,
    ) -> Option<&'a [FilterId]> {
        if filters.len() < SHORTEST || plan.plain_metrics < SHORTEST {
            return None;
        }
        let noted = note.and_then(|note| (note.get() as usize).checked_sub(1));
        let at = match noted {
            Some(at) => at,
            None => self.find(registry, plan, ids, filters)?,
        };
        if let (None, Some(note)) = (noted, note) {
            note.set(u32::try_from(at + 1).unwrap_or_default());
        }
        let list = self.places.get(at)?.list.as_ref()?;
        // No event as it was read has a negative duration.
        let counted = registry.observe_cohort(list.cohort?, micros().cast_unsigned());
        counted.then_some(&list.others)
    }

    /// The place of a list.
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
            let at = place(hash, way);
            match self.places.get(at).map(|place| &place.list) {
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

    /// Makes a cohort if the list comes to a place for the second time.
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
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Place::default);
        }
        let place = self.places.get_mut(at)?;
        if std::mem::replace(&mut place.last, hash) != hash {
            return None;
        }
        let is_plain = |filter: &FilterId| {
            let metric = plan.metrics.get(filter.index());
            metric.is_some_and(PlannedMetric::is_plain)
        };
        let (plain, others): (Vec<_>, Vec<_>) = filters.iter().copied().partition(is_plain);
        let members = plain.iter().filter_map(|filter| ids.get(filter.index()));
        let members: Vec<MetricId> = members.copied().collect();
        let is_worth_it = members.len() >= SHORTEST;
        place.list = Some(List {
            filters: filters.into(),
            cohort: is_worth_it.then(|| registry.cohort(&members)).flatten(),
            others: others.into(),
        });
        Some(at)
    }
}

/// Of few of them: lists of one length that share these are rare.
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
const fn place(hash: u64, way: usize) -> usize {
    ((hash >> 32) as usize).wrapping_add(way) % PLACES
}

/// Without a branch for each.
#[inline]
fn same(one: &[FilterId], other: &[FilterId]) -> bool {
    let pairs = one.iter().zip(other);
    let differences = pairs.fold(0, |all, (one, other)| all | (one.get() ^ other.get()));
    one.len() == other.len() && differences == 0
}
