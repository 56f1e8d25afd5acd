//! Fences: a message replaces only a message that its host knows.
//!
//! The stream refuses a message whose expected sequence is not that of the subject's last
//! message (`Nats-Expected-Last-Subject-Sequence`). So a message that arrives late does not
//! replace a newer one, and a host notices that the stream has lost messages.

use std::collections::HashMap;

use super::{Contents, PartId};

/// A subject of a run: its head, or a slot or chunk of a part.
type Key = Option<(PartId, u32)>;

/// The sequences of the last messages of a run's subjects.
#[derive(Debug, Clone, Default)]
pub(super) struct Fences {
    last: HashMap<Key, u64>,
    /// The sequence of the last message of all.
    newest: u64,
}

fn key(part: Option<(PartId, Contents)>) -> Key {
    part.map(|(part, contents)| match contents {
        Contents::Delta { slot, .. } => (part, slot.into()),
        Contents::Base { chunk, .. } => (part, 0x100 + u32::from(chunk)),
    })
}

impl Fences {
    /// Returns the sequence that the stream must have for a subject; 0 if it has none.
    #[must_use]
    pub(super) fn expected(&self, part: Option<(PartId, Contents)>) -> u64 {
        self.last.get(&key(part)).copied().unwrap_or(0)
    }

    /// Notes that a message is stored with this sequence. Returns whether the stream has lost
    /// messages that it had acknowledged: sequences rise.
    pub(super) fn stored(&mut self, part: Option<(PartId, Contents)>, sequence: u64) -> bool {
        self.last.insert(key(part), sequence);
        let newest = std::mem::replace(&mut self.newest, sequence);
        sequence <= newest
    }

    /// Notes that the stream has another sequence for a subject. Returns whether it has
    /// lost messages that it had acknowledged.
    pub(super) fn refused(&mut self, part: Option<(PartId, Contents)>, actual: u64) -> bool {
        let before = self.last.insert(key(part), actual).unwrap_or(0);
        actual < before
    }
}
