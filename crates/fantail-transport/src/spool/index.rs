//! State shared by both ends of a spool: its segments and positions.
//!
//! Invariants: segments are in order; `settled` is never after `read`; a file is
//! removed only after the cursor on disk has passed it, so that its records do not
//! count as damaged after a power loss.

use std::{collections::VecDeque, io, sync::Arc};

use crate::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    cursor::{Cursor, Position},
    folder::Folder,
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
    /// Bytes of the file that may be read.
    pub(super) end: u64,
}

/// The state of a spool.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) folder: Folder,
    pub(super) cursor: Cursor,
    pub(super) extents: VecDeque<Extent>,
    /// The segment that is written to: the last one, if any.
    pub(super) growing: Option<u64>,
    /// Position of the next record to be read.
    pub(super) read: Position,
    /// Position of the first record that is not settled.
    pub(super) settled: Position,
    /// Records between both positions.
    pub(super) in_flight: u64,
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// Maximum bytes of payloads of one read.
    pub(super) max_read_bytes: usize,
}

/// The index, shared by both ends.
pub(super) type Shared = Arc<Mutex<Index>>;

/// Locks the index. A thread that panicked left an index that is at worst older
/// than the files.
pub(super) fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Returns how many records are neither settled nor dropped.
    pub(super) fn waiting(&self) -> u64 {
        let unread = self
            .extents
            .iter()
            .filter(|e| e.segment >= self.read.segment);
        let unread = unread.map(|e| e.next.saturating_sub(e.first.max(self.read.number)));
        self.in_flight + unread.sum::<u64>()
    }

    /// Returns the segment to read from. Moves the position to its start if the
    /// segment before it was read.
    pub(super) fn readable(&mut self) -> Option<Extent> {
        let mut later = self.extents.iter();
        let extent = *later.find(|extent| extent.segment >= self.read.segment)?;
        if extent.segment > self.read.segment {
            self.read = start_of(&extent);
        }
        Some(extent)
    }

    /// Moves the position past a segment.
    pub(super) const fn finish(&mut self, extent: &Extent) {
        self.read = Position {
            segment: extent.segment + 1,
            offset: segment::RECORDS_OFFSET,
            number: extent.next,
        };
    }

    /// Settles all records before this position. The caller then calls
    /// [`remove_settled`] if there are segments to be removed.
    pub(super) fn settle(&mut self, position: Position, records: u64) -> io::Result<()> {
        self.in_flight = self.in_flight.saturating_sub(records);
        self.settled = position;
        self.save()
    }

    /// Saves the settled position.
    pub(super) fn save(&mut self) -> io::Result<()> {
        if self.in_flight == 0 {
            self.settled = self.read;
        }
        self.cursor.save(self.settled)
    }

    /// Returns whether all records of the first segment are settled.
    pub(super) fn has_settled(&self) -> bool {
        let first = self.extents.front();
        first.is_some_and(|first| first.segment < self.settled.segment)
    }

    fn remove_before(&mut self, segment: u64) {
        while let Some(first) = self.extents.front()
            && first.segment < segment
        {
            self.remove(0);
        }
    }

    /// Drops the oldest segment without records in flight. Returns how many
    /// records were lost, or `None` if there is no such segment.
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
            // If the position cannot be saved, the next start finds a gap.
            _ = self.save();
            self.remove_before(self.settled.segment);
        }
        Some(lost)
    }

    /// Removes the last segment. If its file cannot be removed, it stays.
    pub(super) fn remove_last(&mut self) {
        if let Some(last) = self.extents.back()
            && self.folder.remove_segment(last.segment).is_ok()
        {
            self.bytes = self.bytes.saturating_sub(last.end);
            self.extents.pop_back();
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(extent) = self.extents.remove(at) {
            self.bytes = self.bytes.saturating_sub(extent.end);
            // A file that cannot be removed is read again at the next start.
            _ = self.folder.remove_segment(extent.segment);
        }
    }
}

/// Removes the segments before the settled position, which is forced onto the disk
/// first. The index is not locked meanwhile.
///
/// # Errors
/// The disk reports a loss. The segments are removed nevertheless: they would fill
/// the disk, and their records are settled.
pub(super) fn remove_settled(shared: &Shared) -> io::Result<()> {
    let settled = lock(shared).settled.segment;
    let synced = sync_cursor(shared);
    lock(shared).remove_before(settled);
    synced
}

/// Forces the saved position onto the disk, if the spool is to survive a power
/// loss. The index is not locked meanwhile.
pub(super) fn sync_cursor(shared: &Shared) -> io::Result<()> {
    let mut index = lock(shared);
    if !index.folder.is_durable {
        return Ok(());
    }
    let Some((file, save)) = index.cursor.start_sync()? else {
        return Ok(());
    };
    drop(index);
    let synced = file.sync();
    lock(shared).cursor.end_sync(save, synced.is_ok());
    synced
}

/// Returns the position of the first record of a segment.
pub(super) const fn start_of(extent: &Extent) -> Position {
    Position {
        segment: extent.segment,
        offset: segment::RECORDS_OFFSET,
        number: extent.first,
    }
}

/// Reads the size of a spool.
#[derive(Debug, Clone)]
pub(crate) struct SpoolGauge(pub(super) Shared);

impl SpoolGauge {
    /// Returns the waiting records and the bytes of the files.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let index = lock(&self.0);
        (index.waiting(), index.bytes)
    }
}
