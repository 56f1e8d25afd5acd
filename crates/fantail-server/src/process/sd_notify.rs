//! Messages to a service manager (`sd_notify`).
//!
//! Without a service manager, nothing is sent. Failures are ignored, because the
//! server cannot correct them.

use std::time::{Duration, Instant};

use sd_notify::{NotifyState, notify};

#[derive(Debug)]
pub(crate) struct Manager {
    present: bool,
    /// The interval at which the manager expects a `WATCHDOG=1` message.
    watchdog: Option<Duration>,
    last: Option<Instant>,
}

impl Manager {
    pub(crate) fn new(present: bool) -> Self {
        Self {
            present,
            watchdog: sd_notify::watchdog_enabled().filter(|_| present),
            last: None,
        }
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if self.present {
            let _ = notify(states);
        }
    }

    pub(crate) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    pub(crate) fn reloading(&self) {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            self.tell(&[NotifyState::Reloading, now]);
        }
    }

    pub(crate) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// All is well; called every second as long as it is.
    pub(crate) fn alive(&mut self, connections: usize) {
        const STATUS: Duration = Duration::from_secs(10);
        if self.watchdog.is_some() {
            self.tell(&[NotifyState::Watchdog]);
        }
        if self.last.is_none_or(|last| last.elapsed() >= STATUS) {
            self.last = Some(Instant::now());
            self.tell(&[NotifyState::Status(&format!("{connections} connections"))]);
        }
    }
}
