//! Loaders: the source of files.
//!
//! Loading does no I/O itself: it calls a [`Loader`]. Names are bytes; a
//! relative name is converted to an absolute one (relative to the including
//! file) before a loader gets it.

use std::{error::Error, fmt};

use bstr::ByteSlice;

use crate::diagnostic::code::Code;

/// Opens files and lists them.
///
/// ```
/// use fantail_config::{LoadError, LoadOptions, Loader, load};
///
/// /// Every file has the same content.
/// struct Same;
///
/// impl Loader for Same {
///     fn read(&self, _path: &[u8], _limit: usize) -> Result<Vec<u8>, LoadError> {
///         Ok(b"metric logins {\n  filter = event=login\n}\n".to_vec())
///     }
///     fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
///         Ok(vec![pattern.to_vec()])
///     }
/// }
///
/// let loaded = load(b"/etc/dovecot/dovecot.conf", &Same, &LoadOptions::default());
/// assert_eq!(loaded.settings.metrics.len(), 1);
/// ```
pub trait Loader {
    /// Returns the bytes of a file.
    ///
    /// # Errors
    /// The file does not exist, has more than `limit` bytes, or cannot be read.
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError>;

    /// Returns the files that match a pattern with `*`, `?` and `[…]`, in
    /// ascending order of their bytes. A pattern without these is a name, and
    /// gives that name if the file exists. No match is not an error.
    ///
    /// # Errors
    /// A directory cannot be listed.
    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError>;

    /// Returns the value of an environment variable, for `$ENV:name`. The
    /// default implementation has none.
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        _ = name;
        None
    }
}

/// An error of a loader.
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
    /// The file does not exist.
    NotFound,
    /// The file exceeds the limit, or a pattern matches too many files.
    TooLarge,
    /// The path is a directory.
    IsDirectory,
    /// The system does not allow the name.
    BadName,
    /// The system refuses to open, read or list the file.
    Unreadable,
    /// Another reason of the loader.
    Other,
}

impl LoadError {
    /// Returns an error with a message.
    #[must_use]
    pub fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }
}

impl LoadErrorKind {
    /// Returns the code of the diagnostic.
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
