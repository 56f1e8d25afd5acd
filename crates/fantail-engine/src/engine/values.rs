//! Counting events whose values their program keeps by slot.

use fantail_filter::internal::Slots;

use super::{Engine, handle::metric_views};
use crate::{Plan, matching::CountedEvent, plan::Unnamed};

/// Plans for callers that keep the values of events by slot.
pub trait SlotPlan {
    /// Returns the keys that filters and metrics use.
    fn slots(&self) -> &Slots;

    /// Returns whether events are only counted: no exporter writes them, no session is
    /// made of them, and none is kept as an exemplar.
    fn only_counts(&self) -> bool;
}

/// Counting events whose values lie by slot.
pub trait ValueCounter {
    /// Counts an event without categories, by a plan that [only
    /// counts](SlotPlan::only_counts) and without observers.
    ///
    /// The events with one `number` have one name and one level: the filters that can
    /// match them are found once.
    fn count_values<V: CountedEvent>(&mut self, number: usize, event: &V);
}

impl SlotPlan for Plan {
    fn slots(&self) -> &Slots {
        self.filters.slots()
    }

    fn only_counts(&self) -> bool {
        !self.exports && self.sessions.is_none() && self.series.exemplar_slot().is_none()
    }
}

impl ValueCounter for Engine {
    #[inline]
    fn count_values<V: CountedEvent>(&mut self, number: usize, event: &V) {
        debug_assert!(self.plan.only_counts() && self.observers.is_empty());
        let (plan, registry) = (&*self.plan, &mut self.registry);
        let counters = &mut self.exporting.counters;
        counters.events += 1;
        if plan.unnamed == Unnamed::Skipped && event.name().is_none() {
            return;
        }
        let matched = self.metrics.match_numbered(&plan.filters, number, event);
        let mut filters = matched.filters;
        counters.matched += u64::from(!filters.is_empty());
        let list = (filters, matched.list);
        let micros = || event.micros();
        if let Some(others) = self.cohorts.count(registry, plan, &self.ids, list, micros) {
            filters = others;
        }
        registry.observe_views(metric_views(filters, plan, &self.ids, event));
    }
}
