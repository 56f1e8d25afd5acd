//! Cohorts: events counted once for several metrics.
//!
//! A metric without fields and `group_by` has one distribution, that of
//! durations. Where the same events count for several of these, they are
//! counted in one distribution that all of them have a part in: a hundred
//! metrics then cost an event as much as one. Distributions add up exactly,
//! so the result is the same. The reader of a snapshot adds them up.
//!
//! Which events are the same, the owner of the registry knows. Cohorts never
//! change; all of them end when metrics are removed, and their values go to
//! the metrics themselves. Their [number](MAX_COHORTS) and that of their
//! [memberships](MAX_MEMBERSHIPS) are limited, because the reader of a snapshot
//! adds each of them up.

use std::sync::{Arc, OnceLock};

use super::segmented::Segment;
use crate::Distribution;

/// The most cohorts of a registry.
const MAX_COHORTS: usize = 256;
/// The most members of all cohorts together.
const MAX_MEMBERSHIPS: usize = 32_768;

/// Metrics of a [`Registry`](crate::Registry) that events count for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortId {
    index: u32,
    /// Of those that ended together.
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
    /// The slots of the metrics.
    pub(crate) members: Box<[u32]>,
    durations: Segment<Distribution>,
}

impl Cohort {
    pub(crate) fn durations(&self) -> &Distribution {
        self.durations.get()
    }
}

impl Cohorts {
    /// Whether another cohort with `members` members exceeds a limit.
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

    /// Counts an event; `false` if the cohort has ended.
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

    /// The distributions as they are now, by place; nothing is copied.
    pub(crate) fn share(&mut self) -> Arc<[Arc<Distribution>]> {
        let all = self.all.iter_mut();
        all.map(|cohort| cohort.durations.share()).collect()
    }

    /// Forgets all values. What a snapshot has stays.
    pub(crate) fn forget(&mut self) {
        for cohort in &mut self.all {
            cohort.durations = Segment::default();
        }
    }

    /// Ends all.
    pub(crate) fn take(&mut self) -> Vec<Cohort> {
        self.epoch = self.epoch.wrapping_add(1);
        self.memberships = 0;
        std::mem::take(&mut self.all)
    }
}

/// What a metric has in cohorts besides its own, at one moment.
#[derive(Debug)]
pub(crate) struct Shares {
    /// Of all cohorts.
    all: Arc<[Arc<Distribution>]>,
    /// The places of those that the metric is in.
    indices: Arc<[u32]>,
    sum: OnceLock<Distribution>,
}

impl Shares {
    pub(crate) const fn new(all: Arc<[Arc<Distribution>]>, indices: Arc<[u32]>) -> Self {
        let sum = OnceLock::new();
        Self { all, indices, sum }
    }

    /// All together with the metric's own.
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
