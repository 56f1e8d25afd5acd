//! What a metric takes of an event.

use std::sync::atomic::{AtomicUsize, Ordering};

use fantail_event::{EventView, ValueRef};

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

    /// Calls with each element of the lists of that field, if its value is a
    /// list: in any order, repeated or not.
    fn elements(&self, at: usize, each: &mut dyn FnMut(&[u8]));
}

/// An event whose values are looked up by their keys.
#[derive(Debug)]
pub(crate) struct ByKey<'a, E: ?Sized> {
    pub(crate) event: &'a E,
    pub(crate) settings: &'a MetricSettings,
    pub(crate) places: &'a Places,
}

/// Where an event had the values of a metric's fields and levels, which is
/// where the next one has them most of the time.
#[derive(Debug)]
pub(crate) struct Places(Box<[AtomicUsize]>);

impl Places {
    pub(crate) fn new(settings: &MetricSettings) -> Self {
        let count = settings.fields.len() + settings.group_by.len();
        Self((0..count).map(|_| AtomicUsize::new(0)).collect())
    }

    /// [`find`], looking there first.
    #[inline]
    fn find<'a, E: EventView + ?Sized>(
        &self,
        at: usize,
        event: &'a E,
        key: &[u8],
    ) -> Option<ValueRef<'a>> {
        if let Some(duration) = duration_field(event, key) {
            return Some(duration);
        }
        let Some(place) = self.0.get(at) else {
            return event.field(key);
        };
        // Nothing but a guess: no order matters.
        let before = place.load(Ordering::Relaxed);
        let mut found = before;
        let value = event.field_near(key, &mut found);
        if found != before {
            place.store(found, Ordering::Relaxed);
        }
        value
    }
}

impl<E: EventView + ?Sized> MetricView for ByKey<'_, E> {
    fn duration(&self) -> Option<ValueRef<'_>> {
        find(self.event, b"duration")
    }

    #[inline]
    fn field(&self, at: usize) -> Option<ValueRef<'_>> {
        let key = self.settings.fields.get(at)?;
        self.places.find(at, self.event, key)
    }

    #[inline]
    fn level(&self, at: usize) -> Option<ValueRef<'_>> {
        let key = &self.settings.group_by.get(at)?.field;
        let at = self.settings.fields.len() + at;
        self.places.find(at, self.event, key)
    }

    fn elements(&self, at: usize, each: &mut dyn FnMut(&[u8])) {
        let Some(level) = self.settings.group_by.get(at) else {
            return;
        };
        self.event.any_element(&level.field, &mut |element| {
            each(element);
            false
        });
    }
}

/// A field, where `duration` is the event's own if it has one.
pub(crate) fn find<'a, E: EventView + ?Sized>(event: &'a E, key: &[u8]) -> Option<ValueRef<'a>> {
    duration_field(event, key).or_else(|| event.field(key))
}

#[inline]
fn duration_field<'a, E: EventView + ?Sized>(event: &'a E, key: &[u8]) -> Option<ValueRef<'a>> {
    if key != b"duration" {
        return None;
    }
    // Sent before it was created: clocks jump, and Dovecot's server ends
    // there.
    let micros = event.duration_micros()?.max(0);
    Some(ValueRef::Int(micros))
}
