//! A queue of payloads on disk.
//!
//! [`open`] returns the two ends of a folder: a [`SpoolWriter`] appends
//! payloads, and a [`SpoolReader`] returns them in order until they are
//! settled. [Appended](SpoolWriter::append) payloads survive the end of the
//! process, also by SIGKILL; [`Fsync`] says which survive a power loss. After a
//! restart, all unsettled payloads are read again: at least once, not exactly
//! once.
//!
//! # Layout
//! The folder has numbered segment files, a `cursor` and a `lock`. A segment
//! has two copies of a header, and then records. A record has its number, the
//! time of its offer, its length, a checksum of its header and a checksum of
//! its payload. The checksums start from a random number of the segment, so that
//! no payload can imitate a record. The cursor has two slots, written in turn.
//!
//! Segments of version 1, whose records have a field for an id, are read, too.
//! New segments have version 2.
//!
//! # Damage
//! Records are numbered without gaps. Torn, flipped or missing records show as
//! a gap before the next good record and are counted exactly; later records are
//! not lost. A torn end of the last segment counts as one record, because its
//! number of records is unknown. A process never appends to a segment of an
//! earlier process, so a torn end stays at the end of its segment.
//!
//! # Why not a crate
//! yaque 0.6 (last release in 2023) is asynchronous, has a parity bit as its
//! checksum, never calls fsync, and leaves lock files behind when the process
//! is killed. okaywal 0.3 (2023) is a write-ahead log that calls back with
//! all entries since the last checkpoint, and keeps no position of a slow
//! reader. commitlog 0.2 has no cursor and stops at the first bad record.
//! queue-file 2.0 is one ring file whose header is rewritten at every addition
//! and removal, has no numbers, and cannot skip a damaged record. None has a
//! byte limit with a choice of the payloads to drop.

mod cursor;
mod error;
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
    error::{SpoolError, SpoolErrorKind},
    open::{open, open_on},
    reader::SpoolReader,
    settings::{Fsync, Overflow, SpoolSettings},
    writer::{Appended, SpoolWriter},
};

pub(crate) use self::index::SpoolGauge;
