//! `file`: appended to a file.
//!
//! Lines are whole, or they are not there: what a full disk cut off is taken
//! back, and a line that a sudden end cut off is closed before the next one.
//! The file is this transport's alone as far as rotation goes; other programs
//! may append to it, or move it away and ask for it to be reopened.

mod rotation;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{Delivery, Payloads, Transport, TransportError, clock::unix_millis, spool::Fsync};

pub use self::rotation::Rotation;

/// How many bytes [`Transport::send`] holds back at most.
const HELD_BACK: usize = 64 * 1024;

/// After a rotation that failed, the next one is tried so much later.
const ROTATE_AGAIN: Duration = Duration::from_secs(60);

/// Which file, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// The file.
    pub path: PathBuf,
    /// Whether missing folders above it are made, with mode 0700. Off by
    /// default.
    pub create_folders: bool,
    /// When the file is moved away for a new one; by default never.
    pub rotation: Rotation,
    /// When written lines are forced onto the disk; by default never. An
    /// interval is looked at when lines are written: after the last ones of a
    /// burst, the system decides. With [`Fsync::Always`] the transport
    /// [confirms](Transport::confirms) what it takes.
    pub fsync: Fsync,
}

impl FileSettings {
    /// This file, all else by default.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            create_folders: false,
            rotation: Rotation::default(),
            fsync: Fsync::Never,
        }
    }
}

/// Appends each payload and a LF to a file, as 2.4's `file` driver does: made
/// with mode 0600 if it is not there, and refused if it is a symbolic link.
#[derive(Debug)]
pub struct FileTransport {
    settings: FileSettings,
    /// `None` after it could not be opened again.
    open: Option<Open>,
    /// Lines that wait for a flush.
    held_back: Vec<u8>,
    rotate_again: Option<Instant>,
    /// Why a rotation failed, to be told with the next batch.
    complaint: Option<TransportError>,
}

/// The file as it is now.
#[derive(Debug)]
struct Open {
    file: File,
    /// Bytes in it, as far as is known here.
    size: u64,
    /// When it was begun, in Unix milliseconds.
    begun: u64,
    /// It ends in the middle of a line.
    torn: bool,
    synced: Instant,
}

impl FileTransport {
    /// Opens a file, with all other settings by default.
    ///
    /// # Errors
    /// It cannot be opened for appending, or is a symbolic link.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TransportError> {
        Self::with_settings(FileSettings::new(path))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As for [`open`](Self::open); or a folder cannot be made.
    pub fn with_settings(settings: FileSettings) -> Result<Self, TransportError> {
        let open = open(&settings).map_err(TransportError::opening)?;
        Ok(Self {
            settings,
            open: Some(open),
            held_back: Vec::new(),
            rotate_again: None,
            complaint: None,
        })
    }

    /// Moves the file away if it is time, and has a file open to write to.
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
            // The old file is written to until there is a new one: a failure
            // costs its size, and no line.
            let rotated = self.settings.rotation.rotate(&self.settings.path);
            let opened = rotated.and_then(|()| open_file(&self.settings));
            match opened {
                Ok(opened) => self.open = Some(opened),
                Err(error) => {
                    self.rotate_again = Some(Instant::now() + ROTATE_AGAIN);
                    self.complaint = Some(TransportError::opening(error));
                }
            }
        }
        if self.open.is_none() {
            let opened = open(&self.settings).map_err(TransportError::opening)?;
            self.open = Some(opened);
        }
        self.open
            .as_mut()
            .ok_or_else(|| TransportError::opening(io::ErrorKind::NotFound.into()))
    }

    /// Writes lines; returns how many bytes of whole lines are there, and why
    /// not all.
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
                let whole = lines.get(..written).unwrap_or_default();
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
        if self.held_back.len() >= HELD_BACK {
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

    /// What a full disk took of them is not sent again.
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

    /// What was held back goes to the old file first.
    fn reopen(&mut self) -> Result<(), TransportError> {
        let flushed = self.flush();
        // Writing goes on in the old file if there can be no new one.
        let opened = open(&self.settings).map_err(TransportError::opening)?;
        self.open = Some(opened);
        flushed
    }
}

impl Open {
    /// Appends lines; returns how many bytes were written, and why not all.
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

    /// Takes back what was written of a line that is not whole; unless
    /// somebody else has written behind it, then the line is closed later.
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

/// How many payloads are whole in so many bytes of lines.
fn lines_within(payloads: Payloads<'_>, mut bytes: usize) -> usize {
    let fits = |payload: &&[u8]| {
        let left = bytes.checked_sub(payload.len() + 1);
        bytes = left.unwrap_or(0);
        left.is_some()
    };
    payloads.iter().take_while(fits).count()
}

fn open(settings: &FileSettings) -> io::Result<Open> {
    if settings.create_folders
        && let Some(folder) = settings.path.parent()
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    open_file(settings)
}

fn open_file(settings: &FileSettings) -> io::Result<Open> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&settings.path)?;
    let found = file.metadata()?;
    let size = if found.is_file() { found.len() } else { 0 };
    let begun = found.created().ok().filter(|_| size > 0);
    let begun = begun.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let begun = begun.and_then(|time| u64::try_from(time.as_millis()).ok());
    Ok(Open {
        torn: size > 0 && ends_torn(&settings.path, size),
        file,
        size,
        begun: begun.unwrap_or_else(unix_millis),
        synced: Instant::now(),
    })
}

/// Whether a file ends in the middle of a line. One that may be written but
/// not read is taken for whole.
fn ends_torn(path: &Path, size: u64) -> bool {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let mut last = *b"\n";
    file.is_ok_and(|file| file.read_exact_at(&mut last, size - 1).is_ok()) && last != *b"\n"
}
