//! The open file: what it ends with, and what of it is on the disk.

use std::{
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use super::settings::{FileSettings, Rotation};
use crate::{
    TransportError,
    spool::Fsync,
    system::{Access, Create, OpenFile, System, SystemFile, sync_name},
};

/// The open file.
#[derive(Debug)]
pub(super) struct Open {
    system: &'static dyn System,
    file: Box<dyn SystemFile>,
    path: PathBuf,
    /// Bytes of the file, without those of other programs since it was opened.
    size: u64,
    /// Unix time in milliseconds at which the file was begun.
    begun: u64,
    /// Whether the file ends, or may end, in the middle of a line.
    torn: bool,
    synced: Instant,
    /// Whether the name of the file is on the disk.
    has_safe_name: bool,
    /// Whether folders above the file may be new.
    creates_folders: bool,
}

impl Open {
    /// Opens the file, and creates it if it is missing.
    pub(super) fn new(
        system: &'static dyn System,
        settings: &FileSettings,
        follows_links: bool,
    ) -> Result<Self, TransportError> {
        if settings.create_folders
            && let Some(folder) = settings.path.parent()
        {
            let created = system.create_folders(folder);
            created.map_err(|error| TransportError::opening(folder, error))?;
        }
        Self::open_file(system, settings, follows_links)
            .map_err(|error| TransportError::opening(&settings.path, error))
    }

    fn open_file(
        system: &'static dyn System,
        settings: &FileSettings,
        follows_links: bool,
    ) -> io::Result<Self> {
        let path = &settings.path;
        let file = match follows_links {
            true => {
                let options = OpenFile::new(Access::Append, Create::Missing);
                system.open(path, options.following_links())?
            }
            false => settings.access.open_or_create(system, path)?,
        };
        let size = file.size()?;
        let begun = file.created_millis().filter(|_| size > 0);
        Ok(Self {
            torn: size > 0 && ends_torn(system, path, size),
            size,
            begun: begun.unwrap_or_else(|| system.unix_millis()),
            creates_folders: settings.create_folders,
            ..Self::empty(system, path, file)
        })
    }

    /// Returns a file that was just created.
    pub(super) fn empty(
        system: &'static dyn System,
        path: &Path,
        file: Box<dyn SystemFile>,
    ) -> Self {
        Self {
            system,
            file,
            path: path.to_owned(),
            size: 0,
            begun: system.unix_millis(),
            torn: false,
            synced: system.now(),
            has_safe_name: false,
            creates_folders: false,
        }
    }

    /// Returns whether the file is rotated before bytes are written.
    pub(super) fn is_due(&self, rotation: &Rotation, bytes: u64, now: u64) -> bool {
        rotation.is_due(self.size, bytes, self.begun, now)
    }

    /// Appends lines. Returns how many bytes were written and the error that
    /// stopped it.
    pub(super) fn append(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        if self.torn {
            match self.write(b"\n") {
                (1, None) => self.torn = false,
                (_, error) => return (0, error),
            }
        }
        self.write(lines)
    }

    fn write(&mut self, bytes: &[u8]) -> (usize, Option<io::Error>) {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.append(rest) {
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
    pub(super) fn take_back(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let whole = self.size.saturating_sub(bytes as u64);
        let alone = self.file.size().is_ok_and(|found| found == self.size);
        if alone && self.file.set_size(whole).is_ok() {
            self.size = whole;
        } else {
            self.torn = true;
        }
    }

    /// Forces the lines onto the disk, if the settings say so.
    pub(super) fn sync_if_due(&mut self, fsync: Fsync) -> io::Result<()> {
        let now = self.system.now();
        let due = match fsync {
            Fsync::Never => false,
            Fsync::Interval(interval) => now.saturating_duration_since(self.synced) >= interval,
            Fsync::Always => true,
        };
        match due {
            true => self.sync(),
            false => Ok(()),
        }
    }

    /// Forces the lines and the name of the file onto the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.synced = self.system.now();
        if let Err(error) = self.file.sync() {
            // The disk may have lost the last lines with their ends.
            self.torn = self.size > 0;
            return Err(error);
        }
        if !self.has_safe_name {
            self.sync_names()?;
            self.has_safe_name = true;
        }
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let names = self
            .path
            .ancestors()
            .filter(|path| path.file_name().is_some());
        let count = if self.creates_folders { usize::MAX } else { 1 };
        names
            .take(count)
            .try_for_each(|path| sync_name(self.system, path))
    }
}

/// Returns whether a file ends, or may end, in the middle of a line; `false` if the
/// process may not read the file.
fn ends_torn(system: &dyn System, path: &Path, size: u64) -> bool {
    let mut last = *b"\n";
    let read = system
        .open(path, OpenFile::READ.following_links())
        .and_then(|file| file.fill_at(&mut last, size - 1));
    match read {
        Ok(read) => read == 1 && last != *b"\n",
        Err(error) => error.kind() != io::ErrorKind::PermissionDenied,
    }
}
