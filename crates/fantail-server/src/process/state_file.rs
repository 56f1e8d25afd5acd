//! The state file: counts that survive a restart.
//!
//! [`fantail_metrics::state`] defines the bytes. This module replaces the file as
//! a whole, so that a reader finds the old or the new state, also after a power
//! loss.

mod error;

use std::{
    io,
    path::{Path, PathBuf},
};

use fantail_metrics::state::{self, State};
use fantail_transport::internal::{Access, Create, OpenFile, REAL, System, SystemFile};

pub use self::error::{StateFileError, StateFileErrorKind};

/// Bytes of the largest state: that of a million series with a few values. A
/// larger file is neither written nor read.
const MAX_STATE_BYTES: u64 = 1 << 30;

/// Names that are tried for a new file, which left-overs may have.
const MAX_NAMES: u32 = 100;

/// A file with saved counts.
#[derive(Debug, Clone)]
pub struct StateFile {
    system: &'static dyn System,
    path: PathBuf,
    max_bytes: u64,
}

impl PartialEq for StateFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.max_bytes) == (&other.path, other.max_bytes)
    }
}

impl Eq for StateFile {}

impl StateFile {
    /// Returns the state file with this path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(&REAL, path)
    }

    /// Returns the state file with this path on a system.
    #[doc(hidden)]
    pub fn on(system: &'static dyn System, path: impl Into<PathBuf>) -> Self {
        Self {
            system,
            path: path.into(),
            max_bytes: MAX_STATE_BYTES,
        }
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the state; `None` if there is no file.
    ///
    /// # Errors
    /// The file is not a regular file, cannot be read, is too large, or has no
    /// state.
    pub fn read(&self) -> Result<Option<State>, StateFileError> {
        let bytes = match self.read_bytes() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| self.error(StateFileErrorKind::Read, error))?,
        };
        if bytes.len() as u64 > self.max_bytes {
            let most = format!("the file has more than {} bytes", self.max_bytes);
            return Err(self.error(StateFileErrorKind::TooLarge, io::Error::other(most)));
        }
        let state = state::read(&bytes);
        state
            .map(Some)
            .map_err(|error| self.error(StateFileErrorKind::NoState, io::Error::other(error)))
    }

    /// Replaces the file as a whole. Only its owner may read it.
    ///
    /// # Errors
    /// The state is larger than [`read`](Self::read) accepts, or the new file
    /// cannot be written. The old file stays.
    pub fn write(&self, bytes: &[u8]) -> Result<(), StateFileError> {
        if bytes.len() as u64 > self.max_bytes {
            let size = format!(
                "the state has {} bytes, and the next start would read at most {}; \
                 set a lower `series_total`",
                bytes.len(),
                self.max_bytes
            );
            return Err(self.error(StateFileErrorKind::TooLarge, io::Error::other(size)));
        }
        self.replace(bytes)
            .map_err(|error| self.error(StateFileErrorKind::Write, error))
    }

    /// Returns an error if [`write`](Self::write) could not create a file here.
    ///
    /// # Errors
    /// The folder is missing, or not writable.
    pub fn check_writable(&self) -> Result<(), StateFileError> {
        let checked = self
            .create_new()
            .and_then(|(path, _)| self.system.remove(&path));
        checked.map_err(|error| self.error(StateFileErrorKind::Write, error))
    }

    /// Removes files that killed processes have left; returns how many.
    ///
    /// # Errors
    /// The folder cannot be read, or a file not be removed.
    pub fn remove_left_overs(&self) -> Result<usize, StateFileError> {
        let removed = self.remove_unfinished();
        removed.map_err(|error| self.error(StateFileErrorKind::Write, error))
    }

    /// Renames the file to `FILE.unreadable`, so that it is not overwritten.
    ///
    /// # Errors
    /// The file cannot be renamed.
    pub fn put_aside(&self) -> Result<PathBuf, StateFileError> {
        let aside = self.named(".unreadable");
        let renamed = self.system.rename(&self.path, &aside);
        renamed.map_err(|error| self.error(StateFileErrorKind::Write, error))?;
        Ok(aside)
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let (new, file) = self.create_new()?;
        let written = file
            .write_all_at(bytes, 0)
            .and_then(|()| file.sync())
            .and_then(|()| self.system.rename(&new, &self.path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = self.system.remove(&new);
        }
        written?;
        self.system.sync_folder(self.folder())
    }

    /// Reads the file, or one byte more than it may have.
    fn read_bytes(&self) -> io::Result<Vec<u8>> {
        let options = OpenFile::READ.following_links();
        let file = self.system.open(&self.path, options)?;
        let size = file.size()?.min(self.max_bytes + 1);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        let read = file.fill_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Creates a file beside the state file. Its name is that of no other file:
    /// saves at the same time do not share one.
    fn create_new(&self) -> io::Result<(PathBuf, Box<dyn SystemFile>)> {
        let process = std::process::id();
        let mut last = io::ErrorKind::AlreadyExists.into();
        for number in 0..MAX_NAMES {
            let path = self.named(&format!(".{process}.{number}.new"));
            let options = OpenFile::new(Access::Write, Create::New);
            match self.system.open(&path, options) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn remove_unfinished(&self) -> io::Result<usize> {
        let mut removed = 0;
        let folder = self.folder();
        for name in self.system.list(folder)? {
            if self.is_unfinished(&name) {
                self.system.remove(&folder.join(name))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Returns whether a file of this name is one of [`create_new`](Self::create_new),
    /// of this version or an earlier one, whose names had no number.
    fn is_unfinished(&self, name: &std::ffi::OsStr) -> bool {
        let own = self.path.file_name().unwrap_or_default();
        let middle = name
            .as_encoded_bytes()
            .strip_prefix(own.as_encoded_bytes())
            .and_then(|rest| rest.strip_prefix(b"."))
            .and_then(|rest| rest.strip_suffix(b".new"));
        middle.is_some_and(|middle| {
            let parts: Vec<_> = middle.split(|byte| *byte == b'.').collect();
            let digits = |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
            parts.len() <= 2 && parts.iter().all(digits)
        })
    }

    fn folder(&self) -> &Path {
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }

    /// A path in the same folder, so that a rename stays in one file system.
    fn named(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }

    fn error(&self, kind: StateFileErrorKind, source: io::Error) -> StateFileError {
        StateFileError::new(kind, &self.path, source)
    }
}

#[cfg(test)]
mod tests;
