//! The bytes of one record.
//!
//! A header of 56 bytes, little-endian, then the payload:
//! marker (4), length (4), number (8), time (8), origin of the id (8), its
//! sequence or 0 (8), reserved (8), checksum of the payload (4), checksum of
//! the header so far (4).

use std::num::NonZeroU64;

use crate::{EventId, Origin, Payload};

/// Bytes of a record before its payload.
pub(super) const HEADER: usize = 56;

/// Begins each record, so that one can be found behind damage.
pub(super) const MARKER: [u8; 4] = *b"fTr\xb1";

/// A record, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Counted from 0 over the whole life of the spool.
    pub(super) number: u64,
    /// When it was offered, in Unix milliseconds.
    pub(super) offered: u64,
    pub(super) payload: Payload<'a>,
}

/// What bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Record(Record<'a>),
    /// So many bytes are needed to tell.
    Incomplete(usize),
    Damaged,
}

impl Record<'_> {
    /// Bytes on disk.
    pub(super) fn size(&self) -> usize {
        HEADER + self.payload.bytes.len()
    }

    /// Appends the record. `None` if the payload is longer than a record can
    /// say.
    pub(super) fn write(&self, salt: u32, out: &mut Vec<u8>) -> Option<()> {
        let length = u32::try_from(self.payload.bytes.len()).ok()?;
        let (origin, sequence) = self
            .payload
            .id
            .map_or((0, 0), |id| (id.origin().bits(), id.sequence()));
        let start = out.len();
        out.extend_from_slice(&MARKER);
        out.extend_from_slice(&length.to_le_bytes());
        for value in [self.number, self.offered, origin, sequence, 0] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&checksum(salt, self.payload.bytes).to_le_bytes());
        let header = checksum(salt, out.get(start..)?);
        out.extend_from_slice(&header.to_le_bytes());
        out.extend_from_slice(self.payload.bytes);
        Some(())
    }
}

/// Reads the record that begins here.
pub(super) fn parse(bytes: &[u8], salt: u32) -> Parsed<'_> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Parsed::Incomplete(HEADER);
    };
    let marked = header.starts_with(&MARKER);
    let (checked, sum) = header.split_at(HEADER - 4);
    if !marked || le_u32(sum, 0) != checksum(salt, checked) {
        return Parsed::Damaged;
    }
    // The checksum says that this length was written.
    let length = le_u32(header, 4) as usize;
    let Some(payload) = rest.get(..length) else {
        return Parsed::Incomplete(HEADER.saturating_add(length));
    };
    if le_u32(header, 48) != checksum(salt, payload) {
        return Parsed::Damaged;
    }
    let sequence = NonZeroU64::new(le_u64(header, 32));
    let origin = Origin::from_bits(le_u64(header, 24));
    Parsed::Record(Record {
        number: le_u64(header, 8),
        offered: le_u64(header, 16),
        payload: Payload {
            bytes: payload,
            id: sequence.map(|sequence| EventId::new(origin, sequence)),
        },
    })
}

/// CRC-32 that starts from a salt.
pub(super) fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}

/// The number at this place; 0 if the bytes end before.
pub(super) fn le_u32(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// The number at this place; 0 if the bytes end before.
pub(super) fn le_u64(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::{HEADER, Parsed, Record, parse};
    use crate::{EventId, Origin, Payload};

    const SALT: u32 = 0x1234_5678;

    fn written(payload: &[u8], id: Option<EventId>) -> Vec<u8> {
        let record = Record {
            number: 7,
            offered: 1_700_000_000_000,
            payload: Payload { bytes: payload, id },
        };
        let mut bytes = Vec::new();
        record.write(SALT, &mut bytes).unwrap();
        assert_eq!(bytes.len(), record.size());
        assert_eq!(parse(&bytes, SALT), Parsed::Record(record));
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let id = EventId::new(Origin::from_bits(u64::MAX), NonZeroU64::MAX);
        written(b"", None);
        written(b"payload", Some(id));
        written(&[0xff; 100_000], Some(id));
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let bytes = written(b"some payload", None);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped, SALT), Parsed::Damaged, "bit {bit}");
        }
    }

    #[test]
    fn a_torn_record_is_incomplete() {
        let bytes = written(b"some payload", None);
        for end in 0..bytes.len() {
            let needed = if end < HEADER { HEADER } else { bytes.len() };
            assert_eq!(parse(&bytes[..end], SALT), Parsed::Incomplete(needed));
        }
    }

    #[test]
    fn a_record_of_another_segment_is_none_here() {
        assert_eq!(parse(&written(b"x", None), !SALT), Parsed::Damaged);
    }
}
