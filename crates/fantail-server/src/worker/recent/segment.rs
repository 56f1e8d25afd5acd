//! A segment: a sequence of records, each with a header and the text of an event.

use fantail_event::Timestamp;

/// The size of a record's header: the length of the text, the numbers of parents and
/// of ancestors, and the time of receipt.
const HEADER_BYTES: usize = 16;

/// The number of parents that marks the record of an ancestor.
const ANCESTOR: u16 = u16::MAX;

/// The bytes for numbers in the text of a record, besides its escaped strings.
const EXTRA_BYTES: usize = 256;

/// Returns the maximum size of a record for a text of `bytes` before escaping, which
/// at most doubles it.
pub(super) const fn room(bytes: usize) -> usize {
    HEADER_BYTES + EXTRA_BYTES + 2 * bytes
}

/// Records in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    bytes: Vec<u8>,
    /// The times of receipt of the first and the last event.
    times: Option<(Timestamp, Timestamp)>,
}

/// The record of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept<'s> {
    pub(crate) received_at: Timestamp,
    /// The line that the client sent.
    pub(crate) line: &'s [u8],
    parents: u16,
    /// The offsets of the ancestors, four bytes each.
    offsets: &'s [u8],
}

impl Kept<'_> {
    /// Returns the offsets of the parents, nearest first, and the offsets of the global
    /// event and its parents.
    pub(crate) fn ancestors(&self) -> [impl Iterator<Item = u32>; 2] {
        let parents = usize::from(self.parents) * 4;
        let (parents, global) = self.offsets.split_at(parents.min(self.offsets.len()));
        [parents, global].map(|offsets| {
            let (offsets, _) = offsets.as_chunks::<4>();
            offsets.iter().map(|offset| u32::from_le_bytes(*offset))
        })
    }
}

impl Segment {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the size of the records.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn first(&self) -> Option<Timestamp> {
        self.times.map(|(first, _)| first)
    }

    pub(crate) fn last(&self) -> Timestamp {
        self.times.map(|(_, last)| last).unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.times = None;
    }

    /// Allocates the memory of the segment. The kernel provides pages only when they
    /// are written.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.bytes
            .reserve_exact(bytes.saturating_sub(self.bytes.len()));
    }

    fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.bytes.capacity() - self.bytes.len()
    }

    fn push_header(
        &mut self,
        length: usize,
        [parents, ancestors]: [u16; 2],
        time: Timestamp,
    ) -> Option<()> {
        let length = u32::try_from(length).ok()?;
        let mut header = [0; HEADER_BYTES];
        let (numbers, micros) = header.split_at_mut(8);
        micros.copy_from_slice(&time.unix_micros().to_le_bytes());
        let (first, rest) = numbers.split_at_mut(4);
        first.copy_from_slice(&length.to_le_bytes());
        let (third, fourth) = rest.split_at_mut(2);
        third.copy_from_slice(&parents.to_le_bytes());
        fourth.copy_from_slice(&ancestors.to_le_bytes());
        self.bytes.extend_from_slice(&header);
        Some(())
    }

    /// Appends an event; returns `false` if it does not fit.
    #[inline]
    pub(super) fn push_event(
        &mut self,
        line: &[u8],
        ancestors: &[u32],
        parents: usize,
        time: Timestamp,
    ) -> bool {
        let (Ok(parents), Ok(count)) = (u16::try_from(parents), u16::try_from(ancestors.len()))
        else {
            return false;
        };
        let length = ancestors.len() * 4 + line.len();
        if parents == ANCESTOR || !self.has_room(HEADER_BYTES + length) {
            return false;
        }
        if self.push_header(length, [parents, count], time).is_none() {
            return false;
        }
        for offset in ancestors {
            self.bytes.extend_from_slice(&offset.to_le_bytes());
        }
        self.bytes.extend_from_slice(line);
        let first = self.first().unwrap_or(time);
        self.times = Some((first, time));
        true
    }

    /// Appends the text of an ancestor; returns its offset, or `None` if it does not
    /// fit. `bytes` is the size of the text before escaping.
    pub(super) fn push_ancestor(
        &mut self,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<u32> {
        if !self.has_room(room(bytes)) {
            return None;
        }
        let start = self.bytes.len();
        let offset = u32::try_from(start).ok()?;
        self.push_header(0, [ANCESTOR, 0], Timestamp::default())?;
        write(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - start - HEADER_BYTES).ok()?;
        self.bytes
            .get_mut(start..start + 4)?
            .copy_from_slice(&length.to_le_bytes());
        Some(offset)
    }

    /// Returns the header and the text of the record at an offset.
    fn record(&self, offset: usize) -> Option<(Header, &[u8])> {
        let rest = self.bytes.get(offset..)?;
        let (header, rest) = rest.split_first_chunk::<HEADER_BYTES>()?;
        let [
            a,
            b,
            c,
            d,
            parents,
            parents_high,
            count,
            count_high,
            micros @ ..,
        ] = *header;
        let header = Header {
            parents: u16::from_le_bytes([parents, parents_high]),
            ancestors: u16::from_le_bytes([count, count_high]),
            time: Timestamp::from_unix_micros(i64::from_le_bytes(micros)),
        };
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        Some((header, rest.get(..length)?))
    }

    /// Returns the text of the ancestor at an offset.
    pub(crate) fn ancestor(&self, offset: u32) -> Option<&[u8]> {
        let (header, text) = self.record(offset as usize)?;
        debug_assert_eq!(header.parents, ANCESTOR, "not an ancestor");
        Some(text)
    }

    /// Returns the first event at or after an offset, and the offset of the next record.
    pub(crate) fn next_event(&self, mut offset: usize) -> Option<(Kept<'_>, usize)> {
        loop {
            let (header, text) = self.record(offset)?;
            offset += HEADER_BYTES + text.len();
            if header.parents == ANCESTOR {
                continue;
            }
            let (offsets, line) = text.split_at_checked(usize::from(header.ancestors) * 4)?;
            let kept = Kept {
                received_at: header.time,
                line,
                parents: header.parents,
                offsets,
            };
            return Some((kept, offset));
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Header {
    parents: u16,
    ancestors: u16,
    time: Timestamp,
}
