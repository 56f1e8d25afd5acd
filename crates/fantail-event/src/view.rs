//! What a filter can ask of an event.

use crate::{Level, Source, ValueRef};

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The event itself.
    Own,
    /// An ancestor; 1 is the parent.
    Parent(usize),
    /// The global event (0) or an ancestor of it.
    Global(usize),
}

/// Something that a filter can be matched against.
///
/// Only [`name`](Self::name) and [`field`](Self::field) have to be written;
/// the rest describes what only Dovecot's events have.
pub trait EventView {
    /// The event's name; an event without one matches no `event=` test.
    fn name(&self) -> Option<&[u8]>;

    /// The value of the field with this key: the event's own, else the
    /// nearest ancestor's, else the global event's or of its ancestors.
    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>>;

    /// The same as [`field`](Self::field), for one who asks many events of a
    /// kind for this key: `place` is a number that the look-up may leave for
    /// the next one, to find quickly what is in the same place again. It is 0
    /// at first, and a hint only: the answer does not depend on it.
    fn field_near(&self, key: &[u8], place: &mut usize) -> Option<ValueRef<'_>> {
        let _ = place;
        self.field(key)
    }

    /// Whether `test` accepts some element of the lists with this key in the
    /// global event's ancestors, the global event, the event's ancestors and
    /// the event, asked in that order, outermost first (the order in which
    /// Dovecot makes sub-metrics), until the first that it accepts.
    fn any_element(&self, key: &[u8], test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let _ = (key, test);
        false
    }

    /// Where [`field`](Self::field) finds this key.
    fn field_origin(&self, key: &[u8]) -> Option<Origin> {
        self.field(key).map(|_| Origin::Own)
    }

    /// Whether the event, an ancestor or the global event has this category
    /// or one that descends from it.
    fn in_category(&self, category: &[u8]) -> bool {
        let _ = category;
        false
    }

    /// The level of this sending, if it has one.
    fn level(&self) -> Option<Level> {
        None
    }

    /// The place in the source that sent the event.
    fn source(&self) -> Option<&Source<'_>> {
        None
    }

    /// Microseconds from the event's creation to its sending (0 if never
    /// sent): what `duration` means to a 2.4 filter. `None`: the type has no
    /// such times, and `duration` is a field like any other.
    fn duration_micros(&self) -> Option<i64> {
        None
    }
}
