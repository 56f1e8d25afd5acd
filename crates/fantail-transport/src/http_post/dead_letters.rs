//! Payloads that a server refused for good, kept for somebody to look at.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// The file does not grow beyond this: whoever reads it has enough to see
/// what is wrong.
const LARGEST: u64 = 64 << 20;

/// A file with a payload a line.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: PathBuf,
    file: Option<File>,
}

impl DeadLetters {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Adds a payload. A file that cannot be written is no reason to stop:
    /// the payload counts as refused in any case.
    pub(super) fn keep(&mut self, payload: &[u8]) {
        if self.append(payload).is_err() {
            self.file = None;
        }
    }

    /// The file is opened anew for the next payload.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(
                OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .custom_flags(libc::O_NOFOLLOW)
                    .open(&self.path)?,
            ),
        };
        if file.metadata()?.len() >= LARGEST {
            return Ok(());
        }
        file.write_all(&[payload, b"\n"].concat())
    }
}
