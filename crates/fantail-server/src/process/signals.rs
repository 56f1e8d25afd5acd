//! Signals: SIGHUP reloads, SIGTERM and SIGINT end.

use std::{future::pending, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug)]
pub(crate) struct Signals {
    /// Hang up, terminate, interrupt.
    caught: Option<[Signal; 3]>,
}

impl Signals {
    /// Catches signals, if that is wanted: a library must not unasked.
    pub(crate) fn new(wanted: bool) -> io::Result<Self> {
        let caught = if wanted {
            Some([
                signal(SignalKind::hangup())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
            ])
        } else {
            None
        };
        Ok(Self { caught })
    }

    /// Waits for the next of either kind.
    pub(crate) async fn next(&mut self) -> Caught {
        let Some([hang_up, terminate, interrupt]) = &mut self.caught else {
            return pending().await;
        };
        tokio::select! {
            _ = hang_up.recv() => Caught::Reload,
            _ = terminate.recv() => Caught::Stop,
            _ = interrupt.recv() => Caught::Stop,
        }
    }
}

/// The action that a signal requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caught {
    Reload,
    Stop,
}
