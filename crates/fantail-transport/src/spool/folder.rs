//! The folder of a spool.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::segment;
use crate::regular_file::open_regular;

/// Creates the folder if it is missing, and locks it as long as the returned
/// file is open. The kernel releases the lock of a killed process.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let file = open_regular(options.mode(0o600), &folder.join("lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another queue has the lock",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Returns the numbers of the segments in the folder, in order.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.extend(entry?.file_name().to_str().and_then(segment::number));
    }
    found.sort_unstable();
    Ok(found)
}

/// Forces the entries of the folder onto the disk.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
