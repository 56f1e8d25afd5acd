//! Where files come from.
//!
//! Reading a configuration does no I/O of its own: it asks a [`Loader`].
//! [`FileSystem`] is the one for real use, [`Memory`] the one for tests and
//! for texts that are no files. Names are bytes; a relative one is made
//! absolute (relative to the including file) before a loader is asked.

use std::{collections::BTreeMap, error::Error, fmt, io::Read};

use bstr::ByteSlice;

use crate::glob;

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

/// Files by name, in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Memory {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<Vec<u8>>, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Loader for Memory {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        match self.files.get(path) {
            None => Err(LoadError::new(LoadErrorKind::NotFound, "no such file")),
            Some(text) if text.len() > limit => Err(too_large()),
            Some(text) => Ok(text.clone()),
        }
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        let matches = |name: &&Vec<u8>| glob::matches_path(pattern, name);
        Ok(self.files.keys().filter(matches).cloned().collect())
    }
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Loader for FileSystem {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        let file = std::fs::File::open(to_path(path)?)?;
        if file.metadata()?.is_dir() {
            return Err(LoadError::new(LoadErrorKind::Other, "is a directory"));
        }
        let mut text = Vec::new();
        // One byte more than allowed, to tell a full file from a longer one.
        let allowed = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(allowed).read_to_end(&mut text)?;
        if text.len() > limit {
            return Err(too_large());
        }
        Ok(text)
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        glob::expand(pattern, &glob::Directories)
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        let value = std::env::var_os(name.to_os_str().ok()?)?;
        <[u8]>::from_os_str(&value).map(<[u8]>::to_vec)
    }
}

pub(crate) fn to_path(path: &[u8]) -> Result<&std::path::Path, LoadError> {
    path.to_path()
        .map_err(|_| LoadError::new(LoadErrorKind::Other, "the name is not one of this system"))
}

fn too_large() -> LoadError {
    LoadError::new(LoadErrorKind::TooLarge, "the file is too large")
}
