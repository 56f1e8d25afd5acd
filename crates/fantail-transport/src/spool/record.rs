//! The format of a record.
//!
//! A little-endian header, then the payload. The header has 32 bytes: marker
//! (4), length (4), number (8), time (8), checksum of the payload (4), checksum
//! of the header so far (4). The header of version 1 has 24 more bytes after
//! the time, for an id; it is only read.

/// First bytes of each record, by which a record after damage is found.
pub(super) const MARKER: [u8; 4] = *b"fTr\xb1";

/// The layout of the header of a record. It follows from the version of the
/// segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    V1,
    V2,
}

impl Layout {
    /// The layout of new records.
    pub(super) const CURRENT: Self = Self::V2;

    /// Returns the bytes of a record before its payload.
    pub(super) const fn header_bytes(self) -> usize {
        match self {
            Self::V1 => 56,
            Self::V2 => 32,
        }
    }
}

/// A record that was read or is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Number of the record, from 0 over the life of the spool.
    pub(super) number: u64,
    /// Time of the offer in Unix milliseconds.
    pub(super) offered: u64,
    pub(super) payload: &'a [u8],
}

/// The result of parsing bytes as a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Record(Record<'a>),
    /// This many bytes are needed to decide.
    Incomplete(usize),
    Damaged,
}

impl Record<'_> {
    /// Appends the record in the current layout. Returns `None` if the payload
    /// is longer than the length field can say.
    pub(super) fn write(&self, salt: u32, out: &mut Vec<u8>) -> Option<()> {
        let length = u32::try_from(self.payload.len()).ok()?;
        let start = out.len();
        out.extend_from_slice(&MARKER);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.offered.to_le_bytes());
        out.extend_from_slice(&checksum(salt, self.payload).to_le_bytes());
        let header = checksum(salt, out.get(start..)?);
        out.extend_from_slice(&header.to_le_bytes());
        out.extend_from_slice(self.payload);
        Some(())
    }
}

/// Parses the record at the start of the bytes.
pub(super) fn parse(bytes: &[u8], layout: Layout, salt: u32) -> Parsed<'_> {
    let header_bytes = layout.header_bytes();
    let Some((header, rest)) = bytes.split_at_checked(header_bytes) else {
        return Parsed::Incomplete(header_bytes);
    };
    let marked = header.starts_with(&MARKER);
    let (checked, sum) = header.split_at(header_bytes - 4);
    if !marked || le_u32(sum, 0) != checksum(salt, checked) {
        return Parsed::Damaged;
    }
    // The checksum covers the length.
    let length = le_u32(header, 4) as usize;
    let Some(payload) = rest.get(..length) else {
        return Parsed::Incomplete(header_bytes.saturating_add(length));
    };
    if le_u32(header, header_bytes - 8) != checksum(salt, payload) {
        return Parsed::Damaged;
    }
    Parsed::Record(Record {
        number: le_u64(header, 8),
        offered: le_u64(header, 16),
        payload,
    })
}

/// Returns the CRC-32 that starts from a salt.
pub(super) fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}

/// Returns the number at this position, which callers have checked.
pub(super) fn le_u32(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    debug_assert!(found.is_some(), "{at} of {} bytes", bytes.len());
    found.map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// Returns the number at this position, which callers have checked.
pub(super) fn le_u64(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    debug_assert!(found.is_some(), "{at} of {} bytes", bytes.len());
    found.map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::{Layout, Parsed, Record, parse};

    const SALT: u32 = 0x1234_5678;

    fn written(payload: &[u8]) -> Vec<u8> {
        let record = Record {
            number: 7,
            offered: 1_700_000_000_000,
            payload,
        };
        let mut bytes = Vec::new();
        record.write(SALT, &mut bytes).unwrap();
        assert_eq!(bytes.len(), Layout::CURRENT.header_bytes() + payload.len());
        assert_eq!(parse(&bytes, Layout::CURRENT, SALT), Parsed::Record(record));
        bytes
    }

    #[test]
    fn a_written_record_is_read() {
        written(b"");
        written(b"payload");
        written(&[0xff; 100_000]);
    }

    #[test]
    fn a_flipped_bit_is_detected() {
        let bytes = written(b"some payload");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let parsed = parse(&flipped, Layout::CURRENT, SALT);
            assert_eq!(parsed, Parsed::Damaged, "bit {bit}");
        }
    }

    #[test]
    fn a_torn_record_is_incomplete() {
        let bytes = written(b"some payload");
        for end in 0..bytes.len() {
            let header = Layout::CURRENT.header_bytes();
            let needed = if end < header { header } else { bytes.len() };
            let parsed = parse(&bytes[..end], Layout::CURRENT, SALT);
            assert_eq!(parsed, Parsed::Incomplete(needed));
        }
    }

    #[test]
    fn a_record_of_another_segment_is_damaged() {
        let bytes = written(b"x");
        assert_eq!(parse(&bytes, Layout::CURRENT, !SALT), Parsed::Damaged);
    }
}
