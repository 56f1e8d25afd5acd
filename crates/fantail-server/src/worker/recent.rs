//! Kept events: the last named events that Dovecot's processes sent.
//!
//! A worker stores the line of each named event in a segment, and the text of each
//! ancestor once per segment, so that a segment can be read without the others. When
//! a segment is full, it is closed and the oldest segment is dropped. Closed segments
//! never change, so a snapshot shares them and copies only the open one.

mod segment;

use std::{collections::VecDeque, num::NonZeroU64, sync::Arc, time::Duration};

use fantail_event::{Ancestor, LiveId, SentEvent, Timestamp, text};

pub(crate) use self::segment::{Kept, Segment};
use super::Category;
use crate::{
    Limits,
    memory::{Budget, Reservation},
    process::clock,
};

/// The number of segments of a worker, including the open one. With four, at least
/// three quarters of the memory hold events.
const SEGMENTS: usize = 4;

/// The maximum number of live events whose offset in the segment is remembered, 24
/// bytes each.
const MAX_PLACES: usize = 1 << 16;

/// Limits on the kept events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecentLimits {
    /// The memory of one worker in bytes; 0 keeps no events.
    pub(crate) bytes: usize,
    /// The age after which events are dropped.
    pub(crate) age: Duration,
}

impl RecentLimits {
    /// Returns the limits of one worker.
    pub(crate) fn of_worker(limits: &Limits, workers: usize) -> Self {
        Self {
            bytes: limits.recent_bytes() / workers,
            age: limits.recent_age,
        }
    }
}

/// The kept events of one worker.
#[derive(Debug)]
pub(crate) struct RecentEvents {
    /// The size of a segment.
    segment_bytes: usize,
    age: Duration,
    closed: VecDeque<Arc<Segment>>,
    open: Segment,
    /// The number of the open segment, which tells whether a [`Place`] is in it.
    number: u64,
    /// The offset of each live event's text, by the index of the live event.
    places: Vec<Option<Place>>,
    offsets: Vec<u32>,
    /// The time from which the kept events are complete.
    complete_from: Timestamp,
    /// The number of events that were larger than a segment.
    left_out: u64,
    /// The memory that is reserved for all segments.
    memory: Option<Reservation>,
}

/// The segment and the offset of a live event's text.
#[derive(Debug, Clone, Copy)]
struct Place {
    generation: NonZeroU64,
    segment: u64,
    offset: u32,
}

/// A snapshot of the kept events, which shares the closed segments with the worker.
#[derive(Debug)]
pub(crate) struct RecentSnapshot {
    /// The segments, oldest first.
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) categories: Vec<Category>,
    pub(crate) complete_from: Timestamp,
    /// The number of events that were too large to be kept.
    pub(crate) left_out: u64,
}

impl RecentEvents {
    pub(crate) fn new(limits: RecentLimits, now: Timestamp) -> Self {
        Self {
            // Offsets have 32 bits.
            segment_bytes: (limits.bytes / SEGMENTS).min(u32::MAX as usize),
            age: limits.age,
            closed: VecDeque::new(),
            open: Segment::default(),
            number: 0,
            places: Vec::new(),
            offsets: Vec::new(),
            complete_from: now,
            left_out: 0,
            memory: None,
        }
    }

    /// Like [`new`](Self::new), but reserves the memory. If there is not enough, no
    /// events are kept.
    pub(crate) fn reserved(limits: RecentLimits, budget: &Budget) -> Self {
        let mut memory = budget.reserve_anyway(0);
        let bytes = match memory.grow(limits.bytes) {
            true => limits.bytes,
            false => 0,
        };
        let mut recent = Self::new(RecentLimits { bytes, ..limits }, clock::now());
        recent.memory = Some(memory);
        recent
    }

    /// Stores an event as it was sent, if it has a name.
    #[inline]
    pub(crate) fn keep(&mut self, line: &[u8], event: &SentEvent<'_>, now: Timestamp) {
        if self.segment_bytes == 0 || event.event.name().is_none() {
            return;
        }
        if !self.try_keep(line, event, now) {
            self.keep_in_next(line, event, now);
        }
    }

