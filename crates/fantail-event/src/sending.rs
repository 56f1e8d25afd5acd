//! One sending of an event as it was read.

use alloc::vec::Vec;

use crate::{CategoryTree, Event, KeptEvent, Level, RawEvent, SentEvent, Value};

/// One sending: what [`SentEvent`] is of [`Event`]s.
///
/// The field `duration` is not among the event's own: as for each event that
/// Dovecot's stats process gets, it is
/// [`RawEvent::duration_micros`], whatever the sender says it is.
#[derive(Debug, Clone, Copy)]
pub struct RawSending<'a> {
    /// The level of this sending.
    pub level: Level,
    /// The event itself.
    pub event: RawEvent<'a>,
    /// Its ancestors, nearest first.
    pub parents: &'a [&'a KeptEvent],
    /// The global event, then its ancestors, nearest first; empty for none.
    pub global: &'a [&'a KeptEvent],
    /// The categories known, with their parents.
    pub categories: &'a CategoryTree,
}

impl RawSending<'_> {
    /// Calls `run` with the same as a [`SentEvent`], `duration` included.
    ///
    /// It allocates: the event's fields, and those of its ancestors when they
    /// are asked for that way for the first time.
    pub fn with_sent<R>(&self, run: impl FnOnce(&SentEvent<'_>) -> R) -> R {
        let mut event = self.event.to_event(self.categories);
        event.set(
            b"duration".as_slice(),
            Value::Int(self.event.duration_micros()),
        );
        let parents = self.parents.iter().map(|kept| kept.event(self.categories));
        let parents: Vec<&Event<'_>> = parents.collect();
        let global = self.global.iter().map(|kept| kept.event(self.categories));
        let global: Vec<&Event<'_>> = global.collect();
        run(&SentEvent {
            level: self.level,
            event: &event,
            parents: &parents,
            global: &global,
            categories: self.categories,
        })
    }
}
