//! What a metric takes of an event.

use fantail_event::{DURATION, EventView, ValueRef};

use crate::MetricSettings;

/// An event as one metric sees it: values by their places in its settings.
///
/// Whoever has an event's values at hand without their keys hands them over
/// so, with [`Registry::observe_view`](crate::Registry::observe_view). The
/// value of `duration` is the event's duration, also where settings name it
/// as a field or level; it is not negative.
pub trait MetricView {
    /// The duration in microseconds, or what stands in its place.
    fn duration(&self) -> Option<ValueRef<'_>>;

    /// The value of the field in this place of
    /// [`MetricSettings::fields`].
    fn field(&self, at: usize) -> Option<ValueRef<'_>>;

    /// The value of the field that the level in this place of
    /// [`MetricSettings::group_by`] names.
    fn level(&self, at: usize) -> Option<ValueRef<'_>>;
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
}

/// A field, where `duration` is the event's own if it has one.
pub(crate) fn find<'a, E: EventView + ?Sized>(event: &'a E, key: &[u8]) -> Option<ValueRef<'a>> {
    if key == DURATION
        && let Some(micros) = event.duration_micros()
    {
        // Sent before it was created: clocks jump, and Dovecot's server ends
        // there.
        return Some(ValueRef::Int(micros.max(0)));
    }
    event.field(key)
}
