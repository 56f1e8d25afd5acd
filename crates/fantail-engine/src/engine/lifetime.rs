//! Changes of an engine between events: settings, observers, saved states.

use std::{collections::HashMap, sync::Arc, time::Duration};

use fantail_config::Settings;
use fantail_event::internal::Invariant as _;
use fantail_filter::Filter;
use fantail_metrics::{
    MetricId, Registry,
    state::{Restored, State},
};

use super::Engine;
use crate::{
    Plan, PlanError,
    cohort_cache::CohortCache,
    matching::{EventSlots, SetMatcher},
    observers::Observers,
};

impl Engine {
    /// Changes the settings. Metrics with the same settings and the same filter
    /// keep their counts.
    ///
    /// # Errors
    /// As for [`Plan::new`]; the engine is unchanged.
    pub fn reconfigure(&mut self, settings: &Settings) -> Result<(), PlanError> {
        self.adopt(Arc::new(Plan::new(settings)?));
        Ok(())
    }

    /// Changes the plan, as [`reconfigure`](Self::reconfigure) does. Returns the old
    /// one: freeing a large plan takes milliseconds, which the caller may spend on
    /// another thread.
    pub fn adopt(&mut self, plan: Arc<Plan>) -> Arc<Plan> {
        if plan.dialect != self.plan.dialect {
            // The labels of the dialects differ.
            self.registry = Registry::new(plan.dialect);
            if let Some(memory) = &self.memory {
                self.registry.share_memory(Arc::clone(memory));
            }
            self.ids.clear();
        }
        let wanted: HashMap<&[u8], &Filter> = plan
            .metrics
            .iter()
            .map(|metric| (metric.settings.name.as_slice(), &metric.filter))
            .collect();
        let same: HashMap<MetricId, bool> = self
            .ids
            .iter()
            .zip(&self.plan.metrics)
            .map(|(id, metric)| {
                let now = wanted.get(metric.settings.name.as_slice());
                (*id, now == Some(&&metric.filter))
            })
            .collect();
        let keep = |id| same.get(&id) == Some(&true);
        let ids = self.registry.replace_all(plan.metric_settings(), keep);
        // The plan tried the same with a registry of its own.
        self.ids = ids.always();
        // A plan whose series exceed the limits was refused when it was made.
        // Series that exceed them only together with existing ones are created
        // by their first event, or go to `other`.
        let _ = plan.series.apply(&mut self.registry, &self.ids);
        self.cohorts = CohortCache::default();
        self.sessions.use_rules(plan.sessions.clone());
        let old = std::mem::replace(&mut self.plan, plan);
        let observers = std::mem::take(&mut self.observers).into_filters();
        self.observe(observers);
        old
    }

    /// Replaces the filters of observers: the sink gets each event that matches
    /// one, by [`ExportSink::observed`]. Events are matched by the slots of the
    /// metrics, so a filter costs little while no event matches it.
    ///
    /// [`ExportSink::observed`]: crate::ExportSink::observed
    pub fn observe(&mut self, filters: impl IntoIterator<Item = Filter>) {
        self.observers = Observers::new(&self.plan.filters, filters);
        self.slots = EventSlots::new(self.observers.slots(&self.plan.filters));
        // The cached classes contain numbers of category sets, which start
        // again.
        self.metrics = SetMatcher::new();
    }

    /// Adds saved counts to each metric with the same settings and filter. Call
    /// this before any event.
    pub fn restore(&mut self, state: &State) -> Restored {
        let plan = &self.plan;
        self.registry.restore(state, |settings, note| {
            plan.filter_text(&settings.name) == note
        })
    }

    /// Drops idle series: see [`Registry::drop_idle`].
    pub fn drop_idle(&mut self, now: Duration, idle: Duration) -> usize {
        self.registry.drop_idle(now, idle)
    }
}
