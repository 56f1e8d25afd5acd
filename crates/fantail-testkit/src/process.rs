//! Processes of others that tests start: ended with the test, however it ends.
//!
//! A [`Process`] is a group of its own. It is ended when it is dropped, and by
//! the kernel if the test itself is killed (where `setpriv` is installed).

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

/// How long a process may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running process and all that it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a command; its standard streams are as the command says.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        Self::start_with(command, |_| {})
    }

    /// Like [`start`](Self::start); `streams` says where the standard streams
    /// go, since what a [`Command`] says of them cannot be read back.
    ///
    /// # Panics
    /// It cannot be started.
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

    /// The child, for its streams.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal to the process, not to what it started.
    ///
    /// # Panics
    /// It cannot be sent.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits until the process ends.
    ///
    /// # Panics
    /// It has not ended after `patience`.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        self.wait_for(patience)
            .unwrap_or_else(|| panic!("{} did not end within {patience:?}", self.name))
    }

    /// Asks it to end, and waits for it.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        if !self.has_ended() {
            self.signal(Signal::TERM);
        }
        self.wait(PATIENCE)
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
    /// Asks it to end; after some seconds, ends all that is left of its group.
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(self.pid(), Signal::TERM);
            self.wait_for(PATIENCE);
        }
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The same command, ended by the kernel when the thread that starts it ends.
fn guarded(command: &Command) -> Command {
    let Some(setpriv) = crate::skip::installed("setpriv") else {
        return copied(command.get_program(), command);
    };
    let mut guarded = copied(setpriv.as_os_str(), &Command::new(""));
    guarded.args(["--pdeathsig", "TERM", "--"]);
    guarded.arg(command.get_program());
    with_surroundings(&mut guarded, command);
    guarded
}

fn copied(program: &OsStr, command: &Command) -> Command {
    let mut copy = Command::new(program);
    with_surroundings(&mut copy, command);
    copy
}

/// Arguments, environment and folder of another command.
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

/// Waits until something holds.
///
/// # Panics
/// It does not after `patience`; `what` says what was waited for.
#[track_caller]
pub fn wait_until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "waited {patience:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
