//! The writing end of a spool.

use std::{io, sync::Arc, time::Instant};

use crate::{
    Overflow, Payloads,
    system::{System, SystemFile},
};

use super::{
    Fsync, SpoolError, SpoolErrorKind, SpoolSettings,
    folder::Folder,
    index::{Extent, Shared, lock, sync_cursor},
    record::{Layout, Record},
    segment::{self, Header},
};

/// Smallest maximum of a spool, in bytes.
const MIN_SPOOL_BYTES: u64 = 64 * 1024;

/// Number of full segments that a spool has room for.
const SEGMENTS_IN_SPOOL: u64 = 8;

/// Bytes of the largest segment, which is read whole when a spool is opened.
const MAX_SEGMENT_BYTES: u64 = 16 << 20;

/// Limits of the files on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
    /// Bytes of a segment with more than one record.
    pub(super) segment: u64,
    /// Bytes of a record.
    record: u64,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        let bytes = bytes.max(MIN_SPOOL_BYTES);
        Self {
            bytes,
            segment: (bytes / SEGMENTS_IN_SPOOL).min(MAX_SEGMENT_BYTES),
            record: (bytes / SEGMENTS_IN_SPOOL).min(u64::from(u32::MAX)),
        }
    }
}

/// Numbers of the next segment and record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next {
    pub(super) segment: u64,
    /// Number of the first staged record.
    pub(super) number: u64,
}

/// Appends payloads to a spool.
///
/// ```
/// use fantail_transport::spool::{SpoolReader, SpoolSettings, SpoolWriter, open};
///
/// let folder = std::env::temp_dir().join(format!("fantail-spool-{}", std::process::id()));
/// let (writer, reader): (SpoolWriter, SpoolReader) = open(&SpoolSettings::new(&folder))?;
/// # drop((writer, reader));
/// assert!(folder.is_dir());
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), fantail_transport::spool::SpoolError>(())
/// ```
#[derive(Debug)]
pub struct SpoolWriter {
    folder: Folder,
    index: Shared,
    /// Held as long as either end exists.
    _lock: Arc<dyn SystemFile>,
    next: Next,
    room: Room,
    overflow: Overflow,
    fsync: Fsync,
    growing: Option<Growing>,
    /// Records to be written with the next write.
    staged: Vec<u8>,
    /// Number of staged records.
    records: u64,
}

/// The segment that is written to.
#[derive(Debug)]
struct Growing {
    file: Box<dyn SystemFile>,
    salt: u32,
    end: u64,
    /// Time of the first write that was not forced onto the disk.
    unsynced: Option<Instant>,
}

/// The result of appending payloads.
#[derive(Debug, Default)]
pub struct Appended {
    /// Number of payloads at the front that were written or dropped.
    pub taken: usize,
    /// Number of dropped payloads: new ones or those written before, by
    /// [`Overflow`].
    pub dropped: u64,
    /// Why the other payloads were not written. They may be appended again.
    pub error: Option<SpoolError>,
}

