//! A log on disk in which payloads wait.
//!
//! [`open`] gives the two ends of a folder: a [`SpoolWriter`] appends
//! payloads, a [`SpoolReader`] gives them back in their order until they are
//! settled. What the writer has [appended](SpoolWriter::append) survives the
//! end of the process, however sudden, and that of the machine as far as
//! [`Fsync`] goes. After a restart all that was not settled is read again: at
//! least once, not exactly once.
//!
//! # Layout
//! The folder has numbered segment files, a `cursor` and a `lock`. A segment
//! starts with a header that is there twice, and goes on with records. A
//! record has its number, the time at which it was offered, the id of the
//! event, its length, and a checksum of the header and of the payload each;
//! the checksums start from a random number of the segment, so that no
//! payload can be made to look like a record. The cursor has two slots,
//! written in turn.
//!
//! # Damage
//! Records are numbered without gaps. What is torn, flipped or gone shows as
//! a gap when the next good record is found, and is counted exactly; nothing
//! after it is lost. Only at the very end of the last segment is a torn piece
//! counted as one record, as nothing tells how many it was. A process never
//! appends to a file of an earlier one, so a torn end stays where it is.
//!
//! # Why not a crate
//! yaque 0.6 (last release in 2023) is asynchronous, has a parity bit for a
//! checksum, never calls fsync, and leaves lock files behind when the process
//! is killed. okaywal 0.3 (2023) is a write-ahead log that calls back with
//! everything since the last checkpoint, and keeps no place of a slow reader.
//! commitlog 0.2 has no cursor, and stops at the first bad record. queue-file
//! 2.0 is one ring file whose header is rewritten at every addition and every
//! removal, has no numbers, and cannot go on behind a damaged record. None is
//! bounded by bytes with a choice of what to drop. What is needed is small:
//! the files in this folder.

mod cursor;
mod folder;
mod index;
mod open;
mod reader;
mod record;
mod segment;
mod window;
mod writer;

use std::{path::PathBuf, time::Duration};

use crate::Overflow;

pub use self::{
    open::open,
    reader::SpoolReader,
    writer::{Appended, SpoolWriter},
};

pub(crate) use self::index::SpoolGauge;

/// Where payloads wait on disk, and how much room there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolSettings {
    /// A folder of its own for each queue; made with mode 0700 if it is not
    /// there. Its parent has to be there.
    pub folder: PathBuf,
    /// Bytes that its files take at most, at least 64 KiB; 1 GiB by default.
    /// No payload may be larger than an eighth of this.
    pub bytes: u64,
    /// What is dropped when that is used up. The oldest go by whole files,
    /// an eighth of the room at a time.
    pub overflow: Overflow,
    /// When written payloads are forced onto the disk.
    pub fsync: Fsync,
}

impl SpoolSettings {
    /// A spool in this folder, all else by default.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            bytes: 1 << 30,
            overflow: Overflow::default(),
            fsync: Fsync::default(),
        }
    }
}

/// When written bytes are forced onto the disk. What was written survives the
/// end of the process in any case: this is about the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Whenever the system likes.
    Never,
    /// At most this long after they were written.
    Interval(Duration),
    /// Before they count as written.
    Always,
}

impl Default for Fsync {
    /// Once a second.
    fn default() -> Self {
        Self::Interval(Duration::from_secs(1))
    }
}
