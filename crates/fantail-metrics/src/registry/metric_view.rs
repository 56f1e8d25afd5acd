//! The values of an event that a metric uses.

use fantail_event::{DURATION, EventView, ValueRef};

use crate::MetricSettings;

/// An event's values by their positions in the settings of one metric.
///
/// For callers of [`Registry::observe_views`](crate::Registry::observe_views)
/// that have already found the values. The value of `duration` is the event's
/// duration, also if the settings name it as a field or level; it is not
/// negative.
pub trait MetricView {
    /// Returns the duration in microseconds, or the value of a field
    /// `duration`.
    fn duration(&self) -> Option<ValueRef<'_>>;

    /// Returns the value of the field at this index of
    /// [`MetricSettings::fields`].
    fn field(&self, at: usize) -> Option<ValueRef<'_>>;

    /// Returns the value of the field named by the level at this index of
    /// [`MetricSettings::group_by`].
    fn level(&self, at: usize) -> Option<ValueRef<'_>>;

    /// Returns the value of the field of [`MetricSettings::top`].
    fn top(&self) -> Option<ValueRef<'_>>;

    /// Returns the value of the weight of [`MetricSettings::top`].
    fn top_weight(&self) -> Option<ValueRef<'_>>;
}

/// An event whose values are looked up by their keys.
#[derive(Debug)]
pub(crate) struct ByKey<'a, E: ?Sized> {
    pub(crate) event: &'a E,
    pub(crate) settings: &'a MetricSettings,
}

impl<E: EventView + ?Sized> MetricView for ByKey<'_, E> {
    fn duration(&self) -> Option<ValueRef<'_>> {
        find(self.event, DURATION)
    }

    #[inline]
    fn field(&self, at: usize) -> Option<ValueRef<'_>> {
        find(self.event, self.settings.fields.get(at)?)
    }

    #[inline]
    fn level(&self, at: usize) -> Option<ValueRef<'_>> {
        find(self.event, &self.settings.group_by.get(at)?.field)
    }

    fn top(&self) -> Option<ValueRef<'_>> {
        find(self.event, self.settings.top.as_ref()?.field())
    }

    fn top_weight(&self) -> Option<ValueRef<'_>> {
        find(self.event, self.settings.top.as_ref()?.weight()?)
    }
}

/// Returns the value of a field; of `duration`, the event's own duration if it
/// has one.
pub(crate) fn find<'a, E: EventView + ?Sized>(event: &'a E, key: &[u8]) -> Option<ValueRef<'a>> {
    if key == DURATION
        && let Some(micros) = event.duration_micros()
    {
        // A clock jumped: the event was sent before it was created. Dovecot's
        // server crashes here.
        return Some(ValueRef::Int(micros.max(0)));
    }
    event.field(key)
}
