//! The position of the reader, on disk.
//!
//! Two slots are written in turn, each with a generation and a checksum. A torn
//! write loses one step, so that some payloads are read again.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use super::record::{checksum, le_u32, le_u64};
use crate::regular_file::open_regular;

/// Bytes of a slot: generation, segment, offset, number, checksum.
const SLOT_BYTES: usize = 36;

/// Distance between the slots, which lie in different sectors.
const SLOT_DISTANCE_BYTES: u64 = 4096;

/// A position before a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub(super) segment: u64,
    /// Bytes from the start of the segment.
    pub(super) offset: u64,
    /// The number of the record that is expected there.
    pub(super) number: u64,
}

impl Position {
    /// Returns whether the position lies before another one.
    pub(super) const fn is_before(self, segment: u64, offset: u64) -> bool {
        self.segment < segment || (self.segment == segment && self.offset < offset)
    }
}

/// The file that keeps the position.
#[derive(Debug)]
pub(super) struct Cursor {
    file: File,
    generation: u64,
}

impl Cursor {
    /// Opens the cursor of a folder and returns the saved position, `None` if
    /// the cursor is new or damaged.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Option<Position>)> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = open_regular(options.mode(0o600), &folder.join("cursor"))?;
        let slots = [0, SLOT_DISTANCE_BYTES].into_iter().filter_map(|at| {
            let mut slot = [0; SLOT_BYTES];
            file.read_exact_at(&mut slot, at).ok()?;
            parse(&slot)
        });
        let last = slots.max_by_key(|(generation, _)| *generation);
        let (generation, position) =
            last.map_or((0, None), |(generation, at)| (generation, Some(at)));
        Ok((Self { file, generation }, position))
    }

    /// Saves a position.
    pub(super) fn save(&mut self, position: Position) -> io::Result<()> {
        self.generation += 1;
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        let values = [
            self.generation,
            position.segment,
            position.offset,
            position.number,
        ];
        for value in values {
            slot.extend_from_slice(&value.to_le_bytes());
        }
        slot.extend_from_slice(&checksum(0, &slot).to_le_bytes());
        let at = (self.generation % 2) * SLOT_DISTANCE_BYTES;
        self.file.write_all_at(&slot, at)
    }
}

fn parse(slot: &[u8; SLOT_BYTES]) -> Option<(u64, Position)> {
    let (checked, sum) = slot.split_at(SLOT_BYTES - 4);
    let good = le_u32(sum, 0) == checksum(0, checked) && le_u64(checked, 0) > 0;
    good.then(|| {
        let position = Position {
            segment: le_u64(checked, 8),
            offset: le_u64(checked, 16),
            number: le_u64(checked, 24),
        };
        (le_u64(checked, 0), position)
    })
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};

    use super::{Cursor, Position, SLOT_BYTES, SLOT_DISTANCE_BYTES};

    fn position(number: u64) -> Position {
        Position {
            segment: 1,
            offset: number * 10,
            number,
        }
    }

    #[test]
    fn the_last_position_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..5 {
            let (mut cursor, found) = Cursor::open(folder.path()).unwrap();
            assert_eq!(found, (number > 0).then(|| position(number - 1)));
            cursor.save(position(number)).unwrap();
        }
    }

    #[test]
    fn a_torn_slot_costs_one_step() {
        let check = |flipped: u64, expected| {
            let folder = tempfile::tempdir().unwrap();
            let (mut cursor, _) = Cursor::open(folder.path()).unwrap();
            cursor.save(position(1)).unwrap();
            cursor.save(position(2)).unwrap();
            let path = folder.path().join("cursor");
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, flipped).unwrap();
            file.write_all_at(&[byte[0] ^ 1], flipped).unwrap();
            assert_eq!(Cursor::open(folder.path()).unwrap().1, Some(expected));
        };
        for at in 0..SLOT_BYTES as u64 {
            check(at, position(1));
            check(SLOT_DISTANCE_BYTES + at, position(2));
        }
    }
}
