//! What is left of a test that is killed: nothing may be.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "for tests: what does not work must fail"
)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;

use crate::process::{Process, wait_until};

/// Set for the test that is killed.
const KILLED: &str = "FANTAIL_TO_BE_KILLED";

/// What it says once it has started all.
const STARTED: &str = "all is started";

/// How long what it started may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `start` in a process of its own, kills that, and waits until nothing
/// is left of what `start` gave.
///
/// `test` is the full name of the calling test, which is run again in that
/// process. What is started has to name its folder in its command line, and to
/// keep that among the [temporary files](env::temp_dir).
///
/// # Panics
/// Nothing was started, or something is left.
pub fn check_killed<T>(test: &str, start: impl FnOnce() -> T) {
    if env::var_os(KILLED).is_some() {
        let _started = start();
        tell(STARTED);
        loop {
            thread::park();
        }
    }
    if crate::program("setpriv").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().to_str().expect("a name in UTF-8");
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(KILLED, "yes").env("TMPDIR", folder.path());
    let mut victim = Process::start_with(&command, |command| {
        command.stdout(Stdio::piped());
    });
    let output = victim.child().stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines();
    let started = lines.any(|line| line.is_ok_and(|line| line.ends_with(STARTED)));
    assert!(started, "{test} did not start anything");
    // While a process turns into another program, it has no command line.
    wait_until("something runs", PATIENCE, || {
        !processes_with(name).is_empty()
    });
    victim.signal(Signal::KILL);
    victim.wait(PATIENCE);
    wait_until("all has ended", PATIENCE, || {
        processes_with(name).is_empty()
    });
}

/// The command lines of running processes that contain a text.
#[must_use]
pub fn processes_with(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    #[allow(clippy::disallowed_methods, reason = "what the kernel tells")]
    let lines = processes.filter_map(|process| {
        // Most have no such file, or are gone by now.
        let line = fs::read(process.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    lines.filter(|line| line.contains(text)).collect()
}

#[allow(clippy::print_stdout, reason = "another process reads it")]
fn tell(line: &str) {
    println!("{line}");
}
