//! Waits of the workers.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::sync::MutexGuard;

use super::{
    shared::{Awaits, Shared, State},
    worker::{Step, Wait},
};

impl Shared {
    /// Returns a wait for payloads in the buffer, for a change, or for a time.
    ///
    /// A worker that has just worked sleeps for `delay`; only many payloads wake it
    /// earlier. A wake-up costs the producer more than a payload does. After a delay
    /// without payloads, `has_rested` is set, and any payload wakes the worker.
    pub(super) fn wait_for_work<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        has_rested: &mut bool,
        until: Option<Instant>,
        delay: Duration,
    ) -> Wait<'a> {
        let mut until = until;
        if mem::replace(has_rested, true) {
            state.awaits = Awaits::Any;
        } else {
            state.awaits = Awaits::Batch;
            let end = self.now() + delay;
            until = Some(until.map_or(end, |until| until.min(end)));
        }
        Wait {
            state,
            signal: &self.work,
            until,
        }
    }

    /// Returns a wait for any change or for a time.
    pub(super) fn wait_for_change<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> Step<'a> {
        Step::Wait(Wait {
            state,
            signal: &self.changed,
            until,
        })
    }

    /// Returns a wait until a time, or until the deadline of a closed queue if that
    /// is earlier.
    pub(super) fn wait_until<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        time: Instant,
    ) -> Step<'a> {
        let until = state.closing.map_or(time, |end| end.min(time));
        self.wait_for_change(state, Some(until))
    }
}
