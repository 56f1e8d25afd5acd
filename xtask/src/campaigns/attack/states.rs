//! Attacks on the state file.

use std::{fs, thread, time::Duration};

use super::{Attack, BASE, HONEST, MIB, Target, clients::Writer};
use crate::error::Error;

/// Metrics whose users make a state of several megabytes.
const GROUPED: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n\
    metric users {\n  filter = event=a\n  group_by = user\n}\n";

const SERIES: usize = 40_000;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "damaged-states",
        blocks: HONEST,
        arguments: &["--state", "FOLDER/state"],
        run: damaged_states,
        ..BASE
    },
    Attack {
        name: "ends-during-saves",
        blocks: GROUPED,
        arguments: &["--state", "FOLDER/state", "--state-interval", "1"],
        max_peak_bytes: 512 * MIB,
        run: |target| end_during_saves(target, Target::end_in_time),
        ..BASE
    },
    Attack {
        name: "kills-during-saves",
        blocks: GROUPED,
        arguments: &["--state", "FOLDER/state", "--state-interval", "1"],
        max_peak_bytes: 512 * MIB,
        run: |target| {
            end_during_saves(target, |target| {
                target.kill();
                Ok(())
            })
        },
        ..BASE
    },
];

/// A damaged state file is loaded completely or not at all, and is not deleted.
fn damaged_states(target: &mut Target) -> Result<(), Error> {
    target.check_honest_client()?;
    let counted = target.count("honest")?;
    target.end_in_time()?;
    let state = target.path("state");
    let whole = fs::read(&state).map_err(Error::at("read", &state))?;
    for damaged in damaged(&whole) {
        fs::write(&state, &damaged).map_err(Error::at("write", &state))?;
        target.start_again()?;
        let found = target.count("honest")?;
        if found != 0 && (found != counted || damaged != whole) {
            return Err(Error::new(format!("a damaged state has the count {found}")));
        }
        target.kill();
        let aside = target.path("state.unreadable");
        if damaged != whole && fs::read(&aside).ok().as_ref() != Some(&damaged) {
            return Err(Error::new("a damaged state was not put aside"));
        }
    }
    // A state path that is no regular file does not block the start.
    let _ = fs::remove_file(&state);
    fs::create_dir(&state).map_err(Error::at("make", &state))?;
    target.start_again()?;
    target.check_honest_client()
}

/// Returns the original state and damaged copies.
fn damaged(whole: &[u8]) -> Vec<Vec<u8>> {
    let length = whole.len();
    let mut all = vec![whole.to_vec(), vec![0; length], b"nonsense".to_vec()];
    all.push([whole, b"more"].concat());
    for part in 0..8 {
        all.push(whole.iter().take(1 + length * part / 8).copied().collect());
        let mut flipped = whole.to_vec();
        if let Some(byte) = flipped.get_mut(length * part / 8) {
            *byte ^= 1 << part;
        }
        all.push(flipped);
    }
    all
}

/// Ends the server while it saves; the state file is always complete.
fn end_during_saves(
    target: &mut Target,
    end: fn(&mut Target) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    for user in 0..SERIES {
        client.send(&format!(
            "EVENT\t0\t0\t1\t100\t0\tna\tSuser\tuser{user}@a-domain-of-some-length.example.com\n"
        ));
    }
    client.finish()?;
    // Waits for the first save.
    let state = target.path("state");
    let is_saved = |_: &usize| {
        thread::sleep(Duration::from_millis(10));
        fs::metadata(&state).is_ok_and(|found| found.len() > SERIES as u64)
    };
    if (0..1_000).find(is_saved).is_none() {
        return Err(Error::new("no state was saved"));
    }
    for round in 0..5 {
        // Ends the server around the end of the interval, when the next save begins.
        thread::sleep(Duration::from_millis(960 + 20 * round));
        end(target)?;
        target.start_again()?;
        let answer = target.get("/metrics")?;
        let lines = answer.body.lines();
        let series = lines.filter(|line| line.starts_with("dovecot_users_total{"));
        let series = series.count();
        if series != SERIES {
            let why = format!("{series} of {SERIES} series are left in round {round}");
            return Err(Error::new(why));
        }
    }
    let folder = fs::read_dir(target.path("")).map_err(Error::at("read", &state))?;
    let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let left: Vec<String> = names.filter(|name| name.starts_with("state.")).collect();
    match left.len() {
        // One temporary file is allowed, because a save may be running.
        0 | 1 => target.check_honest_client(),
        _ => Err(Error::new(format!("left over: {left:?}"))),
    }
}
