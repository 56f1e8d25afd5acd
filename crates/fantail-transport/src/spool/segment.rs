//! Names and headers of segment files.
//!
//! A header has 32 bytes: magic that ends in the version (8), salt (4),
//! reserved (4), number of the first record (8), reserved (4), checksum (4). A
//! segment has two copies, so that damage to one does not lose the segment.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::record::{Layout, checksum, le_u32, le_u64};
use crate::regular_file::open_regular;

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

const EXTENSION: &str = ".spool";

/// Name of a segment until its header is written.
const UNNAMED: &str = "segment.new";

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layout: Layout,
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
            bytes.extend_from_slice(&[0; 4]);
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
            first: le_u64(checked, 16),
        })
    }
}

/// Returns the path of a segment.
pub(super) fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:016x}{EXTENSION}"))
}

/// Returns the number of the segment with this file name.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    (format!("{number:016x}") == digits).then_some(number)
}

/// Creates a segment that does not exist. It gets its name together with its
/// header, so that a segment without a header is always a damaged one.
pub(super) fn create(folder: &Path, segment: u64, header: Header) -> io::Result<File> {
    let unnamed = folder.join(UNNAMED);
    absent_is_fine(fs::remove_file(&unnamed))?;
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let file = open_regular(options, &unnamed)?;
    let written = file
        .write_all_at(&header.to_bytes(), 0)
        .and_then(|()| fs::rename(&unnamed, path(folder, segment)));
    if let Err(error) = written {
        _ = fs::remove_file(&unnamed);
        return Err(error);
    }
    Ok(file)
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a segment for reading. Returns `None` if both copies of its header
/// are damaged.
pub(super) fn open(folder: &Path, segment: u64) -> io::Result<Option<(File, Header)>> {
    let file = open_regular(OpenOptions::new().read(true), &path(folder, segment))?;
    let header = [0, HEADER_BYTES as u64].iter().find_map(|at| {
        let mut copy = [0; HEADER_BYTES];
        file.read_exact_at(&mut copy, *at).ok()?;
        Header::parse(&copy)
    });
    Ok(header.map(|header| (file, header)))
}

#[cfg(test)]
mod tests {
    use super::{HEADER_BYTES, Header, Layout, number, path};

    #[test]
    fn one_good_copy_of_a_header_is_enough() {
        one_good_copy_is_enough(Layout::V1);
        one_good_copy_is_enough(Layout::V2);
    }

    fn one_good_copy_is_enough(layout: Layout) {
        let header = Header {
            layout,
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

    #[test]
    fn names_are_numbers() {
        let check = |name: &str, expected| assert_eq!(number(name), expected, "{name}");
        check("0000000000000000.spool", Some(0));
        check("00000000000000ff.spool", Some(255));
        check("00000000000000FF.spool", None);
        check("ff.spool", None);
        check("+000000000000001.spool", None);
        check("cursor", None);
        let path = path("/folder".as_ref(), u64::MAX);
        assert_eq!(path.to_str(), Some("/folder/ffffffffffffffff.spool"));
    }
}
