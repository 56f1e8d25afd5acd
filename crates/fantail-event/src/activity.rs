//! Actions of clients.

use crate::{CategoryTree, EventRef, LiveId, SentEvent};

/// The meaning of a client's line, or of the end of its connection, for metrics,
/// exporters and observers.
///
/// All of it is borrowed for the call that passes it on.
///
/// ```
/// use fantail_event::{Activity, Event, EventView as _, SentEvent, Timestamp};
///
/// fn describe(activity: &Activity<'_>) -> String {
///     match activity {
///         Activity::Sent { event, .. } => {
///             format!("sent {}", String::from_utf8_lossy(event.name().unwrap_or_default()))
///         }
///         Activity::Updated { id, .. } => format!("updated {}", id.index()),
///         Activity::Ended { id, .. } => format!("ended {}", id.index()),
///     }
/// }
///
/// let event = Event::builder(Timestamp::from_unix_micros(0)).name("login").build()?;
/// let activity = Activity::Sent { event: SentEvent::alone(&event), begun: None };
/// assert_eq!(describe(&activity), "sent login");
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// An event was sent (`EVENT`, `BEGIN`).
    Sent {
        /// The event and those that it inherits from.
        event: SentEvent<'a>,
        /// The id of the event if it is live from now on (`BEGIN`).
        begun: Option<LiveId>,
    },
    /// A live event changed (`UPDATE`).
    Updated {
        /// Its id, which is new: see [`LiveId::generation`].
        id: LiveId,
        /// The changes, not the whole event.
        update: EventRef<'a>,
    },
    /// A live event ended (`END`, or the end of the connection). Events below it stay
    /// live and keep what they inherit.
    Ended {
        /// Its id.
        id: LiveId,
        /// The last state of the event.
        event: EventRef<'a>,
        /// The registered categories.
        categories: &'a CategoryTree,
    },
}
