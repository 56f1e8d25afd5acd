//! One sending of an event as it was read.

use alloc::vec::Vec;

use crate::{CategoryTree, Event, KeptEvent, Level, RawEvent, SentEvent, Value, gather::DURATION};

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

impl<'a> RawSending<'a> {
    /// Calls `run` with the same as a [`SentEvent`], `duration` included.
    ///
    /// It allocates: the event's fields, and those of its ancestors when they
    /// are asked for that way for the first time.
    pub fn with_sent<R>(&self, run: impl FnOnce(&SentEvent<'_>) -> R) -> R {
        let mut event = self.event.to_event(self.categories);
        event.set(DURATION, Value::Int(self.event.duration_micros()));
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

    /// The global event's chain from its root down, then the event's own;
    /// with the number of each by which [`holder`](Self::holder) finds it.
    pub(crate) fn downward(&self) -> impl Iterator<Item = (u32, RawEvent<'a>)> + use<'a> {
        // There are no more events than a client may have.
        let numbered = |from: usize| {
            move |(at, kept): (usize, &&'a KeptEvent)| {
                (u32::try_from(from + at).unwrap_or(u32::MAX), kept.raw())
            }
        };
        let parents = self.parents.iter().enumerate().map(numbered(1));
        let global = self.global.iter().enumerate();
        let global = global.map(numbered(1 + self.parents.len()));
        let inherited = global.rev().chain(parents.rev());
        inherited.chain(core::iter::once((0, self.event)))
    }

    /// The event itself (0), an ancestor of it, or after those the global
    /// event or an ancestor of that.
    #[inline]
    pub(crate) fn holder(&self, number: u32) -> RawEvent<'a> {
        let Some(above) = (number as usize).checked_sub(1) else {
            return self.event;
        };
        let kept = match above.checked_sub(self.parents.len()) {
            None => self.parents.get(above),
            Some(above) => self.global.get(above),
        };
        kept.map_or(self.event, |kept| kept.raw())
    }
}
