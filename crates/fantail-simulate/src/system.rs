//! The calls of the simulated system.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use fantail_transport::internal::{Create, OpenFile, System, SystemFile};

use crate::{
    call::Call,
    disk::inode::{Inode, is_in_one_sector},
    fault::{Effect, Fault},
    world::{Luck, World, with},
};

/// The system of the machine of this thread.
#[derive(Debug, Clone, Copy)]
pub struct Simulated;

/// The simulated system.
pub static SIMULATED: Simulated = Simulated;

/// An open file.
#[derive(Debug)]
struct SimulatedFile {
    inode: usize,
    path: PathBuf,
    has_lock: AtomicBool,
}

/// Lets other threads of a model go on before a call.
fn before_call() {
    #[cfg(shuttle)]
    shuttle::thread::yield_now();
}

/// Draws the luck of a call that has no partial effect, and looks up the planted
/// fault. A call with luck is made; one during which the machine stops, perhaps.
fn call<R>(
    call: Call,
    path: &Path,
    make: impl FnOnce(&mut World, Option<Effect>) -> io::Result<R>,
) -> io::Result<R> {
    before_call();
    with(|world| {
        let effect = world.fault.and_then(|fault| fault.effect_on(call, path));
        let result = match world.luck(call) {
            Luck::Good | Luck::Short => make(world, effect),
            Luck::Fails(error) => Err(error),
            Luck::Stops => {
                if world.random.bool() {
                    _ = make(world, effect);
                }
                Err(io::Error::other("the machine stops"))
            }
        };
        world.note(|| {
            let outcome = match &result {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.to_string(),
            };
            format!("{call:?} {}: {outcome}", path.display())
        });
        result
    })
}

impl System for Simulated {
    fn open(&self, path: &Path, options: OpenFile) -> io::Result<Box<dyn SystemFile>> {
        let inode = call(Call::Open, path, |world, effect| {
            let created = world.unix_millis();
            if effect == Some(Effect::InPlace) {
                let old = path.with_file_name("state");
                return match world.disk.find(&old) {
                    Ok(inode) => {
                        world.disk.inode(inode)?.set_size(0);
                        Ok(inode)
                    }
                    Err(_) => world.disk.create(&old, created),
                };
            }
            match (world.disk.find(path), options.create) {
                (Ok(_), Create::New) => Err(io::ErrorKind::AlreadyExists.into()),
                (Err(error), Create::Missing | Create::New)
                    if error.kind() == io::ErrorKind::NotFound =>
                {
                    world.disk.create(path, created)
                }
                (found, _) => found,
            }
        })?;
        Ok(Box::new(SimulatedFile {
            inode,
            path: path.to_owned(),
            has_lock: false.into(),
        }))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        call(Call::CreateFolder, path, |world, _| {
            world.disk.create_folder(path)
        })
    }

