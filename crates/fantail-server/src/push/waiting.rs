//! Waiting on the thread of pushes, which the end of the server interrupts.

use std::{io, time::Instant};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    time::{sleep_until, timeout_at},
};

use crate::{
    handle::{Handle, HeldReport},
    worker::Report,
};

/// The order to end.
#[derive(Debug)]
pub(super) struct End {
    /// The last counts.
    pub(super) report: oneshot::Receiver<Report>,
    /// When the server no longer waits for the last push.
    pub(super) until: Instant,
}

/// Waits, and receives the order to end.
#[derive(Debug)]
pub(super) struct Waiting {
    runtime: Runtime,
    ended: oneshot::Receiver<End>,
    /// Set once the server ends; with `None`, without an order.
    end: Option<Option<End>>,
}

impl Waiting {
    pub(super) fn new(ended: oneshot::Receiver<End>) -> io::Result<Self> {
        Ok(Self {
            runtime: Builder::new_current_thread().enable_time().build()?,
            ended,
            end: None,
        })
    }

    /// Waits; returns whether this ended with the time, not with the order to end. After the
    /// order was taken, only the time ends it.
    pub(super) fn wait_until(&mut self, time: Instant) -> bool {
        if self.end.is_some() {
            return false;
        }
        let ended = &mut self.ended;
        self.end = self.runtime.block_on(async {
            tokio::select! {
                biased;
                end = ended, if !ended.is_terminated() => Some(end.ok()),
                () = sleep_until(time.into()) => None,
            }
        });
        self.end.is_none()
    }

    /// Asks for a report; `None` if it is refused or the server ends.
    pub(super) fn report(&mut self, handle: &Handle) -> Option<HeldReport> {
        let ended = &mut self.ended;
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                end = ended, if !ended.is_terminated() => {
                    self.end = Some(end.ok());
                    None
                }
                report = handle.held_report(false) => report.ok(),
            }
        })
    }

    pub(super) const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Takes the order to end.
    pub(super) fn take_end(&mut self) -> Option<End> {
        self.end.take().flatten()
    }

    /// Waits for the last report.
    pub(super) fn last_report(&self, end: End) -> Option<Report> {
        // Timers need the runtime.
        let report = async { timeout_at(end.until.into(), end.report).await };
        let report = self.runtime.block_on(report);
        report.ok().and_then(Result::ok)
    }
}
