//! Attacks by jumps of the machine's clock.

use std::{fs, path::Path, thread, time::Duration};

use super::{
    Attack, BASE, Start, Target,
    exports::{Received, SPOOLED, send, wait_for},
    spools::make_disk,
};
use crate::error::Error;

/// A library that gives a process another wall clock; its monotonic clock stays.
#[cfg(target_arch = "x86_64")]
pub(super) const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
#[cfg(not(target_arch = "x86_64"))]
pub(super) const LIBRARY: &str = "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1";

pub(super) const ATTACKS: &[Attack] = &[Attack {
    name: "jumps-of-the-clock",
    blocks: SPOOLED,
    arguments: &["--state", "FOLDER/state", "--state-interval", "1"],
    start: Start::WithClock,
    needs: &[LIBRARY],
    prepare: |folder| {
        make_disk(folder)?;
        set(folder, "+0")
    },
    run: jumps,
    ..BASE
}];

fn set(folder: &Path, clock: &str) -> Result<(), Error> {
    let (path, new) = (folder.join("clock"), folder.join("clock.new"));
    fs::write(&new, format!("{clock}\n")).map_err(Error::at("write", &new))?;
    fs::rename(&new, &path).map_err(Error::at("write", &path))
}

/// After clock jumps, queued events are not dropped for their age, and saves go on.
fn jumps(target: &mut Target) -> Result<(), Error> {
    send(target, 0, 100, "x")?;
    wait_for(target, "waiting", 100)?;
    for clock in ["+2h", "-3650d", "+3650d", "+0"] {
        set(&target.path(""), clock)?;
        target.check_honest_client()?;
        let state = target.path("state");
        let _ = fs::remove_file(&state);
        let saved = |_: &usize| {
            thread::sleep(Duration::from_millis(50));
            state.exists()
        };
        if (0..200).find(saved).is_none() {
            return Err(Error::new(format!(
                "no save after the clock jumped to {clock}"
            )));
        }
        wait_for(target, "waiting", 100)?;
    }
    let received = Received::listen(&target.path("target"))?;
    received.wait_for_all(100)?;
    wait_for(target, "dropped/expired", 0)
}
