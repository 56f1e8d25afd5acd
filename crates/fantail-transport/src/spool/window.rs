//! A piece of a segment in memory, and the search for records.

use std::io;

use super::{
    folder::Folder,
    record::{Layout, MARKER, Parsed, Record, parse},
    segment::{self, Header},
};
use crate::{PayloadId, system::SystemFile};

/// Bytes of one read.
const READ_BYTES: usize = 256 * 1024;

/// A segment and the piece of it that was read last.
#[derive(Debug)]
pub(super) struct Window {
    file: Box<dyn SystemFile>,
    layout: Layout,
    salt: u32,
    /// The run of the ids of its payloads.
    run: u64,
    /// Offset of the bytes in the file.
    start: u64,
    bytes: Vec<u8>,
}

/// A valid record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) offered: u64,
    /// Offset of the record in the file.
    at: u64,
    size: usize,
}

impl Found {
    /// Returns the offset of the next record.
    pub(super) const fn end(&self) -> u64 {
        self.at + self.size as u64
    }
}

impl Window {
    /// Opens a segment. Returns `None` if its header is damaged.
    pub(super) fn open(folder: &Folder, segment: u64) -> io::Result<Option<(Self, Header)>> {
        let opened = segment::open(folder, segment)?;
        Ok(opened.map(|(file, header)| {
            let window = Self {
                file,
                layout: header.layout,
                salt: header.salt,
                // A number of a record may be used again after a power loss, in another
                // segment.
                run: u64::from(segment::lower_half(segment)) << 32 | u64::from(header.salt),
                start: 0,
                bytes: Vec::new(),
            };
            (window, header)
        }))
    }

    /// Returns the bytes of the file.
    pub(super) fn file_size(&self) -> io::Result<u64> {
        self.file.size()
    }

    /// Forces the bytes of the file onto the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Returns the first valid record at or after this offset that ends at `end`
    /// or before.
    pub(super) fn find(&mut self, offset: u64, end: u64) -> io::Result<Option<Found>> {
        let mut at = offset;
        let header = self.layout.header_bytes();
        let mut needed = header;
        while self.load(at, needed, end)? {
            match parse(self.loaded(at, end), self.layout, self.salt) {
                Parsed::Record(record) => {
                    let size = header + record.payload.len();
                    return Ok(Some(found(&record, at, size)));
                }
                Parsed::Incomplete(size) if at.saturating_add(size as u64) <= end => needed = size,
                Parsed::Incomplete(_) | Parsed::Damaged => {
                    at = self.next_marker(at + 1, end)?;
                    needed = header;
                }
            }
        }
        Ok(None)
    }

    /// Returns the id of a payload of the segment.
    pub(super) const fn id(&self, found: &Found) -> PayloadId {
        PayloadId {
            run: self.run,
            number: found.number,
        }
    }

    /// Returns the payload of the record that was found last.
    pub(super) fn payload(&self, found: &Found) -> &[u8] {
        let bytes = self.loaded(found.at, found.end());
        let payload = bytes.get(self.layout.header_bytes()..);
        debug_assert!(payload.is_some(), "{found:?} is not loaded");
        payload.unwrap_or_default()
    }

    /// Returns the offset of the next possible marker, or `end`.
    fn next_marker(&mut self, from: u64, end: u64) -> io::Result<u64> {
        let mut at = from;
        while self.load(at, MARKER.len(), end)? {
            let loaded = self.loaded(at, end);
            if let Some(found) = memchr::memmem::find(loaded, &MARKER) {
                return Ok(at + found as u64);
            }
            // The last bytes may be the start of a marker.
            at += (loaded.len() - (MARKER.len() - 1)) as u64;
        }
        Ok(end)
    }

    /// Loads `needed` bytes at this offset. Returns whether the file has them
    /// before `end`.
    fn load(&mut self, at: u64, needed: usize, end: u64) -> io::Result<bool> {
        if at.saturating_add(needed as u64) > end {
            return Ok(false);
        }
        if self.loaded(at, end).len() >= needed {
            return Ok(true);
        }
        let size = usize::try_from(end - at).map_or(READ_BYTES, |left| left.min(READ_BYTES));
        self.bytes.clear();
        self.bytes.resize(size.max(needed), 0);
        self.start = at;
        let read = self.file.fill_at(&mut self.bytes, at);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        Ok(read? >= needed)
    }

    /// Returns the loaded bytes from this offset on and before `end`.
    fn loaded(&self, at: u64, end: u64) -> &[u8] {
        let Some(skip) = at.checked_sub(self.start) else {
            return &[];
        };
        let most = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let rest = usize::try_from(skip)
            .ok()
            .and_then(|skip| self.bytes.get(skip..));
        rest.map_or(&[], |rest| rest.get(..most).unwrap_or(rest))
    }
}

fn found(record: &Record<'_>, at: u64, size: usize) -> Found {
    Found {
        number: record.number,
        offered: record.offered,
        at,
        size,
    }
}
