//! Cohorts: metrics that the same events match, updated once.

use std::sync::PoisonError;

use super::{MetricId, Registry};
use crate::{MetricSettings, store::cohort::CohortId};

impl Registry {
    /// Makes a cohort of metrics that the same events match.
    /// [`observe_cohort`](Self::observe_cohort) counts an event for all of them
    /// at the cost of one. Each member can also be counted separately with
    /// [`observe`](Self::observe).
    ///
    /// Returns `None` if a metric has fields, `group_by` or heavy hitters or is removed, if
    /// [exemplars](Self::keep_exemplars) are kept, or if the limits of 256
    /// cohorts and 32,768 members in total are reached. `ids` must not repeat a
    /// metric.
    ///
    /// ```
    /// # use fantail_event::Dialect;
    /// # use fantail_metrics::{MetricSettings, Registry};
    /// let mut registry = Registry::new(Dialect::V2_4);
    /// let mut metric = |name: &[u8]| {
    ///     registry.add(MetricSettings {
    ///         name: name.to_vec(),
    ///         ..MetricSettings::default()
    ///     })
    /// };
    /// let all = [metric(b"logins")?, metric(b"everything")?];
    /// let cohort = registry.cohort(&all).unwrap();
    /// assert!(registry.observe_cohort(cohort, 1_500));
    /// for metric in registry.snapshot().metrics() {
    ///     let itself = metric.series().get(0).unwrap();
    ///     assert_eq!(itself.duration().sum(), 1_500);
    /// }
    /// // Cohorts end when metrics go; what was counted stays.
    /// registry.remove(b"everything");
    /// assert!(!registry.observe_cohort(cohort, 10));
    /// let snapshot = registry.snapshot();
    /// let itself = snapshot.metrics()[0].series().get(0).unwrap();
    /// assert_eq!(itself.duration().sum(), 1_500);
    /// # Ok::<(), fantail_metrics::RegistryError>(())
    /// ```
    #[doc(hidden)]
    pub fn cohort(&mut self, ids: &[MetricId]) -> Option<CohortId> {
        let is_plain = |id: &MetricId| {
            let settings = self.settings(*id);
            settings.is_some_and(MetricSettings::is_plain)
        };
        if self.exemplar_field.is_some() || !ids.iter().all(is_plain) {
            return None;
        }
        let cohorts = self.cohorts.get_mut();
        let cohorts = cohorts.unwrap_or_else(PoisonError::into_inner);
        if cohorts.is_full(ids.len()) {
            return None;
        }
        let (cohort, index) = cohorts.add(ids.iter().map(|id| id.slot).collect());
        for id in ids {
            if let Some(metric) = super::live(&mut self.slots, *id) {
                let before = metric.cohorts.as_deref().unwrap_or_default();
                metric.cohorts = Some(before.iter().copied().chain([index]).collect());
            } else {
                debug_assert!(false, "the metric was there before");
            }
        }
        Some(cohort)
    }

    /// Counts an event of `micros` microseconds in all metrics of a cohort;
    /// returns `false` if the cohort has ended or exemplars are kept. Not stable:
    /// see [`internal`](crate::internal).
    #[doc(hidden)]
    #[inline]
    pub fn observe_cohort(&mut self, cohort: CohortId, micros: u64) -> bool {
        let cohorts = self.cohorts.get_mut();
        let cohorts = cohorts.unwrap_or_else(PoisonError::into_inner);
        self.exemplar_field.is_none() && cohorts.record(cohort, micros)
    }

    /// Ends all cohorts, and adds their values to each member.
    pub(super) fn end_cohorts(&mut self) {
        let cohorts = self.cohorts.get_mut();
        for cohort in cohorts.unwrap_or_else(PoisonError::into_inner).take() {
            for member in &cohort.members {
                let slot = self.slots.get_mut(*member as usize);
                if let Some(metric) = slot.and_then(|slot| slot.metric.as_mut()) {
                    metric.cohorts = None;
                    metric.tree.add_durations(cohort.durations());
                } else {
                    debug_assert!(false, "no metric in slot {member}");
                }
            }
        }
    }
}