impl SpoolWriter {
    pub(super) fn new(
        folder: Folder,
        index: Shared,
        lock: Arc<dyn SystemFile>,
        settings: &SpoolSettings,
        room: Room,
        next: Next,
    ) -> Self {
        Self {
            folder,
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

    /// Writes payloads. Written payloads survive the end of the process, and
    /// with [`Fsync::Always`] a power loss.
    pub fn append(&mut self, payloads: Payloads<'_>) -> Appended {
        let mut appended = Appended::default();
        let written = self.append_into(payloads, &mut appended);
        appended.error = written.err().map(|error| self.error(error));
        appended
    }

    fn append_into(&mut self, payloads: Payloads<'_>, appended: &mut Appended) -> io::Result<()> {
        // Payloads that are staged or dropped and not yet committed.
        let (mut handled, mut dropped) = (0, 0);
        for (payload, offered) in payloads.iter_offered() {
            let size = (Layout::CURRENT.header_bytes() + payload.len()) as u64;
            if size > self.room.record {
                dropped += 1;
            } else {
                if !self.fits(size) {
                    self.commit()?;
                    appended.taken += std::mem::take(&mut handled);
                    appended.dropped += std::mem::take(&mut dropped);
                    self.roll()?;
                }
                if self.make_room(size, &mut appended.dropped) {
                    self.stage(payload, offered);
                } else {
                    dropped += 1;
                }
            }
            handled += 1;
        }
        self.commit()?;
        appended.taken += handled;
        appended.dropped += dropped;
        Ok(())
    }

    fn error(&self, error: io::Error) -> SpoolError {
        self.folder.error(SpoolErrorKind::Write, error)
    }

    /// Returns when [`sync`](Self::sync) is due with [`Fsync::Interval`].
    #[must_use]
    pub fn sync_due(&self) -> Option<Instant> {
        match (self.fsync, &self.growing) {
            (Fsync::Interval(interval), Some(growing)) => growing
                .unsynced
                .map(|since| since.checked_add(interval).unwrap_or(since)),
            _ => None,
        }
    }

    /// Forces written payloads and the position of the reader onto the disk, except
    /// with [`Fsync::Never`].
    ///
    /// # Errors
    /// The disk reports a loss. Which payloads are lost is unknown; the next ones
    /// go to another segment.
    pub fn sync(&mut self) -> Result<(), SpoolError> {
        let synced = self.sync_data();
        let synced = synced.and(sync_cursor(&self.index));
        synced.map_err(|error| self.error(error))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if self.fsync == Fsync::Never {
            return Ok(());
        }
        if let Some(growing) = &mut self.growing
            && growing.unsynced.take().is_some()
            && let Err(error) = growing.file.sync()
        {
            self.seal();
            return Err(error);
        }
        Ok(())
    }

    /// Returns whether a record fits into the current segment.
    fn fits(&self, size: u64) -> bool {
        self.growing.as_ref().is_some_and(|growing| {
            let end = growing.end + self.staged.len() as u64;
            end <= segment::RECORDS_OFFSET || end + size <= self.room.segment
        })
    }

    /// Returns whether a record fits into the spool, after dropping others if
    /// the settings say so.
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
            debug_assert!(false, "a record without a segment");
            return;
        };
        let record = Record {
            number: self.next.number + self.records,
            offered,
            payload,
        };
        // `Room` excludes records that are too long for the length field.
        let written = record.write(growing.salt, &mut self.staged).is_some();
        debug_assert!(written, "a record of {} bytes", payload.len());
        self.records += u64::from(written);
    }

    /// Writes the staged records and shows them to the reader. Nothing is staged
    /// afterwards, also after an error.
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
            let cut = growing.file.set_size(growing.end);
            if cut.is_ok() && growing.end == segment::RECORDS_OFFSET {
                // After a power loss, its blocks may have records of this write again,
                // between those of later ones.
                self.discard();
            } else {
                // The reader removes a sealed segment once it is settled, which makes
                // room on a full disk. The caller learns of one error.
                _ = self.sync_data();
                self.seal();
            }
            return Err(error);
        }
        if self.fsync == Fsync::Always {
            if let Err(error) = growing.file.sync() {
                // The payloads are offered again, and not to be read twice.
                _ = growing.file.set_size(growing.end);
                self.seal();
                return Err(error);
            }
        } else {
            growing
                .unsynced
                .get_or_insert_with(|| self.folder.system.now());
        }
        growing.end += self.staged.len() as u64;
        Ok(())
    }

    /// Ends the current segment.
    fn seal(&mut self) {
        self.growing = None;
        lock(&self.index).growing = None;
    }

    /// Ends the current segment, which has no records, and removes it.
    fn discard(&mut self) {
        self.growing = None;
        let mut index = lock(&self.index);
        index.growing = None;
        index.remove_last();
    }

    /// Begins the next segment.
    fn roll(&mut self) -> io::Result<()> {
        self.sync_data()?;
        self.seal();
        let segment = self.next.segment;
        let header = Header {
            layout: Layout::CURRENT,
            segment: segment::lower_half(segment),
            salt: random_salt(self.folder.system),
            first: self.next.number,
        };
        let file = segment::create(&self.folder, segment, header)?;
        if let Err(error) = self.folder.sync() {
            // The next attempt replaces a file that cannot be removed.
            _ = self.folder.remove_segment(segment);
            return Err(error);
        }
        self.next.segment += 1;
        let mut index = lock(&self.index);
        index.bytes += segment::RECORDS_OFFSET;
        index.extents.push_back(Extent {
            segment,
            first: header.first,
            next: header.first,
            end: segment::RECORDS_OFFSET,
        });
        index.growing = Some(segment);
        drop(index);
        self.growing = Some(Growing {
            file,
            salt: header.salt,
            end: segment::RECORDS_OFFSET,
            unsynced: None,
        });
        Ok(())
    }
}

/// Returns a salt that the author of a payload cannot guess.
#[allow(clippy::cast_possible_truncation, reason = "half of it will do")]
fn random_salt(system: &dyn System) -> u32 {
    system.random() as u32
}
