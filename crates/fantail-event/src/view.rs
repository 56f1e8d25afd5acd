//! What filters and exporters ask of an event.

use crate::{Level, SentEvent, Source, Timestamp, ValueRef};

/// Where the value of a field was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueOrigin {
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
///
/// ```
/// use fantail_event::{EventView, ValueRef};
///
/// struct Login {
///     user: String,
///     tries: i64,
/// }
///
/// impl EventView for Login {
///     fn name(&self) -> Option<&[u8]> {
///         Some(b"login")
///     }
///
///     fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
///         match key {
///             b"user" => Some(ValueRef::from(&self.user)),
///             b"tries" => Some(ValueRef::Int(self.tries)),
///             _ => None,
///         }
///     }
/// }
/// ```
pub trait EventView {
    /// The event's name; an event without one matches no `event=` test.
    fn name(&self) -> Option<&[u8]>;

    /// The value of the field with this key: the event's own, else the
    /// nearest ancestor's, else the global event's or of its ancestors. A list
    /// has the elements of all of them, outermost first.
    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>>;

    /// Where [`field`](Self::field) finds this key.
    fn field_origin(&self, key: &[u8]) -> Option<ValueOrigin> {
        self.field(key).map(|_| ValueOrigin::Own)
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

    /// The line of source code that sent the event.
    fn source(&self) -> Option<Source<'_>> {
        None
    }

    /// Microseconds from the event's creation to its sending (0 if never
    /// sent): what `duration` means to a 2.4 filter. `None`: the type has no
    /// such times, and `duration` is a field like any other.
    fn duration_micros(&self) -> Option<i64> {
        None
    }
}

/// Something that can be exported and counted by an engine: what a filter asks,
/// and what an exporter writes besides.
///
/// ```
/// use fantail_event::{EventView, ExportView, Timestamp, ValueRef};
///
/// struct Login(Timestamp, String);
///
/// impl EventView for Login {
///     fn name(&self) -> Option<&[u8]> {
///         Some(b"login")
///     }
///
///     fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
///         (key == b"user").then_some(ValueRef::from(&self.1))
///     }
/// }
///
/// impl ExportView for Login {
///     fn created(&self) -> Timestamp {
///         self.0
///     }
///
///     fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
///         each(b"user", ValueRef::from(&self.1));
///     }
/// }
/// ```
pub trait ExportView: EventView {
    /// When the event was created: the start time of an export.
    fn created(&self) -> Timestamp;

    /// When it was sent, if ever: the end time of an export.
    fn sent(&self) -> Option<Timestamp> {
        None
    }

    /// Calls with the names of all categories, those of ancestors and their
    /// parents included.
    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        let _ = each;
    }

    /// Calls with all fields, those of ancestors included, each key once.
    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>));

    /// The event as one that was sent, if it is: an engine finds its fields
    /// without comparing keys. Other types leave this as it is.
    #[doc(hidden)]
    fn as_sent(&self) -> Option<&SentEvent<'_>> {
        None
    }
}
