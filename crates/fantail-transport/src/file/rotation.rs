//! Rotation of files: when a file is renamed, and to which name.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use super::settings::Rotation;
use crate::system::{System, SystemFile, absent_is_fine};

impl Rotation {
    /// Returns whether a file that was begun at a Unix time in milliseconds is rotated
    /// before more is written.
    pub(super) fn is_due(&self, size: u64, coming: u64, begun: u64, now: u64) -> bool {
        let large = self
            .bytes
            .is_some_and(|most| size.saturating_add(coming) > most);
        let old = self
            .age
            .is_some_and(|age| u128::from(now.saturating_sub(begun)) >= age.as_millis());
        size > 0 && (large || old)
    }

    /// Renames the file and the old files, and puts a new file in its place.
    pub(super) fn rotate(
        &self,
        system: &dyn System,
        path: &Path,
        create: impl FnOnce(&Path) -> io::Result<Box<dyn SystemFile>>,
    ) -> io::Result<Box<dyn SystemFile>> {
        let new = beside(path);
        // Left by a crash.
        absent_is_fine(system.remove(&new))?;
        let file = create(&new)?;
        let renamed = self.make_room(system, path);
        match renamed.and_then(|()| system.rename(&new, path)) {
            Ok(()) => Ok(file),
            Err(error) => {
                let _ = system.remove(&new);
                Err(error)
            }
        }
    }

    /// Renames the files that are kept. Otherwise the new file replaces the old one.
    fn make_room(&self, system: &dyn System, path: &Path) -> io::Result<()> {
        if self.keep == 0 {
            return Ok(());
        }
        for number in (1..self.keep).rev() {
            let moved = system.rename(&numbered(path, number), &numbered(path, number + 1));
            absent_is_fine(moved)?;
        }
        absent_is_fine(system.rename(path, &numbered(path, 1)))
    }
}

/// Returns the name of a new file before it is in its place: hidden, so that a
/// program that reads `events*` does not find it.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}
