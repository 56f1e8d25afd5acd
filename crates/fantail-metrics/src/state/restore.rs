//! Restoring a saved state into registries and snapshots.

use std::collections::HashMap;

use super::{Restored, State};
use crate::{MetricSettings, MetricSnapshot, Registry, Snapshot};

impl Registry {
    /// Adds saved counts to each metric with the same name and settings if
    /// `keep` returns `true`. `keep` gets the note that was saved with the
    /// metric: the owner knows whether the filter is the same.
    ///
    /// Call this before any event, so that series keep their order. Values
    /// above the [limits](crate::Limits) go to series `other`, and count as
    /// overflowed.
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
    /// Adds saved counts before the counts of the snapshot, for each metric
    /// with the same name and settings if `keep` returns `true`. Like
    /// [`Registry::restore`](crate::Registry::restore), but without a registry
    /// and without limits.
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
                here.merge_all(&[&before]);
                restored.metrics += 1;
                restored.left_out -= 1;
            }
        }
        restored
    }
}
