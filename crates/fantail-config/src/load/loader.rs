//! Where files come from.
//!
//! Reading a configuration does no I/O of its own: it asks a [`Loader`]. Names are bytes; a relative one is made
//! absolute (relative to the including file) before a loader is asked.

use std::{error::Error, fmt};

use bstr::ByteSlice;

/// Opens files and lists them.
pub trait Loader {
    /// The bytes of a file.
    ///
    /// # Errors
    /// There is none, it has more than `limit` bytes, or it cannot be read.
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError>;

    /// The files that a pattern with `*`, `?` and `[…]` stands for, in
    /// ascending order of their bytes. A pattern without these is a name, and
    /// gives that name if there is such a file. No match is not an error.
    ///
    /// # Errors
    /// The directories cannot be looked through.
    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError>;

    /// The value of an environment variable, for `$ENV:name`. Unless a loader
    /// says otherwise, there are none.
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        _ = name;
        None
    }
}

/// Why a file cannot be had.
#[derive(Debug)]
pub struct LoadError {
    kind: LoadErrorKind,
    message: String,
}

/// What kind of reason a [`LoadError`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// There is no such file.
    NotFound,
    /// The file is larger than allowed.
    TooLarge,
    /// Anything else.
    Other,
}

impl LoadError {
    /// An error with a message of the loader's own.
    #[must_use]
    pub fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for LoadError {}

impl From<std::io::Error> for LoadError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => LoadErrorKind::NotFound,
            _ => LoadErrorKind::Other,
        };
        Self::new(kind, error.to_string())
    }
}

pub(crate) fn to_path(path: &[u8]) -> Result<&std::path::Path, LoadError> {
    path.to_path()
        .map_err(|_| LoadError::new(LoadErrorKind::Other, "the name is not one of this system"))
}
