//! External processes of tests: they end with the test, however it ends.
//!
//! A [`Process`] is a process group. It is ended when it is dropped, and by the
//! kernel if the test itself is killed (where `setpriv` is installed).

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "for tests: a peer that cannot be started must fail"
)]

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The maximum time between a request to end and the end.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A running process and all processes that it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a command with the command's standard streams.
    ///
    /// # Panics
    /// Panics if it cannot be started.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        Self::start_with(command, |_| {})
    }

    /// Starts a command like [`start`](Self::start); `streams` sets the
    /// standard streams, because those of a [`Command`] cannot be read back.
    ///
    /// # Panics
    /// Panics if it cannot be started.
    #[must_use]
    pub fn start_with(command: &Command, streams: impl FnOnce(&mut Command)) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut guarded = guarded(command);
        guarded.stdin(Stdio::null());
        streams(&mut guarded);
        let child = guarded
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self { child, name }
    }

    /// Returns the child, for its streams.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal to the process, but not to those that it started.
    ///
    /// # Panics
    /// Panics if it cannot be sent.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Returns whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits until the process ends.
    ///
    /// # Panics
    /// Panics if it has not ended after `patience`.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        self.wait_for(patience)
            .unwrap_or_else(|| panic!("{} did not end within {patience:?}", self.name))
    }

    /// Asks the process to end, and waits for it.
    ///
    /// # Panics
    /// Panics if it does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        if !self.has_ended() {
            self.signal(Signal::TERM);
        }
        self.wait(MAX_WAIT)
    }

    fn wait_for(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let status = self.child.try_wait().expect("a child of ours");
            if status.is_some() || begun.elapsed() > patience {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    /// Asks the process to end; after some seconds, kills the rest of its
    /// group.
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(self.pid(), Signal::TERM);
            self.wait_for(MAX_WAIT);
        }
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Ends at once if the parent is not the process of that number, otherwise
/// becomes the program.
///
/// The parent may be killed before `setpriv` has asked for the signal, which is
/// then never sent.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// Returns the same command, which the kernel ends with the thread that starts
/// it.
fn guarded(command: &Command) -> Command {
    let Some(setpriv) = crate::skip::installed("setpriv") else {
        return copied(command.get_program(), command);
    };
    let mut guarded = copied(setpriv.as_os_str(), &Command::new(""));
    guarded.args(["--pdeathsig", "TERM", "--", "sh", "-c", UNLESS_ORPHANED]);
    guarded.arg(std::process::id().to_string());
    guarded.arg(command.get_program());
    with_surroundings(&mut guarded, command);
    guarded
}

fn copied(program: &OsStr, command: &Command) -> Command {
    let mut copy = Command::new(program);
    with_surroundings(&mut copy, command);
    copy
}

/// Copies arguments, environment and folder of a command.
fn with_surroundings(copy: &mut Command, command: &Command) {
    copy.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(key, value),
            None => copy.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        copy.current_dir(folder);
    }
}

/// Waits until a condition holds.
///
/// # Panics
/// Panics if it does not hold after `patience`; `what` describes the condition.
#[track_caller]
pub fn wait_until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "waited {patience:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