    #[cold]
    fn keep_in_next(&mut self, line: &[u8], event: &SentEvent<'_>, now: Timestamp) {
        let ancestors = event.parents.iter().chain(event.global);
        let ancestors = ancestors.map(|it| segment::room(it.event.as_event_ref().text_bytes()));
        if ancestors.sum::<usize>() + segment::room(line.len()) > self.segment_bytes {
            self.left_out += 1;
            return;
        }
        self.close_segment();
        self.open.reserve(self.segment_bytes);
        let is_kept = self.try_keep(line, event, now);
        debug_assert!(is_kept, "it has room in an empty segment");
    }

    /// Appends an event to the open segment; returns `false` if it does not fit.
    fn try_keep(&mut self, line: &[u8], event: &SentEvent<'_>, now: Timestamp) -> bool {
        self.offsets.clear();
        for ancestor in event.parents.iter().chain(event.global) {
            let Some(offset) = self.offset(ancestor) else {
                return false;
            };
            self.offsets.push(offset);
        }
        self.open
            .push_event(line, &self.offsets, event.parents.len(), now)
    }

    /// Returns the offset of an ancestor's text in the open segment, and appends the text
    /// if it is missing; `None` if it does not fit.
    #[inline]
    fn offset(&mut self, ancestor: &Ancestor<'_>) -> Option<u32> {
        let place = ancestor.live.and_then(|live| self.places.get(live.index()));
        if let (Some(Some(place)), Some(live)) = (place, ancestor.live)
            && place.generation == live.generation()
            && place.segment == self.number
        {
            return Some(place.offset);
        }
        self.append(ancestor)
    }

    #[inline(never)]
    fn append(&mut self, ancestor: &Ancestor<'_>) -> Option<u32> {
        let event = ancestor.event.as_event_ref();
        let offset = self.open.push_ancestor(event.text_bytes(), |out| {
            text::write(event, out);
        })?;
        if let Some(live) = ancestor.live {
            self.remember(live, offset);
        }
        Some(offset)
    }

    fn remember(&mut self, live: LiveId, offset: u32) {
        let index = live.index();
        if index >= MAX_PLACES {
            return;
        }
        if index >= self.places.len() {
            self.places.resize(index + 1, None);
        }
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(Place {
                generation: live.generation(),
                segment: self.number,
                offset,
            });
        }
    }

    /// Closes the open segment, and drops the oldest one if there are too many.
    fn close_segment(&mut self) {
        self.number += 1;
        let full = std::mem::take(&mut self.open);
        if full.is_empty() {
            return;
        }
        self.closed.push_back(Arc::new(full));
        if self.closed.len() >= SEGMENTS {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.closed.pop_front() else {
            return;
        };
        let next = self.closed.front().map_or(&self.open, |next| &**next);
        self.complete_from = next.first().unwrap_or(oldest.last());
        // Reuses the memory of the segment, unless a snapshot still shares it.
        if let Some(mut oldest) = Arc::into_inner(oldest)
            && self.open.is_empty()
        {
            oldest.clear();
            self.open = oldest;
        }
    }

    /// Returns whether no events are kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.open.is_empty()
    }

    /// Drops segments that have only events above the maximum age.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        let age = |time: Timestamp| {
            let micros = now.micros_since(time);
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        };
        let parts = u32::try_from(SEGMENTS).unwrap_or(1);
        // With few events, a segment would otherwise stay open beyond the maximum age.
        if self
            .open
            .first()
            .is_some_and(|first| age(first) > self.age / parts)
        {
            self.close_segment();
        }
        while self
            .closed
            .front()
            .is_some_and(|one| age(one.last()) > self.age)
        {
            self.drop_oldest();
        }
        if self.is_empty() {
            // Frees the memory that `drop_oldest` kept for reuse.
            self.open = Segment::default();
        }
    }

    /// Returns a snapshot of the kept events.
    pub(crate) fn snapshot(&self, categories: Vec<Category>) -> RecentSnapshot {
        let mut segments: Vec<_> = self.closed.iter().cloned().collect();
        if !self.open.is_empty() {
            segments.push(Arc::new(self.open.clone()));
        }
        RecentSnapshot {
            segments,
            categories,
            complete_from: self.complete_from,
            left_out: self.left_out,
        }
    }
}

#[cfg(test)]
mod tests;
