//! The end of a spool that payloads go into.

use std::{
    fs::File,
    hash::BuildHasher,
    io,
    os::unix::fs::FileExt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Overflow, Payloads};

use super::{
    Fsync, SpoolSettings, folder,
    index::{Extent, Shared, lock},
    record::{Layout, Record},
    segment::{self, Header},
};

/// The least room of a spool.
const LEAST: u64 = 64 * 1024;

/// A segment takes at most this part of the room.
const SEGMENTS: u64 = 8;

/// The largest segment: so much is looked through when a spool is opened.
const LARGEST_SEGMENT: u64 = 16 << 20;

/// How much may be on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
    /// In a segment, unless it has only one record.
    pub(super) segment: u64,
    /// In a record.
    record: u64,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        let bytes = bytes.max(LEAST);
        Self {
            bytes,
            segment: (bytes / SEGMENTS).min(LARGEST_SEGMENT),
            record: (bytes / SEGMENTS).min(u64::from(u32::MAX)),
        }
    }
}

/// What comes next gets these numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next {
    pub(super) segment: u64,
    /// Of the first record that is staged, or will be.
    pub(super) number: u64,
}

/// Appends payloads.
#[derive(Debug)]
pub struct SpoolWriter {
    index: Shared,
    /// Held for as long as either end is in use.
    _lock: Arc<File>,
    next: Next,
    room: Room,
    overflow: Overflow,
    fsync: Fsync,
    growing: Option<Growing>,
    /// Records that are to be written next.
    staged: Vec<u8>,
    /// How many these are.
    records: u64,
}

/// The segment that is written to.
#[derive(Debug)]
struct Growing {
    file: File,
    salt: u32,
    end: u64,
    /// Since when there are bytes that were not forced onto the disk.
    unsynced: Option<Instant>,
}

/// What became of payloads that were appended.
#[derive(Debug, Default)]
pub struct Appended {
    /// So many at the front are done with: written, or dropped.
    pub taken: usize,
    /// So many were dropped for want of room: of these, or of those that were
    /// written before, as the settings say.
    pub dropped: u64,
    /// Why the others were not written. They may be appended again.
    pub error: Option<io::Error>,
}

impl SpoolWriter {
    pub(super) const fn new(
        index: Shared,
        lock: Arc<File>,
        settings: &SpoolSettings,
        room: Room,
        next: Next,
    ) -> Self {
        Self {
            index,
            _lock: lock,
            next,
            room,
            overflow: settings.overflow,
            fsync: settings.fsync,
            growing: None,
            staged: Vec::new(),
            records: 0,
        }
    }

    /// Writes payloads. Those that are [taken](Appended::taken) and were not
    /// dropped survive the end of the process, and with [`Fsync::Always`]
    /// that of the machine.
    pub fn append(&mut self, payloads: Payloads<'_>) -> Appended {
        let mut appended = Appended::default();
        // Handled, but not yet written; and those of them that are dropped.
        let (mut handled, mut dropped) = (0, 0);
        for (payload, offered) in payloads.iter_offered() {
            let size = (Layout::CURRENT.header_bytes() + payload.len()) as u64;
            if size > self.room.record {
                dropped += 1;
            } else {
                if !self.fits(size) {
                    appended.error = self.commit().err();
                    if appended.error.is_none() {
                        appended.taken += std::mem::take(&mut handled);
                        appended.dropped += std::mem::take(&mut dropped);
                        appended.error = self.roll().err();
                    }
                    if appended.error.is_some() {
                        return appended;
                    }
                }
                if self.make_room(size, &mut appended.dropped) {
                    self.stage(payload, offered);
                } else {
                    dropped += 1;
                }
            }
            handled += 1;
        }
        appended.error = self.commit().err();
        if appended.error.is_none() {
            appended.taken += handled;
            appended.dropped += dropped;
        }
        appended
    }

    /// When [`sync`](Self::sync) is due, if the settings say an interval.
    #[must_use]
    pub fn sync_due(&self) -> Option<Instant> {
        match (self.fsync, &self.growing) {
            (Fsync::Interval(interval), Some(growing)) => growing
                .unsynced
                .map(|since| since.checked_add(interval).unwrap_or(since)),
            _ => None,
        }
    }

