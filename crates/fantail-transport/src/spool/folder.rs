//! The folder of a spool.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Fsync, SpoolError, SpoolErrorKind};
use crate::system::{Access, Create, OpenFile, System, SystemFile, sync_name};

/// Ending of the names of segments.
const EXTENSION: &str = ".spool";

/// The folder, and the system that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) system: &'static dyn System,
    pub(super) path: PathBuf,
    /// Whether the spool is to survive a power loss.
    pub(super) is_durable: bool,
}

impl Folder {
    pub(super) fn new(system: &'static dyn System, path: &Path, fsync: Fsync) -> Self {
        Self {
            system,
            path: path.to_owned(),
            is_durable: fsync != Fsync::Never,
        }
    }

    /// Creates the folder if it is missing, and locks it as long as the returned
    /// file is open. The kernel releases the lock of a killed process.
    pub(super) fn lock(&self) -> io::Result<Arc<dyn SystemFile>> {
        match self.system.create_folder(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => self.sync_parent()?,
        }
        let file = self.open("lock", OpenFile::new(Access::Write, Create::Missing))?;
        match file.try_lock()? {
            true => Ok(file.into()),
            false => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another queue has the lock",
            )),
        }
    }

    /// Opens a file of the folder.
    pub(super) fn open(&self, name: &str, options: OpenFile) -> io::Result<Box<dyn SystemFile>> {
        self.system.open(&self.path.join(name), options)
    }

    /// Returns the numbers of the segments in the folder, in order.
    pub(super) fn segments(&self) -> io::Result<Vec<u64>> {
        let names = self.system.list(&self.path)?;
        let numbers = names.iter().filter_map(|name| number(name.to_str()?));
        let mut found: Vec<u64> = numbers.collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Returns the path of a segment.
    pub(super) fn segment(&self, segment: u64) -> PathBuf {
        self.path.join(format!("{segment:016x}{EXTENSION}"))
    }

    /// Removes a segment.
    pub(super) fn remove_segment(&self, segment: u64) -> io::Result<()> {
        self.system.remove(&self.segment(segment))
    }

    /// Forces the entries of the folder onto the disk, if the spool is to survive
    /// a power loss.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.is_durable {
            true => self.system.sync_folder(&self.path),
            false => Ok(()),
        }
    }

    /// Forces the entry of the folder itself onto the disk. An earlier process may
    /// have created the folder and not done it.
    fn sync_parent(&self) -> io::Result<()> {
        if !self.is_durable {
            return Ok(());
        }
        sync_name(self.system, &self.path)
    }

    pub(super) fn error(&self, kind: SpoolErrorKind, source: io::Error) -> SpoolError {
        SpoolError::new(kind, &self.path, source)
    }
}

/// Returns the number of the segment with this file name.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    (format!("{number:016x}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Folder, Fsync, number};
    use crate::system::REAL;

    #[test]
    fn names_are_numbers() {
        let check = |name: &str, expected| assert_eq!(number(name), expected, "{name}");
        check("0000000000000000.spool", Some(0));
        check("00000000000000ff.spool", Some(255));
        check("00000000000000FF.spool", None);
        check("ff.spool", None);
        check("+000000000000001.spool", None);
        check("cursor", None);
        let folder = Folder::new(&REAL, "/folder".as_ref(), Fsync::Never);
        let path = folder.segment(u64::MAX);
        assert_eq!(path.to_str(), Some("/folder/ffffffffffffffff.spool"));
    }
}
