//! The traits by which filters and exporters read events.

use crate::{Level, SentEvent, Source, Timestamp, ValueRef};

/// The event that holds the value of a field.
///
/// ```
/// use fantail_event::{Ancestor, Event, EventView as _, SentEvent, Timestamp, ValueOrigin};
///
/// let time = Timestamp::from_unix_micros(0);
/// let session = Event::builder(time).field("user", "anna").build()?;
/// let command = Event::builder(time).field("bytes", 7).build()?;
/// let parents = [Ancestor { event: &session, live: None }];
/// let sent = SentEvent { parents: &parents, ..SentEvent::alone(&command) };
/// assert_eq!(sent.field_origin(b"bytes"), Some(ValueOrigin::Own));
/// assert_eq!(sent.field_origin(b"user"), Some(ValueOrigin::Parent(1)));
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueOrigin {
    /// The event itself.
    Own,
    /// An ancestor; 1 is the parent.
    Parent(usize),
    /// The global event (0) or an ancestor of it.
    Global(usize),
}

/// An event as filters read it.
///
/// Only [`name`](Self::name) and [`field`](Self::field) are required; the other
/// methods concern properties that only Dovecot's events have.
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
    /// Returns the name; an event without a name matches no `event=` test.
    fn name(&self) -> Option<&[u8]>;

    /// Returns the value of the field with this key: the event's own, else the nearest
    /// ancestor's, else that of the global event or its ancestors. A list has the
    /// elements of all of them, outermost first.
    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>>;

    /// Returns where [`field`](Self::field) finds this key.
    fn field_origin(&self, key: &[u8]) -> Option<ValueOrigin> {
        self.field(key).map(|_| ValueOrigin::Own)
    }

    /// Returns whether the event, an ancestor or the global event has this category or
    /// one that descends from it.
    fn in_category(&self, category: &[u8]) -> bool {
        let _ = category;
        false
    }

    /// Returns the level of this sending, if any.
    fn level(&self) -> Option<Level> {
        None
    }

    /// Returns the line of source code that sent the event.
    fn source(&self) -> Option<Source<'_>> {
        None
    }

    /// Returns the microseconds from creation to sending, 0 if it was never sent: the
    /// `duration` of a 2.4 filter. `None` if the type has no such times; `duration` is
    /// then an ordinary field.
    fn duration_micros(&self) -> Option<i64> {
        None
    }
}

/// An event as exporters read it: an engine can match, count and export it.
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
    /// Returns the time of creation, which is the start time of an export.
    fn created(&self) -> Timestamp;

    /// Returns the time of sending, if any, which is the end time of an export.
    fn sent(&self) -> Option<Timestamp> {
        None
    }

    /// Calls `each` with the names of all categories, those of ancestors and their
    /// parents included.
    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        let _ = each;
    }

    /// Calls `each` with all fields, those of ancestors included, each key once.
    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>));

    /// Calls `then` with the value of a field that a metric chose for its exporters, if
    /// any: by default, the value that [`each_field`](Self::each_field) has for this key.
    fn chosen_field(&self, key: &[u8], then: &mut dyn FnMut(ValueRef<'_>)) {
        self.each_field(&mut |known, value| {
            if known == key {
                then(value);
            }
        });
    }

    /// Returns the event if it is a [`SentEvent`], whose fields an engine finds without
    /// comparing keys. Do not implement it for other types.
    #[doc(hidden)]
    fn as_sent(&self) -> Option<&SentEvent<'_>> {
        None
    }
}
