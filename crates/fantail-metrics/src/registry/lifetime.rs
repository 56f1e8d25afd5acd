//! The lifetime of series: limits, exemplars, declared and idle series.

use std::{sync::Arc, time::Duration};

use fantail_event::{EventView, Timestamp, ValueRef};

use super::{MetricId, Registry, SeriesMemory, declare::declare, live, tree::SeriesBudget};
use crate::{
    Limits, MetricRules, MetricSettings, MetricSnapshot, RegistryError, RegistryErrorKind,
    registry::metric_view::{MetricView, find},
};

impl Registry {
    /// Changes the limits. Existing series stay, even above the new limits.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Sets the rules of a metric; returns `false` if the metric is removed.
    /// Existing series stay, even above a new limit.
    pub fn set_rules(&mut self, id: MetricId, rules: MetricRules) -> bool {
        let Some(metric) = live(&mut self.slots, id) else {
            return false;
        };
        metric.rules = rules;
        metric.tree.limit_series(rules.series_limit);
        true
    }

    /// Sets the memory that this registry shares with others. By default, only the
    /// limits bound the series. Existing series are reserved if there is enough memory.
    pub fn share_memory(&mut self, memory: Arc<dyn SeriesMemory>) {
        let slots = self.slots.iter_mut();
        for metric in slots.filter_map(|slot| slot.metric.as_mut()) {
            metric.tree.share_memory(Some(&memory));
            if let Some(top) = &mut metric.top {
                top.share_memory(Some(&memory));
            }
        }
        self.memory = Some(memory);
    }

    /// Sets the field of exemplars: from now on, the last event with this field
    /// is kept for each series without children, and exemplars of another field
    /// are removed. [`observe_at`](Self::observe_at) keeps exemplars,
    /// [`observe`](Self::observe) does not.
    pub fn keep_exemplars(&mut self, field: Option<&[u8]>) {
        let before = std::mem::replace(&mut self.exemplar_field, field.map(Into::into));
        if before.is_none() || before == self.exemplar_field {
            return;
        }
        let slots = self.slots.iter_mut();
        for metric in slots.filter_map(|slot| slot.metric.as_mut()) {
            metric.tree.forget_exemplars();
        }
    }

    /// Counts an event like [`observe`](Self::observe), and keeps it as the
    /// exemplar of `time`.
    pub fn observe_at<E: EventView + ?Sized>(
        &mut self,
        id: MetricId,
        event: &E,
        time: Timestamp,
    ) -> bool {
        let Some(field) = &self.exemplar_field else {
            return self.observe(id, event);
        };
        self.scratch.exemplar.begin(find(event, field), time);
        let there = self.observe(id, event);
        self.scratch.exemplar.begin(None, time);
        there
    }

    /// Counts an event like [`observe_views`](Self::observe_views), and keeps it as
    /// the exemplar of `time` if the exemplar field has a `value`. Not stable: see
    /// [`internal`](crate::internal).
    #[doc(hidden)]
    pub fn observe_views_at<V: MetricView>(
        &mut self,
        metrics: impl Iterator<Item = (MetricId, V)>,
        value: Option<ValueRef<'_>>,
        time: Timestamp,
    ) {
        if self.exemplar_field.is_none() {
            self.observe_views(metrics);
            return;
        }
        self.scratch.exemplar.begin(value, time);
        self.observe_views(metrics);
        self.scratch.exemplar.begin(None, time);
    }

    /// Creates a series whose values are known in advance, so that it exists
    /// with zeros before its first event. `values` has one value for each
    /// discrete level of `group_by`, in order, as an event has it; a quantized
    /// level gets all its buckets. Such series are never dropped as idle.
    ///
    /// ```
    /// # use fantail_event::Dialect;
    /// # use fantail_metrics::{GroupBy, Method, MetricSettings, Modifier, Registry};
    /// let mut registry = Registry::new(Dialect::V2_4);
    /// let level = |field: &[u8], modifiers| GroupBy {
    ///     field: field.to_vec(),
    ///     method: Method::Discrete(modifiers),
    /// };
    /// let metric = registry.add(MetricSettings {
    ///     name: b"logins".to_vec(),
    ///     group_by: vec![level(b"service", vec![]), level(b"result", vec![Modifier::Lower])],
    ///     ..MetricSettings::default()
    /// })?;
    /// registry.declare(metric, &[b"imap", b"OK"])?;
    /// registry.declare(metric, &[b"imap", b"NO"])?;
    /// // The metric, `imap`, and `ok` and `no` below it.
    /// assert_eq!(registry.series(), 4);
    /// # Ok::<(), fantail_metrics::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// The metric does not exist, the number of values differs from the number
    /// of discrete levels, or a limit is reached; series created until then
    /// stay.
    pub fn declare(&mut self, id: MetricId, values: &[&[u8]]) -> Result<(), RegistryError> {
        let slot = self.slots.get_mut(id.slot as usize);
        let slot = slot.filter(|slot| slot.generation == id.generation);
        let Some(metric) = slot.and_then(|slot| slot.metric.as_mut()) else {
            return Err(RegistryError::new(RegistryErrorKind::UnknownMetric, b""));
        };
        let (tree, settings) = (&mut metric.tree, &metric.settings);
        declare(tree, settings, values, &self.limits, &mut self.used)
            .map_err(|kind| RegistryError::new(kind, &settings.name))
    }

    /// Drops series without an update during `idle`, and returns their number.
    /// Their share of the limits is free again.
    ///
    /// `now` is the time since a fixed moment, such as the start of the
    /// program. Do not use the time of day: it jumps. An update gets the time
    /// of the next call of this function, so call it several times during
    /// `idle`; a call reads each series. An idle time below a second counts as
    /// one second; the maximum of both times is 136 years.
    ///
    /// The counts of a dropped series stay in the metric itself and in its
    /// ancestors that are not idle; a new series of the same value starts at
    /// zero. [`dropped`](crate::MetricSnapshot::dropped) is the number of
    /// dropped series. Metrics themselves are not dropped, nor are
    /// [declared](Self::declare) series.
    pub fn drop_idle(&mut self, now: Duration, idle: Duration) -> usize {
        let mut dropped = 0;
        for metric in self
            .slots
            .iter_mut()
            .filter_map(|slot| slot.metric.as_mut())
        {
            let here = metric.tree.drop_idle(now, idle, &mut self.used);
            metric.dropped = metric.dropped.saturating_add(here as u64);
            dropped += here;
        }
        dropped
    }

    /// Adds saved counts to the metric with the same name and settings, if
    /// `keep` returns `true`; returns whether it did.
    pub(crate) fn absorb(
        &mut self,
        saved: &MetricSnapshot,
        keep: impl FnOnce(&MetricSettings) -> bool,
    ) -> bool {
        let settings = saved.settings();
        let slot = self.names.get(&settings.name);
        let metric = slot.and_then(|slot| self.slots.get_mut(*slot as usize)?.metric.as_mut());
        let metric = metric.filter(|metric| *metric.settings == *settings && keep(settings));
        let Some(metric) = metric else {
            return false;
        };
        let mut budget = SeriesBudget {
            metric: self.limits.series_per_metric,
            used: &mut self.used,
            all: self.limits.series,
        };
        let over = metric.tree.absorb(saved.series(), &mut budget);
        if let (Some(top), Some(saved)) = (&mut metric.top, saved.top()) {
            top.absorb(saved);
        }
        let overflowed = metric.overflowed.saturating_add(saved.overflowed());
        metric.overflowed = overflowed.saturating_add(over);
        metric.dropped = metric.dropped.saturating_add(saved.dropped());
        true
    }
}
