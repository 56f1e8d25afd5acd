//! Errors of spools.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// A spool that cannot be opened, read or written.
#[derive(Debug)]
pub struct SpoolError {
    kind: SpoolErrorKind,
    folder: PathBuf,
    source: io::Error,
}

/// What failed in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpoolErrorKind {
    /// Another queue has the spool.
    InUse,
    /// The folder or one of its files could not be opened.
    Open,
    /// A segment could not be read.
    Read,
    /// Payloads could not be written or forced onto the disk.
    Write,
    /// The position of the reader could not be saved.
    Settle,
}

impl SpoolError {
    pub(super) fn new(kind: SpoolErrorKind, folder: &Path, source: io::Error) -> Self {
        Self {
            kind,
            folder: folder.to_owned(),
            source,
        }
    }

    /// Returns what failed.
    #[must_use]
    pub const fn kind(&self) -> SpoolErrorKind {
        self.kind
    }

    /// Returns the folder of the spool.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the error of the system.
    #[must_use]
    pub const fn io_error(&self) -> &io::Error {
        &self.source
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, source) = (self.folder.display(), &self.source);
        match self.kind {
            SpoolErrorKind::InUse => {
                return write!(f, "the spool {folder} is in use by another queue");
            }
            SpoolErrorKind::Open => write!(f, "cannot open the spool {folder}")?,
            SpoolErrorKind::Read => write!(f, "cannot read the spool {folder}")?,
            SpoolErrorKind::Write => write!(f, "cannot write to the spool {folder}")?,
            SpoolErrorKind::Settle => {
                write!(f, "cannot save the position in the spool {folder}")?;
            }
        }
        write!(f, ": {source}")
    }
}

impl Error for SpoolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
