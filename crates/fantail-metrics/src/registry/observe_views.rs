//! Counting one event in several metrics.

use super::{MetricId, Registry, live, metric_view::MetricView, observe::observe, top};

impl Registry {
    /// Counts one event in several metrics. Each metric has its own view of the event,
    /// and all views have the same values for the same keys. Not stable: see
    /// [`internal`](crate::internal).
    #[doc(hidden)]
    #[inline]
    pub fn observe_views<V: MetricView>(&mut self, metrics: impl Iterator<Item = (MetricId, V)>) {
        self.scratch.begin();
        metrics.for_each(|(id, event)| self.count(id, &event));
    }

    /// Counts the current event.
    #[inline]
    fn count<V: MetricView>(&mut self, id: MetricId, event: &V) {
        let Some(metric) = live(&mut self.slots, id) else {
            debug_assert!(false, "no metric {id:?}");
            return;
        };
        let overflowed = observe(
            &mut metric.tree,
            &metric.settings,
            event,
            self.dialect,
            &self.limits,
            &mut self.used,
            &mut self.scratch,
        );
        if overflowed > 0 {
            metric.overflowed = metric.overflowed.saturating_add(overflowed);
        }
        if metric.tree.has_top() {
            top::observe(&mut metric.top, &metric.settings, event, &mut self.scratch);
        }
    }
}
