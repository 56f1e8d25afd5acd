//! Events that a program makes.

use super::{
    Event, TooLarge,
    parts::{CategorySpan, NO_TREE},
};
use crate::{CategoryId, Timestamp, ValueRef};

/// A builder of an [`Event`].
///
/// ```
/// use fantail_event::{EventBuilder, Timestamp, ValueRef};
///
/// let created = Timestamp::from_unix_micros(1_795_328_191_000_000);
/// let event = EventBuilder::new(created)
///     .name("imap_command_finished")
///     .category("imap")
///     .field("cmd_name", "SELECT")
///     .field("bytes_in", 11)
///     .sent(Timestamp::from_unix_micros(1_795_328_191_006_369))
///     .build()?;
/// assert_eq!(event.as_event_ref().duration_micros(), 6_369);
/// assert_eq!(event.as_event_ref().field(b"bytes_in"), Some(ValueRef::Int(11)));
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EventBuilder {
    event: Event,
    is_too_large: bool,
}

impl EventBuilder {
    /// Begins an unnamed event without fields.
    pub fn new(created: Timestamp) -> Self {
        let mut event = Event::default();
        event.parts_mut().created = created;
        Self::from(event)
    }

    /// Sets the name.
    pub fn name(self, name: impl AsRef<[u8]>) -> Self {
        self.with(|event| event.set_name(name.as_ref()))
    }

    /// Adds a category, unless the event has it.
    pub fn category(self, name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        self.with(|event| {
            if event.as_event_ref().categories().any(|known| known == name) {
                return Ok(());
            }
            let span = event.append_span(name)?;
            let parts = event.parts_mut();
            parts.categories.push(CategorySpan {
                name: span,
                id: CategoryId::default(),
            });
            // The numbers are looked up when they are needed.
            parts.tree = NO_TREE;
            Ok(())
        })
    }

    /// Sets a field: in place if the event has the key, else at the end.
    pub fn field<'v>(self, key: impl AsRef<[u8]>, value: impl Into<ValueRef<'v>>) -> Self {
        let value = value.into();
        self.with(|event| event.set(key.as_ref(), value))
    }

    /// Sets the time of sending.
    pub fn sent(self, at: Timestamp) -> Self {
        self.with(|event| {
            event.set_sent(at);
            Ok(())
        })
    }

    /// Sets the line of source code that sent it, 0 if unknown.
    pub fn source(self, file: impl AsRef<[u8]>, line: u32) -> Self {
        self.with(|event| event.set_source(file.as_ref(), line))
    }

    /// Forces debug logging of the source.
    pub fn always_log_source(self) -> Self {
        self.with(|event| {
            event.parts_mut().always_log_source = true;
            Ok(())
        })
    }

    /// Returns the event.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    pub fn build(self) -> Result<Event, TooLarge> {
        match self.is_too_large {
            true => Err(TooLarge),
            false => Ok(self.event),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Event) -> Result<(), TooLarge>) -> Self {
        self.is_too_large |= change(&mut self.event).is_err();
        self
    }
}

/// Continues with an existing event.
impl From<Event> for EventBuilder {
    fn from(mut event: Event) -> Self {
        event.parts_mut().has_distinct_keys = true;
        Self {
            event,
            is_too_large: false,
        }
    }
}
