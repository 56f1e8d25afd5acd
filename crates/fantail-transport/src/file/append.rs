//! Lines appended to a file.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{open::Open, settings::FileSettings};
use crate::{
    Delivery, Payloads, Transport, TransportError,
    spool::Fsync,
    system::{REAL, System},
};

/// Bytes that [`Transport::send`] buffers.
const MAX_HELD_BYTES: usize = 64 * 1024;

/// Delay after a failed rotation.
const ROTATION_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Appends each payload and a LF to a file, as the driver `file` of Dovecot 2.4.
/// A symbolic link is refused.
#[derive(Debug)]
pub struct FileTransport {
    system: &'static dyn System,
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
    #[cfg(feature = "syslog")]
    pub(crate) const fn following_links(settings: FileSettings) -> Self {
        let mut file = Self::new(settings);
        file.follows_links = true;
        file
    }

    /// Returns a transport that opens its file with
    /// [`open_target`](Transport::open_target) or the first payload.
    #[must_use]
    pub const fn new(settings: FileSettings) -> Self {
        Self::on(&REAL, settings)
    }

    /// Returns a transport for a file on a system.
    #[doc(hidden)]
    #[must_use]
    pub const fn on(system: &'static dyn System, settings: FileSettings) -> Self {
        Self {
            system,
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
        if self.rotation_is_due(bytes)
            && let Err(error) = self.rotate()
        {
            self.rotate_again = Some(self.system.now() + ROTATION_RETRY_DELAY);
            self.complaint = Some(TransportError::opening(&self.settings.path, error));
        }
        self.open_target()?;
        let missing = || io::ErrorKind::NotFound.into();
        let path = &self.settings.path;
        self.open
            .as_mut()
            .ok_or_else(|| TransportError::opening(path, missing()))
    }

    fn rotation_is_due(&self, bytes: usize) -> bool {
        let system = self.system;
        let rests = self.rotate_again.is_some_and(|again| again > system.now());
        let rotation = &self.settings.rotation;
        let is_due = |open: &Open| open.is_due(rotation, bytes as u64, system.unix_millis());
        !rests && self.open.as_ref().is_some_and(is_due)
    }

    /// Replaces the file by a new one, which is complete before the old one is
    /// renamed: a failed rotation loses no line.
    fn rotate(&mut self) -> io::Result<()> {
        self.leave_file()?;
        let (system, settings) = (self.system, &self.settings);
        let create = |new: &_| settings.access.create(system, new);
        let file = settings.rotation.rotate(system, &settings.path, create)?;
        self.open = Some(Open::empty(system, &settings.path, file));
        Ok(())
    }

    /// Forces written lines onto the disk, if that is left to do, before another file
    /// is opened.
    fn leave_file(&mut self) -> io::Result<()> {
        match &mut self.open {
            Some(open) if self.settings.fsync != Fsync::Never => open.sync(),
            _ => Ok(()),
        }
    }

    /// Writes lines. Returns how many bytes of whole lines were written and the
    /// error that stopped it.
    fn write(&mut self, lines: &[u8]) -> (usize, Option<TransportError>) {
        let fsync = self.settings.fsync;
        let open = match self.prepare(lines.len()) {
            Ok(open) => open,
            Err(error) => return (0, Some(error)),
        };
        let (written, error) = open.append(lines);
        let whole = match error {
            None => written,
            Some(_) => {
                let whole = lines.split_at(written).0;
                let whole = memchr::memrchr(b'\n', whole).map_or(0, |at| at + 1);
                open.take_back(written - whole);
                whole
            }
        };
        match open.sync_if_due(fsync) {
            Ok(()) => (whole, error.map(TransportError::writing)),
            Err(error) => (0, Some(TransportError::writing(error))),
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
            let links = self.follows_links;
            self.open = Some(Open::new(self.system, &self.settings, links)?);
        }
        Ok(())
    }

    /// Writes buffered lines to the old file first.
    fn reopen(&mut self) -> Result<(), TransportError> {
        let flushed = self.flush();
        let synced = self.leave_file().map_err(TransportError::writing);
        // Without a new file, the old one stays open.
        let links = self.follows_links;
        self.open = Some(Open::new(self.system, &self.settings, links)?);
        flushed.and(synced)
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
