//! Registries and snapshots that go on from a saved state.

use std::collections::HashMap;

use super::{Restored, State};
use crate::{MetricSettings, MetricSnapshot, Registry, Snapshot};

impl Registry {
    /// Adds what was counted before a restart, to each metric that is there
    /// with the same name and settings if `keep` agrees. It gets the note that
    /// was saved with the metric: the owner knows whether the filter is the
    /// same.
    ///
    /// Call it before any event, so that series keep their order. What the
    /// [limits](crate::Limits) have no room for any more goes to series
    /// `other`, and counts as overflowed.
    pub fn restore(
        &mut self,
        state: &State,
        mut keep: impl FnMut(&MetricSettings, &[u8]) -> bool,
    ) -> Restored {
        let mut restored = Restored::default();
        let same_dialect = self.dialect() == state.dialect();
        for (saved, note) in state.metrics() {
            if same_dialect && self.absorb(saved, |settings| keep(settings, note)) {
                restored.metrics += 1;
            } else {
                restored.left_out += 1;
            }
        }
        restored
    }
}

impl Snapshot {
    /// Puts what was counted before a restart in front of what is here, for
    /// each metric with the same name and settings if `keep` agrees:
    /// [`Registry::restore`](crate::Registry::restore) without a registry. No
    /// limits apply.
    pub fn restore(
        &mut self,
        state: State,
        mut keep: impl FnMut(&MetricSettings, &[u8]) -> bool,
    ) -> Restored {
        let mut restored = Restored::default();
        let same_dialect = state.dialect() == self.dialect();
        let mut saved: HashMap<Vec<u8>, (MetricSnapshot, Vec<u8>)> = state
            .into_metrics()
            .map(|(metric, note)| (metric.settings().name.clone(), (metric, note)))
            .collect();
        restored.left_out = saved.len();
        for here in self.metrics_mut() {
            let Some((mut before, note)) = saved.remove(&here.settings().name) else {
                continue;
            };
            if same_dialect && before.settings() == here.settings() && keep(here.settings(), &note)
            {
                std::mem::swap(here, &mut before);
                here.merge(&before);
                restored.metrics += 1;
                restored.left_out -= 1;
            }
        }
        restored
    }
}
