//! `file`: appended to a file.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use crate::{Transport, TransportError};

/// Appends each payload and a LF to a file, as 2.4's `file` driver does: made
/// with mode 0600 if it is not there, and refused if it is a symbolic link.
#[derive(Debug)]
pub struct FileTransport {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl FileTransport {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be opened for appending, or is a symbolic link.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TransportError> {
        let path = path.into();
        let writer = open(&path)?;
        Ok(Self { path, writer })
    }
}

fn open(path: &std::path::Path) -> Result<BufWriter<File>, TransportError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map(BufWriter::new)
        .map_err(TransportError::opening)
}

impl Transport for FileTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.writer
            .write_all(payload)
            .and_then(|()| self.writer.write_all(b"\n"))
            .map_err(TransportError::writing)
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        self.writer.flush().map_err(TransportError::writing)
    }

    /// What was held back goes to the old file first.
    fn reopen(&mut self) -> Result<(), TransportError> {
        self.flush()?;
        self.writer = open(&self.path)?;
        Ok(())
    }
}