    fn create_folders(&self, path: &Path) -> io::Result<()> {
        call(Call::CreateFolder, path, |world, _| {
            let mut above: Vec<&Path> = path.ancestors().collect();
            above.reverse();
            for folder in above {
                match world.disk.create_folder(folder) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error);
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        call(Call::List, folder, |world, effect| {
            let mut names = world.disk.list(folder)?;
            if effect == Some(Effect::Skip) {
                let is_segment = |name: &OsString| name.to_string_lossy().ends_with(".spool");
                let last = names.iter().rposition(is_segment);
                last.map(|at| names.remove(at));
            }
            Ok(names)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        call(Call::Rename, from, |world, effect| match effect {
            Some(Effect::Skip | Effect::InPlace) => Ok(()),
            Some(Effect::InTwoSteps) => {
                _ = world.disk.remove(to);
                if world.one_in(3) {
                    world.is_stopped = true;
                    return Err(io::Error::other("the machine stops"));
                }
                world.disk.rename(from, to)
            }
            _ => world.disk.rename(from, to),
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        call(Call::Remove, path, |world, effect| match effect {
            Some(Effect::Skip) => Ok(()),
            _ => world.disk.remove(path),
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        call(Call::SyncFolder, folder, |world, effect| {
            if effect != Some(Effect::Skip) {
                world.disk.sync_folder(folder);
            }
            Ok(())
        })
    }

    fn now(&self) -> Instant {
        with(|world| {
            if cfg!(shuttle) {
                // Threads of a model wait for a time by asking for it.
                world.pass(Duration::from_millis(5));
            }
            world.now()
        })
    }

    fn unix_millis(&self) -> u64 {
        with(|world| world.unix_millis())
    }

    fn even_millis(&self) -> u64 {
        with(|world| match world.fault {
            Some(Fault::AgesByTheTimeOfDay) => world.unix_millis(),
            _ => world.even_millis(),
        })
    }

    fn random(&self) -> u64 {
        with(|world| world.random.u64(..))
    }
}

impl SimulatedFile {
    fn call<R>(
        &self,
        kind: Call,
        make: impl FnOnce(&mut World, Option<Effect>) -> io::Result<R>,
    ) -> io::Result<R> {
        call(kind, &self.path, make)
    }

    /// Writes bytes, or the first of them; returns how many count as written.
    fn write(
        &self,
        world: &mut World,
        bytes: &[u8],
        at: u64,
        effect: Option<Effect>,
    ) -> io::Result<usize> {
        let write = |world: &mut World, bytes| world.disk.write(self.inode, bytes, at);
        match effect {
            Some(Effect::Skip) => Ok(bytes.len()),
            Some(Effect::HalfAsWhole) => {
                let half = bytes.len() / 2;
                write(world, bytes.split_at(half).0).map(|_| bytes.len())
            }
            Some(Effect::ErrorAsSuccess) => {
                _ = write(world, bytes);
                Ok(bytes.len())
            }
            _ => write(world, bytes),
        }
    }

    /// Writes at an offset, or at the end of the file.
    fn write_to(&self, bytes: &[u8], at: Option<u64>) -> io::Result<usize> {
        before_call();
        with(|world| {
            let effect = world
                .fault
                .and_then(|fault| fault.effect_on(Call::Write, &self.path));
            let end = world.disk.inode(self.inode)?.bytes.len() as u64;
            let at = match effect {
                Some(Effect::AtStart) => 0,
                _ => at.unwrap_or(end),
            };
            let part = match bytes.len() {
                0 => 0,
                len => world.random.usize(..len),
            };
            let part = bytes.split_at(part).0;
            let result = match world.luck(Call::Write) {
                Luck::Good => self.write(world, bytes, at, effect),
                Luck::Short => self.write(world, part, at, effect),
                Luck::Fails(error) => Err(error),
                Luck::Stops => {
                    // A sector is written as a whole or not at all.
                    let part = match is_in_one_sector(at, bytes) {
                        true if world.random.bool() => bytes,
                        true => &[],
                        false => part,
                    };
                    _ = self.write(world, part, at, effect);
                    Err(io::Error::other("the machine stops"))
                }
            };
            world.note(|| {
                let (path, size) = (self.path.display(), bytes.len());
                format!("Write {path} {size} at {at}: {result:?}")
            });
            result
        })
    }
}

impl SystemFile for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        before_call();
        with(|world| {
            let effect = world
                .fault
                .and_then(|fault| fault.effect_on(Call::Read, &self.path));
            let result = match world.luck(Call::Read) {
                Luck::Fails(_) if effect == Some(Effect::ErrorAsSuccess) && !world.is_stopped => {
                    Ok(0)
                }
                Luck::Fails(error) => Err(error),
                Luck::Stops => Err(io::Error::other("the machine stops")),
                _ if effect == Some(Effect::Skip) => Ok(0),
                Luck::Good | Luck::Short => Ok(world.disk.inode(self.inode)?.read(buffer, at)),
            };
            if result.is_err() {
                world.note(|| format!("Read {} at {at}: {result:?}", self.path.display()));
            }
            result
        })
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        self.write_to(bytes, Some(at))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write_to(bytes, None)
    }

    fn size(&self) -> io::Result<u64> {
        with(|world| Ok(world.disk.inode(self.inode)?.bytes.len() as u64))
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.call(Call::SetSize, |world, effect| {
            if effect != Some(Effect::Skip) {
                world.disk.inode(self.inode)?.set_size(bytes);
            }
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let effect = with(|world| world.fault?.effect_on(Call::Sync, &self.path));
        let synced = self.call(Call::Sync, |world, effect| {
            if effect != Some(Effect::Skip) {
                world.disk.inode(self.inode)?.sync();
            }
            Ok(())
        });
        if synced.is_ok() || with(|world| world.is_stopped) {
            return synced;
        }
        with(|world| world.disk.inode(self.inode).map(Inode::fail_sync))?;
        match effect {
            Some(Effect::ErrorAsSuccess) => Ok(()),
            _ => synced,
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.call(Call::Lock, |world, effect| {
            let inode = world.disk.inode(self.inode)?;
            if inode.is_locked && effect != Some(Effect::Skip) {
                return Ok(false);
            }
            inode.is_locked = true;
            self.has_lock.store(true, Ordering::Relaxed);
            Ok(true)
        })
    }

    fn set_owner(&self, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        self.call(Call::SetAccess, |_, _| Ok(()))
    }

    fn set_mode(&self, _: u32) -> io::Result<()> {
        self.call(Call::SetAccess, |_, _| Ok(()))
    }

    fn created_millis(&self) -> Option<u64> {
        with(|world| Some(world.disk.inode(self.inode).ok()?.created))
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        if self.has_lock.load(Ordering::Relaxed) {
            with(|world| {
                if let Ok(inode) = world.disk.inode(self.inode) {
                    inode.is_locked = false;
                }
            });
        }
    }
}
