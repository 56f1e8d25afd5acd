//! Lines appended to a file.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::settings::{FileSettings, PRIVATE};
use crate::{
    Delivery, Payloads, Transport, TransportError, clock::unix_millis,
    regular_file::open_regular_or_link, spool::Fsync,
};

/// Bytes that [`Transport::send`] buffers.
const MAX_HELD_BYTES: usize = 64 * 1024;

/// Delay after a failed rotation.
const ROTATION_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Appends each payload and a LF to a file, as the driver `file` of Dovecot 2.4.
/// A symbolic link is refused.
#[derive(Debug)]
pub struct FileTransport {
    settings: FileSettings,
    /// Whether the file may be a symbolic link.
    follows_links: bool,
    /// `None` while the file cannot be opened.
    open: Option<Open>,
    /// Buffered lines.
    held_back: Vec<u8>,
    rotate_again: Option<Instant>,
    /// Error of a failed rotation, reported with the next batch.
    complaint: Option<TransportError>,
}

/// The open file.
#[derive(Debug)]
struct Open {
    file: File,
    /// Bytes of the file, without those of other programs since it was opened.
    size: u64,
    /// Unix time in milliseconds at which the file was begun.
    begun: u64,
    /// Whether the file ends in the middle of a line.
    torn: bool,
    synced: Instant,
}

impl FileTransport {
    /// Opens a file with default settings.
    ///
    /// # Errors
    /// The file cannot be opened for appending, or is a symbolic link.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TransportError> {
        Self::with_settings(FileSettings::new(path))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As for [`open`](Self::open), or a parent folder cannot be created.
    pub fn with_settings(settings: FileSettings) -> Result<Self, TransportError> {
        let mut file = Self::new(settings);
        file.open_target()?;
        Ok(file)
    }

    /// Returns a transport for a log of Dovecot, which may be a symbolic link.
    pub(crate) const fn following_links(settings: FileSettings) -> Self {
        let mut file = Self::new(settings);
        file.follows_links = true;
        file
    }

    /// Returns a transport that opens its file with
    /// [`open_target`](Transport::open_target) or the first payload.
    #[must_use]
    pub const fn new(settings: FileSettings) -> Self {
        Self {
            open: None,
            follows_links: false,
            settings,
            held_back: Vec::new(),
            rotate_again: None,
            complaint: None,
        }
    }

    /// Rotates the file if that is due, and returns the open file.
    fn prepare(&mut self, bytes: usize) -> Result<&mut Open, TransportError> {
        if let Some(open) = &self.open
            && self
                .rotate_again
                .is_none_or(|again| again <= Instant::now())
            && self
                .settings
                .rotation
                .is_due(open.size, bytes as u64, open.begun)
        {
            // The new file is complete before the old one is renamed, so a failed
            // rotation loses no line.
            let FileSettings {
                path,
                access,
                rotation,
                ..
            } = &self.settings;
            match rotation.rotate(path, |new| access.create(new)) {
                Ok(file) => self.open = Some(Open::empty(file)),
                Err(error) => {
                    self.rotate_again = Some(Instant::now() + ROTATION_RETRY_DELAY);
                    self.complaint = Some(TransportError::opening(path, error));
                }
            }
        }
        self.open_target()?;
        let missing = || io::ErrorKind::NotFound.into();
        let path = &self.settings.path;
        self.open
            .as_mut()
            .ok_or_else(|| TransportError::opening(path, missing()))
    }

    /// Writes lines. Returns how many bytes of whole lines were written and the
    /// error that stopped it.
    fn write(&mut self, lines: &[u8]) -> (usize, Option<TransportError>) {
        let fsync = self.settings.fsync;
        let open = match self.prepare(lines.len()) {
            Ok(open) => open,
            Err(error) => return (0, Some(error)),
        };
        match open.append(lines) {
            (written, None) => match open.sync(fsync) {
                Ok(()) => (written, None),
                Err(error) => (0, Some(TransportError::writing(error))),
            },
            (written, Some(error)) => {
                let whole = lines.split_at(written).0;
                let whole = memchr::memrchr(b'\n', whole).map_or(0, |at| at + 1);
                open.take_back(written - whole);
                (whole, Some(TransportError::writing(error)))
            }
        }
    }
}

