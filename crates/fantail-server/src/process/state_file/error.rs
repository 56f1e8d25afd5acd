//! Errors of state files.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// A state file that cannot be read or written.
#[derive(Debug)]
pub struct StateFileError {
    kind: StateFileErrorKind,
    path: PathBuf,
    source: io::Error,
}

/// The kind of an error of a state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateFileErrorKind {
    /// The file could not be read.
    Read,
    /// The file could not be written.
    Write,
    /// The state is larger than a start reads.
    TooLarge,
    /// The file has no state, or a damaged one.
    NoState,
}

impl StateFileError {
    pub(super) fn new(kind: StateFileErrorKind, path: &Path, source: io::Error) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            source,
        }
    }

    /// Returns what failed.
    #[must_use]
    pub const fn kind(&self) -> StateFileErrorKind {
        self.kind
    }

    /// Returns the path of the state file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for StateFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, source) = (self.path.display(), &self.source);
        match self.kind {
            StateFileErrorKind::Read => write!(f, "cannot read {path}: {source}"),
            StateFileErrorKind::Write => write!(f, "cannot write {path}: {source}"),
            StateFileErrorKind::TooLarge | StateFileErrorKind::NoState => {
                write!(f, "{path}: {source}")
            }
        }
    }
}

impl Error for StateFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
