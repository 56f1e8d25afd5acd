//! Cohorts: metrics that the same events match, updated once.
//!
//! A metric without fields and `group_by` has one distribution, of durations.
//! The metrics of a cohort share one more distribution, so an event costs the
//! same for a hundred metrics as for one. The reader of a snapshot adds both
//! distributions; sums of distributions are exact, so the result is the same.
//!
//! The owner of the registry knows which metrics the same events match. A
//! cohort never changes; removing a metric ends all cohorts and adds their
//! values to each member. The [number of cohorts](MAX_COHORTS) and [of
//! members](MAX_MEMBERSHIPS) is limited, because the reader of a snapshot adds
//! up all of them.

use std::sync::{Arc, OnceLock};

use super::segmented::Segment;
use crate::Distribution;

/// The maximum number of cohorts of a registry.
const MAX_COHORTS: usize = 256;
/// The maximum number of members of all cohorts together.
const MAX_MEMBERSHIPS: usize = 32_768;

/// A cohort of a [`Registry`](crate::Registry): metrics that are counted
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortId {
    index: u32,
    /// The number of times that all cohorts ended before.
    epoch: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Cohorts {
    epoch: u32,
    all: Vec<Cohort>,
    memberships: usize,
}

#[derive(Debug)]
pub(crate) struct Cohort {
    /// The slots of the member metrics.
    pub(crate) members: Box<[u32]>,
    durations: Segment<Distribution>,
}

impl Cohort {
    pub(crate) fn durations(&self) -> &Distribution {
        self.durations.get()
    }
}

impl Cohorts {
    /// Returns whether another cohort with `members` members exceeds a limit.
    pub(crate) const fn is_full(&self, members: usize) -> bool {
        self.all.len() >= MAX_COHORTS || self.memberships.saturating_add(members) > MAX_MEMBERSHIPS
    }

    /// Adds a cohort; returns its id and its index.
    pub(crate) fn add(&mut self, members: Box<[u32]>) -> (CohortId, u32) {
        self.memberships += members.len();
        let index = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(Cohort {
            members,
            durations: Segment::default(),
        });
        let epoch = self.epoch;
        (CohortId { index, epoch }, index)
    }

    /// Counts an event; returns `false` if the cohort has ended.
    #[inline]
    pub(crate) fn record(&mut self, id: CohortId, duration: u64) -> bool {
        let cohort = self.all.get_mut(id.index as usize);
        let Some(durations) = cohort
            .filter(|_| self.epoch == id.epoch)
            .and_then(|cohort| cohort.durations.get_mut())
        else {
            return false;
        };
        durations.record(duration);
        true
    }

    /// Returns the distributions in the order of their indices; nothing is
    /// copied.
    pub(crate) fn share(&mut self) -> Arc<[Arc<Distribution>]> {
        let all = self.all.iter_mut();
        all.map(|cohort| cohort.durations.share()).collect()
    }

    /// Resets all values, except in snapshots.
    pub(crate) fn forget(&mut self) {
        for cohort in &mut self.all {
            cohort.durations = Segment::default();
        }
    }

    /// Ends all cohorts.
    pub(crate) fn take(&mut self) -> Vec<Cohort> {
        self.epoch = self.epoch.wrapping_add(1);
        self.memberships = 0;
        std::mem::take(&mut self.all)
    }
}

/// The counts of a metric in its cohorts, in addition to its own.
#[derive(Debug)]
pub(crate) struct Shares {
    /// The distributions of all cohorts.
    all: Arc<[Arc<Distribution>]>,
    /// The indices of the metric's cohorts.
    indices: Arc<[u32]>,
    sum: OnceLock<Distribution>,
}

impl Shares {
    pub(crate) const fn new(all: Arc<[Arc<Distribution>]>, indices: Arc<[u32]>) -> Self {
        let sum = OnceLock::new();
        Self { all, indices, sum }
    }

    /// Returns the sum of the metric's own distribution and those of its
    /// cohorts.
    pub(crate) fn with(&self, own: &Distribution) -> &Distribution {
        self.sum.get_or_init(|| {
            let mut sum = own.clone();
            for index in &*self.indices {
                if let Some(durations) = self.all.get(*index as usize) {
                    sum.merge(durations);
                } else {
                    debug_assert!(false, "no cohort {index}");
                }
            }
            sum
        })
    }
}
