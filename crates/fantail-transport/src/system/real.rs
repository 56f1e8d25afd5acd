//! The system of programs.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    hash::{BuildHasher, RandomState},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt, fchown},
    path::Path,
    sync::OnceLock,
    time::{Instant, UNIX_EPOCH},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{Access, Create, OpenFile, System, SystemFile, millis};
use crate::{
    clock::unix_millis,
    regular_file::{open_regular, open_regular_or_link},
};

/// The operating system.
#[derive(Debug, Clone, Copy)]
pub struct RealSystem;

impl System for RealSystem {
    fn open(&self, path: &Path, options: OpenFile) -> io::Result<Box<dyn SystemFile>> {
        let mut opened = OpenOptions::new();
        match options.access {
            Access::Read => opened.read(true),
            Access::Write => opened.write(true),
            Access::ReadWrite => opened.read(true).write(true),
            Access::Append => opened.append(true),
        };
        match options.create {
            Create::Never => &mut opened,
            Create::Missing => opened.create(true).truncate(false).mode(0o600),
            Create::New => opened.create_new(true).mode(0o600),
        };
        let file = match options.follows_links {
            true => open_regular_or_link(&mut opened, path),
            false => open_regular(&mut opened, path),
        };
        Ok(Box::new(file?))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn create_folders(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn unix_millis(&self) -> u64 {
        unix_millis()
    }

    fn even_millis(&self) -> u64 {
        static CLOCK: OnceLock<EvenClock> = OnceLock::new();
        let clock = CLOCK.get_or_init(|| EvenClock {
            start_millis: unix_millis(),
            start: Instant::now(),
        });
        clock.at(Instant::now())
    }

    fn random(&self) -> u64 {
        RandomState::new().hash_one(0)
    }
}

impl SystemFile for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, at)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self;
        file.write(bytes)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match flock(self, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        fchown(self, user, group)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.set_permissions(Permissions::from_mode(mode))
    }

    fn created_millis(&self) -> Option<u64> {
        let created = self.metadata().ok()?.created().ok()?;
        Some(millis(created.duration_since(UNIX_EPOCH).ok()?))
    }
}

/// A time of day and the monotonic time at which it was read.
#[derive(Debug, Clone, Copy)]
struct EvenClock {
    start_millis: u64,
    start: Instant,
}

impl EvenClock {
    fn at(self, now: Instant) -> u64 {
        let elapsed = millis(now.saturating_duration_since(self.start));
        self.start_millis.saturating_add(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_even_clock_follows_monotonic_time_only() {
        let start = Instant::now();
        // The time of day of this clock is far from that of the system.
        let clock = EvenClock {
            start_millis: 5_000,
            start,
        };
        assert_eq!(clock.at(start), 5_000);
        assert_eq!(clock.at(start + Duration::from_millis(7)), 5_007);
        assert!(RealSystem.even_millis().abs_diff(unix_millis()) < 60_000);
    }
}
