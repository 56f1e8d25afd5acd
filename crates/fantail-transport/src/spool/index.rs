//! What both ends of a spool know: which segments there are, how far they
//! are written, and how far they are read.
//!
//! Invariants: segments are in order; `settled` never lies behind `read`; a
//! file is removed only after the cursor was moved past it.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    cursor::{Cursor, Position},
    segment,
};

/// A segment on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) segment: u64,
    /// The number of its first record.
    pub(super) first: u64,
    /// The number after that of its last record.
    pub(super) next: u64,
    /// Bytes that may be read.
    pub(super) end: u64,
}

/// The state of a spool.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) folder: PathBuf,
    pub(super) cursor: Cursor,
    pub(super) extents: VecDeque<Extent>,
    /// The segment that still grows: the last one, if any.
    pub(super) growing: Option<u64>,
    /// Before the next record to be read.
    pub(super) read: Position,
    /// Before the first record that was not settled.
    pub(super) settled: Position,
    /// Records between both.
    pub(super) in_flight: u64,
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// Bytes that are read at once at most.
    pub(super) most_read: usize,
    /// Held for as long as the spool is in use.
    pub(super) _lock: File,
}

/// The index, shared by both ends.
pub(super) type Shared = Arc<Mutex<Index>>;

/// A thread that panicked while it held the lock left an index that is at
/// worst behind the files.
pub(super) fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Records that were neither settled nor given up.
    pub(super) fn waiting(&self) -> u64 {
        let unread = self
            .extents
            .iter()
            .filter(|e| e.segment >= self.read.segment);
        let unread = unread.map(|e| e.next.saturating_sub(e.first.max(self.read.number)));
        self.in_flight + unread.sum::<u64>()
    }

    /// The segment to read from; the position is moved to its start if all
    /// before it was read.
    pub(super) fn readable(&mut self) -> Option<Extent> {
        let mut later = self.extents.iter();
        let extent = *later.find(|extent| extent.segment >= self.read.segment)?;
        if extent.segment > self.read.segment {
            self.read = start_of(&extent);
        }
        Some(extent)
    }

    /// All of a segment has been read that can be.
    pub(super) const fn finish(&mut self, extent: &Extent) {
        self.read = Position {
            segment: extent.segment + 1,
            offset: segment::RECORDS,
            number: extent.next,
        };
    }

    /// All before this position is done with.
    pub(super) fn settle(&mut self, position: Position, records: u64) -> io::Result<()> {
        self.in_flight = self.in_flight.saturating_sub(records);
        self.settled = position;
        self.tidy()
    }

    /// Saves how far all is done with, and removes what is not needed any
    /// more.
    pub(super) fn tidy(&mut self) -> io::Result<()> {
        if self.in_flight == 0 {
            self.settled = self.read;
        }
        let saved = self.cursor.save(self.settled);
        while let Some(first) = self.extents.front()
            && first.segment < self.settled.segment
        {
            self.remove(0);
        }
        saved
    }

    /// Gives up the oldest segment of which nothing is on its way, and returns
    /// how many records were lost with it. `None` if there is none to spare.
    pub(super) fn displace(&mut self) -> Option<u64> {
        let in_flight = self.in_flight > 0;
        let read = self.read.segment;
        let spare = |extent: &Extent| {
            Some(extent.segment) != self.growing
                && if in_flight {
                    extent.segment > read
                } else {
                    extent.segment >= read
                }
        };
        let at = self.extents.iter().position(spare)?;
        let extent = *self.extents.get(at)?;
        let lost = if extent.segment == read {
            extent.next.saturating_sub(self.read.number)
        } else {
            extent.next - extent.first
        };
        if in_flight {
            self.remove(at);
        } else {
            self.finish(&extent);
            // If it cannot be saved, the next start finds a gap: not worse.
            _ = self.tidy();
        }
        Some(lost)
    }

    fn remove(&mut self, at: usize) {
        if let Some(extent) = self.extents.remove(at) {
            self.bytes = self.bytes.saturating_sub(extent.end);
            // A file that stays is found, and read again, at the next start.
            _ = fs::remove_file(segment::path(&self.folder, extent.segment));
        }
    }
}

/// Before the first record of a segment.
pub(super) const fn start_of(extent: &Extent) -> Position {
    Position {
        segment: extent.segment,
        offset: segment::RECORDS,
        number: extent.first,
    }
}

/// Looks at a spool from outside.
#[derive(Debug, Clone)]
pub(crate) struct SpoolGauge(pub(super) Shared);

impl SpoolGauge {
    /// Records that wait, and bytes that the files take.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let index = lock(&self.0);
        (index.waiting(), index.bytes)
    }
}
