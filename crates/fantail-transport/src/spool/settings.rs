//! Where payloads wait on disk, how much of it they take, and when it is
//! forced there.

use std::{path::PathBuf, time::Duration};

/// Where payloads wait on disk, and how much room there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolSettings {
    /// A folder of its own for each queue; made with mode 0700 if it is not
    /// there. The parent folder must exist.
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

/// What is dropped when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// What is offered: the first events of a trouble are kept.
    #[default]
    DropNewest,
    /// What has waited longest: the last events before its end are kept.
    DropOldest,
}
