//! The settings of the transport `file`.

use std::{path::PathBuf, time::Duration};

use crate::spool::Fsync;

/// Permissions of a new file by default.
const PRIVATE: u32 = 0o600;

/// Settings of the transport `file`.
///
/// ```
/// use fantail_transport::{FileSettings, FileTransport, Transport as _};
///
/// let path = std::env::temp_dir().join(format!("fantail-example-{}", std::process::id()));
/// let mut transport = FileTransport::with_settings(FileSettings::new(&path))?;
/// transport.send(b"login")?;
/// transport.flush()?;
/// assert_eq!(std::fs::read(&path)?, b"login\n");
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// Path of the file.
    pub path: PathBuf,
    /// Whether missing parent folders are created with mode 0700; by default
    /// not.
    pub create_folders: bool,
    /// Owner, group and permissions of new files; by default those of the process
    /// and 0600.
    pub access: FileAccess,
    /// When the file is rotated; by default never.
    pub rotation: Rotation,
    /// When written lines are forced onto the disk; by default never. An
    /// interval is checked when lines are written; the system decides about the
    /// last lines of a burst. With [`Fsync::Always`] the transport
    /// [confirms](crate::Transport::confirms) lines.
    pub fsync: Fsync,
}

impl FileSettings {
    /// Returns the default settings for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            create_folders: false,
            access: FileAccess::default(),
            rotation: Rotation::default(),
            fsync: Fsync::Never,
        }
    }
}

/// Owner, group and permissions of the files that the transport creates, also
/// when it rotates. An existing file keeps its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAccess {
    /// Name or number of the owner; by default that of the process.
    pub user: Option<String>,
    /// Name or number of the group; by default that of the process.
    pub group: Option<String>,
    /// Permissions, independent of the umask; by default 0600.
    pub mode: u32,
}

impl Default for FileAccess {
    fn default() -> Self {
        Self {
            user: None,
            group: None,
            mode: PRIVATE,
        }
    }
}

/// When a file is rotated, and how many old files are kept.
///
/// `events` becomes `events.1`, `events.1` becomes `events.2`, and so on. An
/// empty file is not rotated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Rotates before the file would exceed this many bytes. A longer line has
    /// a file of its own; the lines of one batch stay together.
    pub bytes: Option<u64>,
    /// Rotates this long after the file was begun, with the next line.
    pub age: Option<Duration>,
    /// Number of old files; with 0, the default, the old file is removed.
    pub keep: u32,
}
