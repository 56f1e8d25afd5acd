//! The end of a connection, one live event after another.

use fantail_event::{Activity, LiveId};

use super::Connection;
use crate::Intake;

/// A connection whose live events are ended one by one, in the order of their ids.
///
/// Dropped before [`end_next`](Self::end_next) has returned `false`, it leaves the
/// other events and its categories in the intake.
#[derive(Debug)]
pub struct Closing {
    connection: Connection,
    /// The events that are left, the next one last.
    left: Vec<(u64, LiveId)>,
}

impl Closing {
    pub(super) fn new(mut connection: Connection) -> Self {
        let live = std::mem::take(&mut connection.live);
        let mut left: Vec<(u64, LiveId)> = live.into_iter().collect();
        left.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
        Self { connection, left }
    }

    /// Ends the next live event; the first call that finds none releases the
    /// categories. Returns whether there was an event.
    pub fn end_next(&mut self, intake: &mut Intake, on: impl FnOnce(Activity<'_>)) -> bool {
        let connection = &mut self.connection;
        if let Some((_, id)) = self.left.pop() {
            connection.end(id, (&mut intake.live, &intake.categories), on);
            return true;
        }
        debug_assert_eq!((connection.events, connection.bytes), (0, 0));
        for category in std::mem::take(&mut connection.categories) {
            intake.categories.release(category);
        }
        false
    }

    /// Returns the bytes of all that is kept for the connection.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.connection.held_bytes() + self.left.capacity() * size_of::<(u64, LiveId)>()
    }
}