    /// Forces what was written onto the disk, unless the settings say never.
    ///
    /// # Errors
    /// The disk says that it lost something. It is not known what; the next
    /// payloads go to another file.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.fsync == Fsync::Never {
            return Ok(());
        }
        if let Some(growing) = &mut self.growing
            && growing.unsynced.take().is_some()
            && let Err(error) = growing.file.sync_data()
        {
            self.seal();
            return Err(error);
        }
        Ok(())
    }

    /// Whether a record goes into the segment that is written to.
    fn fits(&self, size: u64) -> bool {
        self.growing.as_ref().is_some_and(|growing| {
            let end = growing.end + self.staged.len() as u64;
            end <= segment::RECORDS || end + size <= self.room.segment
        })
    }

    /// Whether there is room for a record, by dropping others if the settings
    /// say so.
    fn make_room(&self, size: u64, dropped: &mut u64) -> bool {
        let mut index = lock(&self.index);
        let needed = self.staged.len() as u64 + size;
        while index.bytes + needed > self.room.bytes {
            let displaced = match self.overflow {
                Overflow::DropNewest => None,
                Overflow::DropOldest => index.displace(),
            };
            match displaced {
                Some(records) => *dropped += records,
                None => return false,
            }
        }
        true
    }

    fn stage(&mut self, payload: &[u8], offered: u64) {
        let Some(growing) = &self.growing else {
            return;
        };
        let record = Record {
            number: self.next.number + self.records,
            offered,
            payload,
        };
        // Longer records than can be written have no room.
        if record.write(growing.salt, &mut self.staged).is_some() {
            self.records += 1;
        }
    }

    /// Writes what is staged, and lets the reader see it. Nothing is staged
    /// afterwards in any case.
    fn commit(&mut self) -> io::Result<()> {
        let written = self.write();
        let size = self.staged.len() as u64;
        let records = std::mem::take(&mut self.records);
        self.staged.clear();
        written?;
        self.next.number += records;
        let mut index = lock(&self.index);
        index.bytes += size;
        if let Some(extent) = index.extents.back_mut() {
            extent.end += size;
            extent.next += records;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(growing) = self.growing.as_mut().filter(|_| self.records > 0) else {
            return Ok(());
        };
        if let Err(error) = growing.file.write_all_at(&self.staged, growing.end) {
            let cut = growing.file.set_len(growing.end);
            // Another file may have room where this one may not grow.
            if cut.is_err() || error.kind() == io::ErrorKind::FileTooLarge {
                self.seal();
            }
            return Err(error);
        }
        if self.fsync == Fsync::Always {
            if let Err(error) = growing.file.sync_data() {
                self.seal();
                return Err(error);
            }
        } else {
            growing.unsynced.get_or_insert_with(Instant::now);
        }
        growing.end += self.staged.len() as u64;
        Ok(())
    }

    /// Nothing more goes into the segment that was written to.
    fn seal(&mut self) {
        self.growing = None;
        lock(&self.index).growing = None;
    }

    /// Begins another segment.
    fn roll(&mut self) -> io::Result<()> {
        self.sync()?;
        self.seal();
        let header = Header {
            layout: Layout::CURRENT,
            salt: random(),
            first: self.next.number,
        };
        let segment = self.next.segment;
        let mut index = lock(&self.index);
        let file = segment::create(&index.folder, segment, header)?;
        self.next.segment += 1;
        index.bytes += segment::RECORDS;
        index.extents.push_back(Extent {
            segment,
            first: header.first,
            next: header.first,
            end: segment::RECORDS,
        });
        index.growing = Some(segment);
        let folder = index.folder.clone();
        drop(index);
        self.growing = Some(Growing {
            file,
            salt: header.salt,
            end: segment::RECORDS,
            unsynced: None,
        });
        if self.fsync != Fsync::Never {
            folder::sync(&folder)?;
        }
        Ok(())
    }
}

/// Not to be guessed by who makes payloads.
#[allow(clippy::cast_possible_truncation, reason = "half of it will do")]
fn random() -> u32 {
    std::collections::hash_map::RandomState::new().hash_one(Duration::ZERO) as u32
}
