//! Headers from files, so that neither process lists nor configurations show
//! credentials, and a new token needs no restart.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::TransportError;

/// Interval at which the files are read again.
const REREAD_INTERVAL: Duration = Duration::from_secs(5);

/// Bytes of the largest file.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The files and the headers from them.
#[derive(Debug)]
pub(super) struct Credentials {
    token: Option<PathBuf>,
    headers: Option<PathBuf>,
    read: Option<Instant>,
    known: Vec<(String, String)>,
}

impl Credentials {
    pub(super) fn new(token: Option<PathBuf>, headers: Option<PathBuf>) -> Self {
        Self {
            token,
            headers,
            read: None,
            known: Vec::new(),
        }
    }

    /// Returns names and values of the headers.
    pub(super) fn headers(&mut self) -> Result<&[(String, String)], TransportError> {
        let fresh = self
            .read
            .is_some_and(|read| read.elapsed() < REREAD_INTERVAL);
        if !fresh && (self.token.is_some() || self.headers.is_some()) {
            self.known = self.read()?;
            self.read = Some(Instant::now());
        }
        Ok(&self.known)
    }

    /// Makes the files be read again before the next request.
    pub(super) fn forget(&mut self) {
        self.read = None;
    }

    fn read(&self) -> Result<Vec<(String, String)>, TransportError> {
        let mut found = Vec::new();
        if let Some(path) = &self.token {
            let token = text(path)?;
            found.push((
                "Authorization".to_owned(),
                format!("Bearer {}", token.trim()),
            ));
        }
        if let Some(path) = &self.headers {
            let text = text(path)?;
            let lines = text.lines().map(str::trim);
            for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let Some((name, value)) = line.split_once(':') else {
                    let error = io::Error::other("expected lines of the form `Name: value`");
                    return Err(TransportError::opening(path, error));
                };
                found.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(found)
    }
}

fn text(path: &Path) -> Result<String, TransportError> {
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
    read.map(|_| text)
        .map_err(|error| TransportError::opening(path, error))
}
