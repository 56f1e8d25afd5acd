//! Standard error and other streams that a log is written to.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd as _, unix::fs::OpenOptionsExt as _},
    path::PathBuf,
};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};

use super::LogTransport;

/// Bytes of several lines in one write to a file. Writes to files are not
/// interleaved; larger ones save nothing.
const FILE_WRITE_BYTES: usize = 64 * 1024;

/// A stream with a descriptor of its own, opened by the first write. A blocked
/// write to standard error does not hold the lock of [`io::stderr`], which the
/// rest of the program needs.
#[derive(Debug)]
pub(crate) struct LogStream {
    /// `None` for standard error.
    path: Option<PathBuf>,
    file: Option<File>,
}

impl LogTransport<LogStream> {
    /// Returns a log on a stream. Writes are larger if that is a file.
    pub(crate) fn on(mut stream: LogStream) -> Self {
        let is_file = stream.is_file();
        let log = Self::new(stream);
        if is_file {
            log.at_once(FILE_WRITE_BYTES)
        } else {
            log
        }
    }
}

impl LogStream {
    pub(super) const fn standard_error() -> Self {
        Self {
            path: None,
            file: None,
        }
    }

    pub(super) const fn file(path: PathBuf) -> Self {
        Self {
            path: Some(path),
            file: None,
        }
    }

    /// Opens the stream and returns whether it is a regular file.
    pub(super) fn is_file(&mut self) -> bool {
        let file = self.open();
        let known = file.and_then(|file| Ok(fstat(file)?));
        known.is_ok_and(|known| FileType::from_raw_mode(known.st_mode).is_file())
    }

    fn open(&mut self) -> io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                let file = match &self.path {
                    None => io::stderr().as_fd().try_clone_to_owned()?.into(),
                    Some(path) => {
                        // A FIFO without a reader is an error and no wait; writes
                        // wait as usual.
                        let mut options = OpenOptions::new();
                        options.append(true).custom_flags(libc::O_NONBLOCK);
                        let file = options.open(path)?;
                        let flags = fcntl_getfl(&file)?;
                        fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
                        file
                    }
                };
                Ok(none.insert(file))
            }
        }
    }
}

impl Write for LogStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
