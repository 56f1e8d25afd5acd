//! Parts of a queue that work in steps: the sender and the disk writer.
//!
//! A step does one thing, such as an attempt to deliver or a write to the disk, and
//! returns what to wait for. It does not wait. A thread runs the steps of a worker;
//! a simulation runs those of all workers on one thread, in an order of its own.

use std::{fmt, sync::Arc, time::Instant};

use crate::sync::{MutexGuard, Signal};

use super::shared::{Running, Shared, State};

/// The result of a step.
pub(super) enum Step<'a> {
    /// There may be more to do.
    Again,
    Wait(Wait<'a>),
    End,
}

/// A wait for a signal or a time.
pub(super) struct Wait<'a> {
    /// The state, locked since it was found to have nothing to do, so that no signal
    /// is missed.
    pub(super) state: MutexGuard<'a, State>,
    pub(super) signal: &'a Signal,
    pub(super) until: Option<Instant>,
}

/// A part of a queue.
pub(super) trait Work: Send {
    /// Does the next step.
    fn step<'a>(&mut self, shared: &'a Shared) -> Step<'a>;
}

/// A part of a queue, and what it shares with the others.
pub struct Worker {
    // In this order: the queue has ended when all that a worker owns is dropped.
    work: Box<dyn Work>,
    running: Running,
    name: String,
}

/// The result of a step for those that run workers without threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// There may be more to do.
    Again,
    /// There is nothing to do until a signal or a time.
    Waits {
        /// The time, if any.
        until: Option<Instant>,
        /// The signals before the wait.
        signals: u64,
        /// Which signal is waited for: that there are payloads, or any change.
        is_for_payloads: bool,
    },
    /// The worker has ended.
    Ended,
}

impl Worker {
    pub(super) fn new(name: String, shared: &Arc<Shared>, work: Box<dyn Work>) -> Self {
        Self {
            work,
            running: shared.begin(),
            name,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Works until the queue ends.
    pub fn run(mut self) {
        let shared = self.running.shared();
        loop {
            match self.work.step(&shared) {
                Step::Again => {}
                Step::Wait(wait) => wait.signal.wait(wait.state, wait.until),
                Step::End => return,
            }
        }
    }

    /// Does the next step.
    pub fn step(&mut self) -> Stepped {
        let shared = self.running.shared();
        match self.work.step(&shared) {
            Step::Again => Stepped::Again,
            Step::Wait(wait) => Stepped::Waits {
                until: wait.until,
                signals: wait.signal.count(),
                is_for_payloads: std::ptr::eq(wait.signal, &raw const shared.work),
            },
            Step::End => Stepped::Ended,
        }
    }

    /// Returns how often there was a signal: that there are payloads, or of any
    /// change.
    #[must_use]
    pub fn signals(&self, is_for_payloads: bool) -> u64 {
        let shared = self.running.shared();
        match is_for_payloads {
            true => shared.work.count(),
            false => shared.changed.count(),
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Worker");
        debug.field("name", &self.name).finish_non_exhaustive()
    }
}
