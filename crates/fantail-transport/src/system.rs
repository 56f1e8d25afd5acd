//! The operating system as queues, spools and files use it: disk, clocks and
//! random numbers.
//!
//! Programs use [`RealSystem`]. A simulation has another one, which loses power
//! and reports errors when a seed says so. The calls are those of the system,
//! one by one, so that a simulation can stop between any two of them.

mod real;

use std::{
    ffi::OsString,
    fmt, io,
    path::Path,
    time::{Duration, Instant},
};

pub use self::real::RealSystem;

/// The system of programs.
pub static REAL: RealSystem = RealSystem;

/// Disk, clocks and random numbers.
pub trait System: fmt::Debug + Sync {
    /// Opens a regular file; other kinds of files are refused.
    ///
    /// # Errors
    /// The file cannot be opened, or is not a regular file.
    fn open(&self, path: &Path, options: OpenFile) -> io::Result<Box<dyn SystemFile>>;

    /// Creates a folder with mode 0700.
    ///
    /// # Errors
    /// The folder exists, or cannot be created.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder with mode 0700 unless it exists, and those above it.
    ///
    /// # Errors
    /// One of the folders cannot be created.
    fn create_folders(&self, path: &Path) -> io::Result<()>;

    /// Returns the names in a folder, in any order.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Gives a file another name, and replaces the file that had it.
    ///
    /// # Errors
    /// The file cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The file cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Forces the names in a folder onto the disk.
    ///
    /// # Errors
    /// The disk reports a loss.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Returns the monotonic time.
    fn now(&self) -> Instant;

    /// Returns the Unix time in milliseconds.
    fn unix_millis(&self) -> u64;

    /// Returns the Unix time in milliseconds by a clock that runs evenly within
    /// the process: when the time of day is set, the ages of payloads do not
    /// change.
    fn even_millis(&self) -> u64;

    /// Returns a number that the author of a payload cannot guess.
    fn random(&self) -> u64;
}

/// An open file.
pub trait SystemFile: fmt::Debug + Send + Sync {
    /// Reads at an offset; returns the bytes read, 0 at the end of the file.
    ///
    /// # Errors
    /// The disk cannot be read.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes at an offset; returns the bytes written.
    ///
    /// # Errors
    /// The disk is full or does not work.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize>;

    /// Writes at the end of a file that was opened for [`Access::Append`];
    /// returns the bytes written.
    ///
    /// # Errors
    /// The disk is full or does not work.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns the bytes of the file.
    ///
    /// # Errors
    /// The disk does not work.
    fn size(&self) -> io::Result<u64>;

    /// Sets the bytes of the file.
    ///
    /// # Errors
    /// The disk is full or does not work.
    fn set_size(&self, bytes: u64) -> io::Result<()>;

    /// Forces the bytes onto the disk.
    ///
    /// # Errors
    /// The disk reports a loss.
    fn sync(&self) -> io::Result<()>;

    /// Locks the file as long as it is open; `false` if another one has it.
    ///
    /// # Errors
    /// The system has no locks for this file.
    fn try_lock(&self) -> io::Result<bool>;

    /// Sets owner and group, where they are given.
    ///
    /// # Errors
    /// The process may not do that.
    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()>;

    /// Sets the permissions.
    ///
    /// # Errors
    /// The process may not do that.
    fn set_mode(&self, mode: u32) -> io::Result<()>;

    /// Returns the Unix time in milliseconds at which the file was created;
    /// `None` if the system does not know.
    fn created_millis(&self) -> Option<u64>;

    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// As for [`write_at`](Self::write_at); some bytes may have been written.
    fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let (mut rest, mut at) = (bytes, at);
        while !rest.is_empty() {
            match self.write_at(rest, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    at += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until the buffer is full or the file ends; returns the bytes read.
    ///
    /// # Errors
    /// As for [`read_at`](Self::read_at).
    fn fill_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFile {
    /// What is done with the file.
    pub access: Access,
    /// What happens if the file is missing.
    pub create: Create,
    /// Whether the file may be a symbolic link.
    pub follows_links: bool,
}

/// What is done with an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// It is written.
    Write,
    /// It is read and written.
    ReadWrite,
    /// It is written at its end, wherever other programs have moved that.
    Append,
}

/// What happens if a file is missing, or exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// A missing file is an error.
    Never,
    /// A missing file is created with mode 0600.
    Missing,
    /// The file is created with mode 0600; a file that exists is an error.
    New,
}

impl OpenFile {
    /// Opens an existing file for reading.
    pub const READ: Self = Self::new(Access::Read, Create::Never);

    /// Returns options that refuse symbolic links.
    #[must_use]
    pub const fn new(access: Access, create: Create) -> Self {
        Self {
            access,
            create,
            follows_links: false,
        }
    }

    /// Returns these options for a file that may be a symbolic link.
    #[must_use]
    pub const fn following_links(self) -> Self {
        Self {
            follows_links: true,
            ..self
        }
    }
}

/// Forces the name of a file or folder onto the disk. The name counts as safe if the
/// process may not read the folder that it is in: another user made it.
///
/// # Errors
/// The disk reports a loss.
pub(crate) fn sync_name(system: &dyn System, path: &Path) -> io::Result<()> {
    let parent = path.parent();
    let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
    match system.sync_folder(parent.unwrap_or(Path::new("."))) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Returns milliseconds as an integer.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns `Ok` if the only error is that the file is missing.
pub fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
