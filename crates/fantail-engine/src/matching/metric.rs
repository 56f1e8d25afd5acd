//! An event as one metric sees it.

use fantail_event::ValueRef;
use fantail_filter::{
    FilterSet,
    internal::{Slot, SlotView},
};
use fantail_metrics::{MetricSettings, internal::MetricView};

/// An event whose values lie by slot, for metrics.
pub trait CountedEvent: SlotView {
    /// Returns the duration in microseconds, not negative.
    fn micros(&self) -> i64;
}

/// The slots of what one metric looks at.
#[derive(Debug, Default)]
pub(crate) struct MetricSlots {
    fields: Box<[Slot]>,
    levels: Box<[Slot]>,
    top: Option<Slot>,
    top_weight: Option<Slot>,
}

impl MetricSlots {
    /// Gives the fields and levels of a metric slots of the set that its
    /// filter is in.
    pub(crate) fn new(settings: &MetricSettings, filters: &mut FilterSet) -> Self {
        let fields = settings.fields.iter();
        let fields = fields.map(|key| filters.add_slot(key)).collect();
        let levels = settings.group_by.iter();
        let levels = levels.map(|level| filters.add_slot(&level.field)).collect();
        let top = settings.top.as_ref();
        let top_weight = top.and_then(|top| top.weight());
        Self {
            fields,
            levels,
            top: top.map(|top| filters.add_slot(top.field())),
            top_weight: top_weight.map(|field| filters.add_slot(field)),
        }
    }

    /// Returns whether it uses only the duration.
    pub(crate) const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.levels.is_empty() && self.top.is_none()
    }
}

/// One event and one metric.
pub(crate) struct MetricEvent<'e, V> {
    event: &'e V,
    slots: &'e MetricSlots,
}

impl<'e, V: CountedEvent> MetricEvent<'e, V> {
    pub(crate) const fn new(event: &'e V, slots: &'e MetricSlots) -> Self {
        Self { event, slots }
    }
}

impl<V: CountedEvent> MetricView for MetricEvent<'_, V> {
    #[inline]
    fn duration(&self) -> Option<ValueRef<'_>> {
        Some(ValueRef::Int(self.event.micros()))
    }

    #[inline]
    fn field(&self, at: usize) -> Option<ValueRef<'_>> {
        self.event.value(*self.slots.fields.get(at)?)
    }

    #[inline]
    fn level(&self, at: usize) -> Option<ValueRef<'_>> {
        self.event.value(*self.slots.levels.get(at)?)
    }

    #[inline]
    fn top(&self) -> Option<ValueRef<'_>> {
        self.event.value(self.slots.top?)
    }

    #[inline]
    fn top_weight(&self) -> Option<ValueRef<'_>> {
        self.event.value(self.slots.top_weight?)
    }
}
