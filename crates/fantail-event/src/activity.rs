//! What a client did.

use crate::{CategoryTree, EventRef, LiveId, SentEvent};

/// What a line of a client, or the end of its connection, means for those who
/// count, export and watch events.
///
/// Everything is lent: it lasts as long as the call that hands it over.
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// An event was sent (`EVENT`, `BEGIN`).
    Sent {
        /// The event with all that it inherits from.
        event: SentEvent<'a>,
        /// The number of the event if others can inherit from it from now on
        /// (`BEGIN`).
        begun: Option<LiveId>,
    },
    /// A live event was changed (`UPDATE`).
    Updated {
        /// Its number, which is new: see [`LiveId::generation`].
        id: LiveId,
        /// What was said of it, not the whole event.
        update: EventRef<'a>,
    },
    /// A live event ended (`END`, or the end of the connection). Events that
    /// began below it go on, and keep what they inherited.
    Ended {
        /// Its number.
        id: LiveId,
        /// The event as it was at last.
        event: EventRef<'a>,
        /// The categories known.
        categories: &'a CategoryTree,
    },
}
