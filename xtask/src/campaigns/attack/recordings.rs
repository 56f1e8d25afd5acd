//! Attacks by recordings: files that grow, and paths that are no regular files.

use std::{fs, path::Path, process::Command};

use super::{Attack, BASE, HONEST, MIB, Target, clients::Writer};
use crate::error::Error;

const LIMIT_BYTES: u64 = MIB;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "recording-of-a-flood",
        blocks: HONEST,
        arguments: &["--record", "FOLDER/recording", "--record-limit", "1M"],
        run: recording_of_a_flood,
        ..BASE
    },
    Attack {
        name: "recordings-to-no-file",
        blocks: HONEST,
        run: recordings_to_no_file,
        ..BASE
    },
];

/// A recording into a pipe, a device, a folder or a link is refused, and a pipe that
/// is never read does not keep the server waiting.
fn recordings_to_no_file(target: &mut Target) -> Result<(), Error> {
    let (pipe, folder, link) = (target.path("pipe"), target.path("run"), target.path("link"));
    let made = Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err(Error::new("mkfifo failed"));
    }
    let other = target.path("fantail.conf");
    std::os::unix::fs::symlink(&other, &link).map_err(Error::at("make", &link))?;
    let before = fs::read(&other).map_err(Error::at("read", &other))?;
    for path in [&pipe, Path::new("/dev/full"), &folder, &link, &other] {
        let path = path.display();
        let answer = target.ask(&format!("FANTAIL-RECORD-START\t{path}\t60\t100000"))?;
        if !answer.starts_with('-') {
            return Err(Error::new(format!(
                "a recording into {path} began: {answer}"
            )));
        }
        target.check_honest_client()?;
    }
    match fs::read(&other).map_err(Error::at("read", &other))? == before {
        true => Ok(()),
        false => Err(Error::new("a recording replaced a file through a link")),
    }
}

/// The recording ends with a complete line at its limit and can be replayed.
fn recording_of_a_flood(target: &mut Target) -> Result<(), Error> {
    let mut clients = Vec::new();
    // An unfinished line stays in memory, at most 128 KiB for each client.
    for _ in 0..500 {
        let mut client = Writer::connect(&target.writer())?;
        client.send(&format!(
            "EVENT\t0\t0\t1\t1\t0\tna\tSx\t{}",
            "y".repeat(100_000)
        ));
        clients.push(client);
    }
    target.check_honest_client()?;
    for client in &mut clients {
        client.send("\n");
    }
    for client in clients {
        client.finish()?;
    }
    target.check_honest_client()?;
    let recording = target.path("recording");
    let bytes = fs::read(&recording).map_err(Error::at("read", &recording))?;
    if bytes.len() as u64 > LIMIT_BYTES || bytes.last() != Some(&b'\n') {
        let length = bytes.len();
        return Err(Error::new(format!(
            "the recording has {length} bytes, or a torn end"
        )));
    }
    let replay = |path: &str| {
        let mut command = Command::new(target.program());
        command
            .args(["replay", "--config"])
            .arg(target.path("fantail.conf"));
        command
            .args(["--exports", "/dev/null"])
            .arg(target.path(path));
        command.output().map_err(Error::at("run", target.program()))
    };
    let played = replay("recording")?;
    if !played.status.success() {
        let said = String::from_utf8_lossy(&played.stderr).into_owned();
        return Err(Error::new(format!(
            "the recording cannot be played: {said}"
        )));
    }
    // `fantail replay` plays the readable lines of a damaged recording.
    let mut damaged = bytes;
    damaged.truncate(damaged.len() / 2);
    damaged.extend([0, 0xff, b'\n', b'\t', b'\n']);
    let path = target.path("damaged");
    fs::write(&path, damaged).map_err(Error::at("write", &path))?;
    match replay("damaged")?.status.code() {
        Some(_) => Ok(()),
        None => Err(Error::new("a damaged recording kills the program")),
    }
}
