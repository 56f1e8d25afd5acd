//! The last events that Dovecot's processes sent, for questions that come later.
//!
//! A worker keeps the line of each named event in a segment, and the text of what the
//! event inherits from once per segment: a segment is complete without the others.
//! A full segment is closed, and the oldest one is dropped. Closed segments never
//! change, so that an answer shares them and copies only the open one.

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

/// Segments of a worker, the open one included: at least three quarters of its
/// memory hold events.
const SEGMENTS: usize = 4;

/// Live events whose place in the segment is remembered: 24 bytes each.
const MAX_PLACES: usize = 1 << 16;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecentLimits {
    /// Bytes of one worker; 0 for nothing.
    pub(crate) bytes: usize,
    /// Older events are dropped.
    pub(crate) age: Duration,
}

impl RecentLimits {
    /// The share of one of some workers.
    pub(crate) fn of_worker(limits: &Limits, workers: usize) -> Self {
        Self {
            bytes: limits.recent_bytes() / workers,
            age: limits.recent_age,
        }
    }
}

/// The last events of a worker.
#[derive(Debug)]
pub(crate) struct RecentEvents {
    /// Bytes of a segment.
    segment_bytes: usize,
    age: Duration,
    closed: VecDeque<Arc<Segment>>,
    open: Segment,
    /// Changes with each new segment.
    number: u64,
    /// Where the text of a live event is, by its index.
    places: Vec<Option<Place>>,
    offsets: Vec<u32>,
    /// The time after which no event is missing.
    complete_from: Timestamp,
    /// Events that were larger than a segment.
    left_out: u64,
    /// The memory of all segments.
    memory: Option<Reservation>,
}

/// Where the text of a live event is.
#[derive(Debug, Clone, Copy)]
struct Place {
    generation: NonZeroU64,
    segment: u64,
    offset: u32,
}

/// The events that are kept at one time, shared with the worker.
#[derive(Debug)]
pub(crate) struct RecentSnapshot {
    /// Oldest first.
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) categories: Vec<Category>,
    pub(crate) complete_from: Timestamp,
    /// Events that were too large to be kept.
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

    /// As [`new`](Self::new), with reserved memory; without it, nothing is kept.
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

    /// Keeps an event with a name, as it was sent.
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

    /// Appends an event to the open segment; `false` if it does not fit.
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

    /// Where the text of an ancestor is in the open segment, to which it is appended if
    /// it is not there; `None` if it does not fit.
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

    /// Closes the open segment, and makes room for another.
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
        // Its memory is used again, unless an answer reads it.
        if let Some(mut oldest) = Arc::into_inner(oldest)
            && self.open.is_empty()
        {
            oldest.clear();
            self.open = oldest;
        }
    }

    /// Drops segments whose events are all too old.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        let age = |time: Timestamp| {
            let micros = now.micros_since(time);
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        };
        let parts = u32::try_from(SEGMENTS).unwrap_or(1);
        // So that a segment of a quiet server does not grow old.
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
        if self.closed.is_empty() && self.open.is_empty() {
            // Gives the memory of a dropped segment back.
            self.open = Segment::default();
        }
    }

    /// The events that are kept now.
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
