//! Files to check, including standard input.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use fantail::config::{FileSystem, LoadError, Loader};

use crate::exit::Failure;

/// The name of standard input.
const STANDARD_INPUT: &[u8] = b"-";

/// The file system, with standard input as the file `-`.
pub(super) struct Input {
    standard: Option<Vec<u8>>,
}

impl Input {
    /// Reads standard input if it is one of the files.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let dash = Path::new("-");
        if !files.iter().any(|file| file == dash) {
            return Ok(Self { standard: None });
        }
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        read.map_err(|error| Failure::file("read", dash, &error))?;
        Ok(Self {
            standard: Some(text),
        })
    }
}

impl Loader for Input {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        match &self.standard {
            Some(text) if path == STANDARD_INPUT && text.len() <= limit => Ok(text.clone()),
            _ => FileSystem.read(path, limit),
        }
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        FileSystem.expand(pattern)
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        FileSystem.environment(name)
    }
}
