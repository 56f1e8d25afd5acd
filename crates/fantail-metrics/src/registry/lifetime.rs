//! What makes series come and go besides events.

use std::time::Duration;

use fantail_event::{EventView, Timestamp, ValueRef};

use super::{MetricId, Registry, declare::declare, tree::SeriesBudget};
use crate::{
    Limits, MetricSettings, MetricSnapshot, RegistryError, RegistryErrorKind,
    registry::metric_view::{MetricView, find},
};

impl Registry {
    /// Changes the limits. Existing series stay, even if the new ones
    /// are.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
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

    /// Counts an event like [`observe_at`](Self::observe_at), with values found
    /// by position and `value` for the exemplar. Not stable: see
    /// [`internal`](crate::internal).
    #[doc(hidden)]
    pub fn observe_view_at<V: MetricView + ?Sized>(
        &mut self,
        id: MetricId,
        event: &V,
        value: Option<ValueRef<'_>>,
        time: Timestamp,
    ) -> bool {
        if self.exemplar_field.is_none() {
            return self.observe_view(id, event);
        }
        self.scratch.exemplar.begin(value, time);
        let there = self.observe_view(id, event);
        self.scratch.exemplar.begin(None, time);
        there
    }

    /// Makes a series whose values are known in advance, so that it is there
    /// with zeros before its first event. `values` has one for each discrete
    /// level of `group_by`, as an event would have it, in order; a quantized
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
    /// There is no such metric, not one value for each discrete level, or no
    /// room for all series; those that were made by then stay.
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

    /// Drops series without an update for a time, and gives their room back;
    /// returns how many.
    ///
    /// `now` is the time since some moment that stays the same, such as the
    /// start of the program, not the time of day: that jumps. A series counts
    /// as updated when this is called next after the update, so call this a
    /// few times in `idle`; it takes a look at each series. A time of less
    /// than a second counts as one, and times beyond 136 years as that.
    ///
    /// What a dropped series counted stays in the metric itself and in all
    /// series above that are not idle; one whose value comes again begins
    /// with nothing. [`dropped`](crate::MetricSnapshot::dropped) tells how many there were.
    /// Metrics themselves stay, and so do series that were
    /// [declared](Self::declare).
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

    /// Adds what was counted before a restart to the metric with the same name
    /// and settings, if `keep` agrees; returns whether it did.
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
        let overflowed = metric.overflowed.saturating_add(saved.overflowed());
        metric.overflowed = overflowed.saturating_add(over);
        metric.dropped = metric.dropped.saturating_add(saved.dropped());
        true
    }
}
