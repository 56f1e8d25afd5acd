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
//! record has its number, the time at which it was offered, its length, and a
//! checksum of the header and of the payload each; the checksums start from a
//! random number of the segment, so that no payload can be made to look like a
//! record. The cursor has two slots, written in turn.
//!
//! Segments of version 1, whose records have room for an id, are read as
//! well. New records go to segments of version 2.
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
mod settings;
mod window;
mod writer;

pub use self::{
    open::open,
    reader::SpoolReader,
    settings::{Fsync, Overflow, SpoolSettings},
    writer::{Appended, SpoolWriter},
};

pub(crate) use self::index::SpoolGauge;
