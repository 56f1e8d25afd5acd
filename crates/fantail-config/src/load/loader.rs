//! Where files come from.
//!
//! Reading a configuration does no I/O of its own: it asks a [`Loader`]. Names are bytes; a relative one is made
//! absolute (relative to the including file) before a loader is asked.

use std::{error::Error, fmt};

use bstr::ByteSlice;

use crate::diagnostic::code::Code;

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

/// Why a loader has no file to give.
#[derive(Debug)]
pub struct LoadError {
    kind: LoadErrorKind,
    message: String,
    source: Option<std::io::Error>,
}

/// The kind of a [`LoadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// There is no such file.
    NotFound,
    /// The file is larger than allowed, or a pattern matches too many files.
    TooLarge,
    /// The path names a directory.
    IsDirectory,
    /// The system has no files of such a name.
    BadName,
    /// The system refuses to open, read or list it.
    Unreadable,
    /// A reason of the loader's own.
    Other,
}

impl LoadError {
    /// Returns an error with a message of the loader's own.
    #[must_use]
    pub fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Returns what kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }
}

impl LoadErrorKind {
    /// Returns the code under which a reader reports it.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::NotFound => Code::FileNotFound,
            Self::TooLarge => Code::TooLarge,
            Self::IsDirectory | Self::BadName | Self::Unreadable | Self::Other => {
                Code::FileUnreadable
            }
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref();
        source.map(|error| error as &(dyn Error + 'static))
    }
}

impl From<std::io::Error> for LoadError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => LoadErrorKind::NotFound,
            _ => LoadErrorKind::Unreadable,
        };
        Self {
            kind,
            message: error.to_string(),
            source: Some(error),
        }
    }
}

pub(crate) fn to_path(path: &[u8]) -> Result<&std::path::Path, LoadError> {
    let message = "this system has no files of such a name";
    path.to_path()
        .map_err(|_| LoadError::new(LoadErrorKind::BadName, message))
}
