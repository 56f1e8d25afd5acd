//! Tests that are killed must leave no process and no file.

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

/// Set in the process of the test that is killed.
const KILLED: &str = "FANTAIL_TO_BE_KILLED";

/// The line that it prints once all is started.
const STARTED: &str = "all is started";

/// The maximum time until its processes have ended.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Runs `start` in a separate process, kills the process, and waits until no
/// process and file of `start` is left.
///
/// `test` is the full name of the calling test, which is run again in that
/// process. Started processes must have their folder in their command line, and
/// the folder must be one of the [temporary files](env::temp_dir).
///
/// # Panics
/// Panics if nothing was started, or if something is left.
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
    // While a process executes another program, it has no command line.
    wait_until("something runs", MAX_WAIT, || {
        !processes_with(name).is_empty()
    });
    victim.signal(Signal::KILL);
    victim.wait(MAX_WAIT);
    wait_until("all has ended", MAX_WAIT, || {
        processes_with(name).is_empty()
    });
}

/// Returns the command lines of running processes that contain a text.
#[must_use]
pub fn processes_with(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    #[allow(clippy::disallowed_methods, reason = "what the kernel tells")]
    let lines = processes.filter_map(|process| {
        // Most processes have no such file, or have ended.
        let line = fs::read(process.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    lines.filter(|line| line.contains(text)).collect()
}

#[allow(clippy::print_stdout, reason = "another process reads it")]
fn tell(line: &str) {
    println!("{line}");
}
