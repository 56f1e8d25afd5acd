//! Settings of a spool.

use std::{path::PathBuf, time::Duration};

/// Settings of a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolSettings {
    /// The folder, used by one queue. It is created with mode 0700 if it is
    /// missing; its parent folder must exist.
    pub folder: PathBuf,
    /// Maximum bytes of its files, at least 64 KiB, by default 1 GiB. Payloads
    /// larger than an eighth of this are dropped.
    pub bytes: u64,
    /// The payloads that are dropped when the spool is full. The oldest are
    /// dropped by whole files of at most an eighth of `bytes`.
    pub overflow: Overflow,
    /// When written payloads are forced onto the disk.
    pub fsync: Fsync,
}

impl SpoolSettings {
    /// Returns the default settings for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            bytes: 1 << 30,
            overflow: Overflow::default(),
            fsync: Fsync::default(),
        }
    }
}

/// When written bytes are forced onto the disk. Written bytes survive the end of
/// the process in any case; this setting is about power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// When the system decides.
    Never,
    /// At most this long after the write.
    Interval(Duration),
    /// Before the bytes count as written.
    Always,
}

impl Default for Fsync {
    /// Once a second.
    fn default() -> Self {
        Self::Interval(Duration::from_secs(1))
    }
}

/// The payloads that are dropped when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// New payloads: the first events of an incident are kept.
    #[default]
    DropNewest,
    /// The payloads that waited longest: the last events are kept.
    DropOldest,
}
