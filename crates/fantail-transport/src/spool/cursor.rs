//! The position of the reader, on disk.
//!
//! Two slots are written in turn, each with a generation and a checksum. A torn
//! write loses one step, so that some payloads are read again.

use std::{io, sync::Arc};

use super::{
    folder::Folder,
    record::{checksum, le_u32, le_u64},
};
use crate::system::{Access, Create, OpenFile, SystemFile};

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
    file: Arc<dyn SystemFile>,
    generation: u64,
    /// Whether a position was saved since the file was taken to be
    /// [synced](Self::take_unsynced).
    is_unsynced: bool,
}

impl Cursor {
    /// Opens the cursor of a folder and returns the saved position, `None` if
    /// the cursor is new or damaged.
    pub(super) fn open(folder: &Folder) -> io::Result<(Self, Option<Position>)> {
        let file = folder.open("cursor", OpenFile::new(Access::ReadWrite, Create::Missing))?;
        let mut slots = [None; 2];
        for (slot, at) in slots.iter_mut().zip([0, SLOT_DISTANCE_BYTES]) {
            let mut bytes = [0; SLOT_BYTES];
            file.fill_at(&mut bytes, at)?;
            *slot = parse(&bytes);
        }
        let last = slots.into_iter().flatten();
        let last = last.max_by_key(|(generation, _)| *generation);
        let (generation, position) =
            last.map_or((0, None), |(generation, at)| (generation, Some(at)));
        let cursor = Self {
            file: file.into(),
            generation,
            is_unsynced: true,
        };
        Ok((cursor, position))
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
        self.is_unsynced = true;
        self.file.write_all_at(&slot, at)
    }

    /// Returns the file if it has a position that may not be on disk. The caller
    /// syncs it without the lock of the index.
    pub(super) fn take_unsynced(&mut self) -> Option<Arc<dyn SystemFile>> {
        std::mem::take(&mut self.is_unsynced).then(|| Arc::clone(&self.file))
    }

    /// Marks the position as one that may not be on disk, after a failed sync.
    pub(super) const fn sync_failed(&mut self) {
        self.is_unsynced = true;
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
    use std::{fs::OpenOptions, os::unix::fs::FileExt, path::Path};

    use super::{Cursor, Folder, Position, SLOT_BYTES, SLOT_DISTANCE_BYTES};
    use crate::{spool::Fsync, system::REAL};

    fn open(folder: &Path) -> (Cursor, Option<Position>) {
        Cursor::open(&Folder::new(&REAL, folder, Fsync::Never)).unwrap()
    }

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
            let (mut cursor, found) = open(folder.path());
            assert_eq!(found, (number > 0).then(|| position(number - 1)));
            cursor.save(position(number)).unwrap();
        }
    }

    #[test]
    fn a_torn_slot_costs_one_step() {
        let check = |flipped: u64, expected| {
            let folder = tempfile::tempdir().unwrap();
            let (mut cursor, _) = open(folder.path());
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
            assert_eq!(open(folder.path()).1, Some(expected));
        };
        for at in 0..SLOT_BYTES as u64 {
            check(at, position(1));
            check(SLOT_DISTANCE_BYTES + at, position(2));
        }
    }
}
