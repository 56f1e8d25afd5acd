//! Attacks on the spool of an exporter.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    Attack, BASE, MIB, Start, Target,
    exports::{Received, SPOOLED, send, wait_for},
};
use crate::error::Error;

/// A time after which events are certainly on the disk.
const TO_DISK: Duration = Duration::from_millis(300);

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "kills-with-a-spool",
        blocks: SPOOLED,
        prepare: make_disk,
        run: kills,
        ..BASE
    },
    Attack {
        name: "damaged-spools",
        blocks: SPOOLED,
        prepare: make_disk,
        run: damaged_spools,
        ..BASE
    },
    Attack {
        name: "full-disk",
        blocks: SPOOLED,
        arguments: &["--state", "FOLDER/disk/state", "--state-interval", "1"],
        start: Start::WithSmallDisk,
        needs: &["unshare", "mount"],
        prepare: make_disk,
        max_peak_bytes: 256 * MIB,
        run: full_disk,
        ..BASE
    },
];

pub(super) fn make_disk(folder: &Path) -> Result<(), Error> {
    let disk = folder.join("disk");
    fs::create_dir_all(&disk).map_err(Error::at("make", &disk))
}

/// Spooled events survive each kill, and arrive when the target starts.
fn kills(target: &mut Target) -> Result<(), Error> {
    for round in 1..=5 {
        send(target, (round - 1) * 1_000, round * 1_000, "x")?;
        wait_for(target, "waiting", (round * 1_000) as u64)?;
        thread::sleep(TO_DISK);
        target.kill();
        target.start_again()?;
    }
    let received = Received::listen(&target.path("target"))?;
    received.wait_for_all(5_000)?;
    wait_for(target, "waiting", 0)?;
    target.check_honest_client()
}

/// For any contents of the spool's folder, the target receives only sent events.
fn damaged_spools(target: &mut Target) -> Result<(), Error> {
    let pad = "p".repeat(1_000);
    let mut sent = 0;
    for round in 0..8 {
        send(target, sent, sent + 1_000, &pad)?;
        sent += 1_000;
        thread::sleep(TO_DISK);
        target.kill();
        damage(&target.path("disk/spool"), round)?;
        target.start_again()?;
    }
    let received = Received::listen(&target.path("target"))?;
    // Later events arrive, even if earlier ones are lost.
    send(target, sent, sent + 10, &pad)?;
    wait_for(target, "waiting", 0)?;
    let numbers = received.numbers();
    let known = 0..sent as u64 + 10;
    if let Some(number) = numbers.iter().find(|number| !known.contains(number)) {
        return Err(Error::new(format!("the export {number} was never sent")));
    }
    if !(sent as u64..sent as u64 + 10).all(|number| numbers.contains(&number)) {
        return Err(Error::new("events after the damage did not come"));
    }
    target.check_honest_client()
}

/// Damages the newest file of a spool or adds a file, differently in each round.
fn damage(spool: &Path, round: usize) -> Result<(), Error> {
    let entries = fs::read_dir(spool).map_err(Error::at("read", spool))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    let Some(file) = files.get(round % files.len().max(1)) else {
        return Ok(());
    };
    let mut bytes = fs::read(file).map_err(Error::at("read", file))?;
    let middle = bytes.len() / 2;
    let changed = match round {
        0 => {
            bytes.truncate(middle);
            fs::write(file, bytes)
        }
        1 => {
            bytes
                .iter_mut()
                .skip(middle)
                .take(64)
                .for_each(|byte| *byte ^= 0xff);
            fs::write(file, bytes)
        }
        2 => {
            bytes.iter_mut().take(64).for_each(|byte| *byte = 0);
            fs::write(file, bytes)
        }
        3 => fs::write(file, b""),
        4 => fs::remove_file(file),
        5 => {
            bytes.extend(b"a torn end of no record at all");
            fs::write(file, bytes)
        }
        6 => fs::copy(file, file.with_extension("copy")).map(drop),
        _ => fs::write(spool.join("nonsense"), b"nonsense"),
    };
    changed.map_err(Error::at("damage", file))
}

/// With a full disk, no event is lost, and the state is saved once there is space.
fn full_disk(target: &mut Target) -> Result<(), Error> {
    let pad = "p".repeat(2_000);
    send(target, 0, 5_000, &pad)?;
    // The events take ten times the space of the disk, so most wait in memory.
    wait_for(target, "waiting", 5_000)?;
    target.check_honest_client()?;
    let received = Received::listen(&target.path("target"))?;
    received.wait_for_all(5_000)?;
    wait_for(target, "waiting", 0)?;
    // With the spool sent, the disk has space for the state, which is saved each second.
    let disk = format!(
        "/proc/{}/root{}",
        target.pid(),
        target.path("disk").display()
    );
    let state = PathBuf::from(disk).join("state");
    let saved = |_: &usize| {
        thread::sleep(Duration::from_millis(100));
        fs::metadata(&state).is_ok_and(|found| found.len() > 0)
    };
    if (0..100).find(saved).is_none() {
        return Err(Error::new("the disk is free, and no state was saved"));
    }
    send(target, 5_000, 5_100, &pad)?;
    received.wait_for_all(5_100)?;
    wait_for(target, "waiting", 0)
}
