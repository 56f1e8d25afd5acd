//! The position of the reader, on disk.
//!
//! Each save goes to another slot than the last one, with a generation and a checksum,
//! so that a torn write loses one step and some payloads are read again. The slot that
//! is known to be on disk, and those that are being synced, are left alone: a power
//! loss may tear all others.

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

/// The last slot, one that is on disk, one for each end of the spool that syncs, and
/// one to be written.
const SLOTS: usize = 5;

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
    /// The last save.
    last: Save,
    /// The position of the last save.
    position: Option<Position>,
    /// The newest save that is on disk.
    synced: Option<Save>,
    /// A bit for each slot that is being synced.
    syncing: u8,
    /// The last save may be missing on disk though a sync succeeds: after a failed one,
    /// Linux takes its bytes for written. It is to be done again.
    is_lost: bool,
}

/// A save of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Save {
    generation: u64,
    slot: usize,
}

impl Save {
    const fn bit(self) -> u8 {
        1 << self.slot
    }
}

impl Cursor {
    /// Opens the cursor of a folder and returns the saved position, `None` if
    /// the cursor is new or damaged.
    pub(super) fn open(folder: &Folder) -> io::Result<(Self, Option<Position>)> {
        let file = folder.open("cursor", OpenFile::new(Access::ReadWrite, Create::Missing))?;
        let (mut last, mut position) = (Save::default(), None);
        for slot in 0..SLOTS {
            let mut bytes = [0; SLOT_BYTES];
            file.fill_at(&mut bytes, offset(slot))?;
            if let Some((generation, found)) = parse(&bytes)
                && generation > last.generation
            {
                (last, position) = (Save { generation, slot }, Some(found));
            }
        }
        let cursor = Self {
            file: file.into(),
            last,
            position,
            synced: None,
            syncing: 0,
            // The sync of an earlier process may have failed.
            is_lost: true,
        };
        Ok((cursor, position))
    }

    /// Saves a position.
    pub(super) fn save(&mut self, position: Position) -> io::Result<()> {
        let save = Save {
            generation: self.last.generation + 1,
            slot: self.free_slot(),
        };
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        let values = [
            save.generation,
            position.segment,
            position.offset,
            position.number,
        ];
        for value in values {
            slot.extend_from_slice(&value.to_le_bytes());
        }
        slot.extend_from_slice(&checksum(0, &slot).to_le_bytes());
        self.last = save;
        self.position = Some(position);
        self.is_lost = true;
        self.file.write_all_at(&slot, offset(save.slot))?;
        self.is_lost = false;
        Ok(())
    }

    /// Returns a slot that may be torn.
    fn free_slot(&self) -> usize {
        let synced = self.synced.map_or(0, Save::bit);
        let kept = self.last.bit() | synced | self.syncing;
        let free = (!kept).trailing_zeros() as usize;
        debug_assert!(free < SLOTS, "more than two syncs at once");
        free.min(SLOTS - 1)
    }

    /// Returns the file if its last save may not be on disk. The caller syncs it
    /// without the lock of the index, and tells the result.
    ///
    /// # Errors
    /// A lost position cannot be saved again.
    pub(super) fn start_sync(&mut self) -> io::Result<Option<(Arc<dyn SystemFile>, Save)>> {
        if let Some(position) = self.position.filter(|_| self.is_lost) {
            self.save(position)?;
        }
        if self.synced == Some(self.last) {
            return Ok(None);
        }
        self.syncing |= self.last.bit();
        Ok(Some((Arc::clone(&self.file), self.last)))
    }

    /// Notes the result of a sync.
    pub(super) fn end_sync(&mut self, save: Save, is_synced: bool) {
        self.syncing &= !save.bit();
        match is_synced {
            true => self.synced = self.synced.max(Some(save)),
            false => self.is_lost = true,
        }
    }
}

const fn offset(slot: usize) -> u64 {
    slot as u64 * SLOT_DISTANCE_BYTES
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
