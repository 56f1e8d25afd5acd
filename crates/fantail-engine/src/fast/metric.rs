//! An event as a metric sees it.

use fantail_event::ValueRef;
use fantail_filter::{FilterSet, Slot, SlotView};
use fantail_metrics::{MetricSettings, MetricView};

use super::slots::SlotEvent;

/// The slots of what one metric looks at.
#[derive(Debug, Default)]
pub(crate) struct MetricSlots {
    fields: Box<[Slot]>,
    levels: Box<[Slot]>,
}

impl MetricSlots {
    /// Gives the fields and levels of a metric slots of the set that its
    /// filter is in.
    pub(crate) fn new(settings: &MetricSettings, filters: &mut FilterSet) -> Self {
        let fields = settings.fields.iter();
        let fields = fields.map(|key| filters.add_slot(key)).collect();
        let levels = settings.group_by.iter();
        let levels = levels.map(|level| filters.add_slot(&level.field)).collect();
        Self { fields, levels }
    }

    /// Whether it looks at nothing but the duration.
    pub(crate) const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.levels.is_empty()
    }
}

/// One event and one metric.
#[derive(Debug)]
pub(super) struct MetricEvent<'e, 'a> {
    pub(super) event: &'e SlotEvent<'a>,
    pub(super) slots: &'e MetricSlots,
}

impl MetricView for MetricEvent<'_, '_> {
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

    fn elements(&self, at: usize, each: &mut dyn FnMut(&[u8])) {
        if let Some(slot) = self.slots.levels.get(at) {
            self.event.elements(*slot, &mut |element| {
                each(element);
                false
            });
        }
    }
}