impl Transport for FileTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        push_line(&mut self.held_back, payload);
        if self.held_back.len() >= MAX_HELD_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        let mut lines = std::mem::take(&mut self.held_back);
        let (_, error) = self.write(&lines);
        lines.clear();
        self.held_back = lines;
        error.map_or(Ok(()), Err)
    }

    fn confirms(&self) -> bool {
        self.settings.fsync == Fsync::Always
    }

    /// Lines that were written before an error count as arrived.
    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let mut delivery = Delivery::new();
        if let Err(error) = self.flush() {
            delivery.stopped(error);
            return delivery;
        }
        let mut lines = std::mem::take(&mut self.held_back);
        for payload in payloads.iter() {
            push_line(&mut lines, payload);
        }
        let (written, error) = self.write(&lines);
        lines.clear();
        self.held_back = lines;
        match error {
            None => {
                delivery.arrived(payloads.len());
                if let Some(complaint) = self.complaint.take() {
                    delivery.stopped(complaint);
                }
            }
            Some(error) => {
                delivery.arrived(lines_within(payloads, written));
                delivery.stopped(error);
            }
        }
        delivery
    }

    fn open_target(&mut self) -> Result<(), TransportError> {
        if self.open.is_none() {
            self.open = Some(open(&self.settings, self.follows_links)?);
        }
        Ok(())
    }

    /// Writes buffered lines to the old file first.
    fn reopen(&mut self) -> Result<(), TransportError> {
        let flushed = self.flush();
        // Without a new file, the old one stays open.
        self.open = Some(open(&self.settings, self.follows_links)?);
        flushed
    }
}

impl Open {
    fn empty(file: File) -> Self {
        Self {
            file,
            size: 0,
            begun: unix_millis(),
            torn: false,
            synced: Instant::now(),
        }
    }

    /// Appends lines. Returns how many bytes were written and the error that
    /// stopped it.
    fn append(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        if self.torn {
            match self.file.write_all(b"\n") {
                Ok(()) => (self.torn, self.size) = (false, self.size + 1),
                Err(error) => return (0, Some(error)),
            }
        }
        let mut written = 0;
        while let Some(rest) = lines.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    written += count;
                    self.size += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Some(error)),
            }
        }
        (written, None)
    }

    /// Removes a partial line. If another program has written after it, the line
    /// is ended later instead.
    fn take_back(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let whole = self.size.saturating_sub(bytes as u64);
        let alone = self
            .file
            .metadata()
            .is_ok_and(|found| found.len() == self.size);
        if alone && self.file.set_len(whole).is_ok() {
            self.size = whole;
        } else {
            self.torn = true;
        }
    }

    fn sync(&mut self, fsync: Fsync) -> io::Result<()> {
        let due = match fsync {
            Fsync::Never => false,
            Fsync::Interval(interval) => self.synced.elapsed() >= interval,
            Fsync::Always => true,
        };
        if due {
            self.synced = Instant::now();
            self.file.sync_data()?;
        }
        Ok(())
    }
}

fn push_line(lines: &mut Vec<u8>, payload: &[u8]) {
    lines.extend_from_slice(payload);
    lines.push(b'\n');
}

/// Returns how many payloads are whole in `bytes` bytes of lines.
fn lines_within(payloads: Payloads<'_>, mut bytes: usize) -> usize {
    let fits = |payload: &&[u8]| {
        let left = bytes.checked_sub(payload.len() + 1);
        bytes = left.unwrap_or(0);
        left.is_some()
    };
    payloads.iter().take_while(fits).count()
}

fn open(settings: &FileSettings, follows_links: bool) -> Result<Open, TransportError> {
    if settings.create_folders
        && let Some(folder) = settings.path.parent()
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| TransportError::opening(folder, error))?;
    }
    open_file(settings, follows_links)
        .map_err(|error| TransportError::opening(&settings.path, error))
}

fn open_file(settings: &FileSettings, follows_links: bool) -> io::Result<Open> {
    let path = &settings.path;
    let file = match follows_links {
        true => open_link(path)?,
        false => settings.access.open_or_create(path)?,
    };
    let found = file.metadata()?;
    let size = found.len();
    let begun = found.created().ok().filter(|_| size > 0);
    let begun = begun.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let begun = begun.and_then(|time| u64::try_from(time.as_millis()).ok());
    Ok(Open {
        torn: size > 0 && ends_torn(path, size),
        size,
        begun: begun.unwrap_or_else(unix_millis),
        ..Open::empty(file)
    })
}

fn open_link(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.append(true).create(true).mode(PRIVATE);
    open_regular_or_link(options, path)
}

/// Returns whether a file ends in the middle of a line; `false` if the file is
/// not readable.
fn ends_torn(path: &Path, size: u64) -> bool {
    let file = open_regular_or_link(OpenOptions::new().read(true), path);
    let mut last = *b"\n";
    file.is_ok_and(|file| file.read_exact_at(&mut last, size - 1).is_ok()) && last != *b"\n"
}
