//! Messages to a service manager (`sd_notify`).
//!
//! Without a service manager, nothing is sent. Failures are ignored, because the
//! server cannot correct them.

use std::time::Duration;

use sd_notify::{NotifyState, notify};

/// The time between two messages that the server is well.
const STATUS_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Manager {
    present: bool,
    /// The time after which the manager ends a server that sends no `WATCHDOG=1`.
    watchdog: Option<Duration>,
}

impl Manager {
    pub(crate) fn new(present: bool) -> Self {
        Self {
            present,
            watchdog: sd_notify::watchdog_enabled().filter(|_| present),
        }
    }

    /// Returns how often the manager is told that the server is well; `None` without a
    /// manager. Two of these messages may be late before the manager ends the server.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let watchdog = self.watchdog.map(|watchdog| watchdog / 4);
        let interval = watchdog.map_or(STATUS_INTERVAL, |it| it.min(STATUS_INTERVAL));
        self.present.then_some(interval)
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

    /// All is well; called at the [interval](Self::interval) as long as it is.
    pub(crate) fn alive(&self, connections: usize) {
        if self.watchdog.is_some() {
            self.tell(&[NotifyState::Watchdog]);
        }
        self.tell(&[NotifyState::Status(&format!("{connections} connections"))]);
    }
}
