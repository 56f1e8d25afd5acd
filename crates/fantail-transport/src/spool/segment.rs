//! Names and headers of segment files.
//!
//! A header has 32 bytes: magic that ends in the version (8), salt (4), lower half
//! of the number of the segment (4), number of the first record (8), reserved (4),
//! checksum (4). A segment has two copies, so that damage to one does not lose the
//! segment. After a power loss a file may have blocks of a removed one: the number
//! of the segment tells their headers apart. It is 0 in older segments.

use std::io;

use super::{
    folder::Folder,
    record::{Layout, checksum, le_u32, le_u64},
};
use crate::system::{Access, Create, OpenFile, SystemFile, absent_is_fine};

/// Bytes of one header.
const HEADER_BYTES: usize = 32;

/// Offset of the first record.
pub(super) const RECORDS_OFFSET: u64 = 2 * HEADER_BYTES as u64;

/// Returns the first bytes of a segment with records of the layout.
const fn magic(layout: Layout) -> &'static [u8; 8] {
    match layout {
        Layout::V1 => b"fantail1",
        Layout::V2 => b"fantail2",
    }
}

/// Name of a segment until its header is written.
const UNNAMED: &str = "segment.new";

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layout: Layout,
    /// Lower half of the number of the segment.
    pub(super) segment: u32,
    /// Start value of the checksums of its records.
    pub(super) salt: u32,
    /// Number of its first record.
    pub(super) first: u64,
}

impl Header {
    fn to_bytes(self) -> [u8; 2 * HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(2 * HEADER_BYTES);
        for _ in 0..2 {
            let start = bytes.len();
            bytes.extend_from_slice(magic(self.layout));
            bytes.extend_from_slice(&self.salt.to_le_bytes());
            bytes.extend_from_slice(&self.segment.to_le_bytes());
            bytes.extend_from_slice(&self.first.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            let sum = checksum(0, bytes.split_at(start).1);
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        debug_assert_eq!(bytes.len(), 2 * HEADER_BYTES);
        bytes.try_into().unwrap_or([0; 2 * HEADER_BYTES])
    }

    fn parse(copy: &[u8]) -> Option<Self> {
        let (checked, sum) = copy.split_at_checked(HEADER_BYTES - 4)?;
        let mut layouts = [Layout::V1, Layout::V2].into_iter();
        let layout = layouts.find(|layout| checked.starts_with(magic(*layout)))?;
        let good = le_u32(sum, 0) == checksum(0, checked);
        good.then(|| Self {
            layout,
            salt: le_u32(checked, 8),
            segment: le_u32(checked, 12),
            first: le_u64(checked, 16),
        })
    }
}

/// Returns the part of the number of a segment that its header has.
#[allow(clippy::cast_possible_truncation, reason = "half of it will do")]
pub(super) const fn lower_half(segment: u64) -> u32 {
    segment as u32
}

/// Creates a segment that does not exist. It gets its name together with its
/// header, so that a segment without a header is always a damaged one.
pub(super) fn create(
    folder: &Folder,
    segment: u64,
    header: Header,
) -> io::Result<Box<dyn SystemFile>> {
    let system = folder.system;
    let unnamed = folder.path.join(UNNAMED);
    absent_is_fine(system.remove(&unnamed))?;
    let file = system.open(&unnamed, OpenFile::new(Access::Write, Create::New))?;
    let written = file
        .write_all_at(&header.to_bytes(), 0)
        .and_then(|()| system.rename(&unnamed, &folder.segment(segment)));
    if let Err(error) = written {
        _ = system.remove(&unnamed);
        return Err(error);
    }
    Ok(file)
}

/// Opens a segment for reading. Returns `None` if both copies of its header
/// are damaged.
pub(super) fn open(
    folder: &Folder,
    segment: u64,
) -> io::Result<Option<(Box<dyn SystemFile>, Header)>> {
    let file = folder
        .system
        .open(&folder.segment(segment), OpenFile::READ)?;
    let mut copies = [0; 2 * HEADER_BYTES];
    let read = file.fill_at(&mut copies, 0)?;
    let copies = copies.get(..read).unwrap_or_default();
    let headers = copies.chunks_exact(HEADER_BYTES).filter_map(Header::parse);
    let is_own = |header: &Header| [0, lower_half(segment)].contains(&header.segment);
    let header = headers.into_iter().find(is_own);
    Ok(header.map(|header| (file, header)))
}

#[cfg(test)]
mod tests {
    use super::{HEADER_BYTES, Header, Layout};

    #[test]
    fn one_good_copy_of_a_header_is_enough() {
        one_good_copy_is_enough(Layout::V1);
        one_good_copy_is_enough(Layout::V2);
    }

    fn one_good_copy_is_enough(layout: Layout) {
        let header = Header {
            layout,
            segment: 5,
            salt: 0xdead_beef,
            first: 77,
        };
        let bytes = header.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let copies = flipped.chunks(HEADER_BYTES).map(Header::parse);
            let good: Vec<_> = copies.flatten().collect();
            assert_eq!(good, [header], "bit {bit}");
        }
    }
}
