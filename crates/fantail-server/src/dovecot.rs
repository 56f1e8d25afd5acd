//! Whether Dovecot runs.
//!
//! At its start Dovecot sweeps the folder `login/`, and refuses to start if
//! somebody answers on a socket there. So ours may be there only as long as
//! Dovecot is: from the moment that it has written its `master.pid` until the
//! process of that number ends, which the kernel tells at once.

use std::{
    fs::File,
    future::pending,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{Interest, unix::AsyncFd};

/// Whether a Dovecot with this base directory runs.
pub(crate) fn is_running(base_dir: &Path) -> bool {
    master(base_dir).is_some()
}

/// The master process, if it runs.
fn master(base_dir: &Path) -> Option<Pid> {
    let number = first_line(&base_dir.join("master.pid")).ok()?;
    let pid = Pid::from_raw(number.parse().ok()?)?;
    // The number may be another process' by now.
    let name = first_line(Path::new(&format!("/proc/{number}/comm"))).ok()?;
    (name == "dovecot").then_some(pid)
}

fn first_line(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(64).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[allow(
    deprecated,
    reason = "what takes its place is unsafe, and needed for descriptors that are not owned"
)]
fn watched(process: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(process, Interest::READABLE)
}

/// Watches the master process.
#[derive(Debug)]
pub(crate) struct Watch {
    base_dir: PathBuf,
    master: Option<AsyncFd<OwnedFd>>,
}

impl Watch {
    pub(crate) const fn new(base_dir: PathBuf) -> Self {
        Self {
            base_dir,
            master: None,
        }
    }

    /// Whether Dovecot runs now.
    pub(crate) fn look(&mut self) -> bool {
        if self.master.is_none() {
            let opened = master(&self.base_dir).and_then(|pid| {
                let process = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
                watched(process).ok()
            });
            self.master = opened;
        }
        self.master.is_some()
    }

    /// Waits for the end of the Dovecot that was seen last.
    pub(crate) async fn end(&mut self) {
        match &self.master {
            None => pending().await,
            Some(process) => {
                // An error is as good: it will be looked for again.
                let _ = process.readable().await;
            }
        }
        self.master = None;
    }
}
