//! Loaders for files of this machine and for files in memory.

use std::{collections::BTreeMap, io::Read};

use bstr::ByteSlice;

use crate::load::{
    glob,
    loader::{LoadError, LoadErrorKind, Loader, to_path},
};

/// Files by name, in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Memory {
    /// Creates a loader without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
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

/// The files of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Loader for FileSystem {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        let file = std::fs::File::open(to_path(path)?)?;
        if file.metadata()?.is_dir() {
            return Err(LoadError::new(LoadErrorKind::IsDirectory, "is a directory"));
        }
        let mut text = Vec::new();
        // One byte more than allowed, to detect a longer file.
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

fn too_large() -> LoadError {
    LoadError::new(LoadErrorKind::TooLarge, "the file is too large")
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn check(path: &[u8], kind: LoadErrorKind, has_source: bool) {
        let error = FileSystem.read(path, 10).unwrap_err();
        assert_eq!((error.kind(), error.source().is_some()), (kind, has_source));
    }

    #[test]
    fn errors_say_why_there_is_no_text() {
        check(b"/no/such/file", LoadErrorKind::NotFound, true);
        check(b"/", LoadErrorKind::IsDirectory, false);
        check(b"/dev/null/x", LoadErrorKind::Unreadable, true);
        check(b"/proc/self/status", LoadErrorKind::TooLarge, false);
        check(b"a\0b", LoadErrorKind::Unreadable, true);
    }
}
