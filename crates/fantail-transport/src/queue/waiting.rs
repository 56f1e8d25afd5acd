//! Waits of the threads of a queue.

use std::{
    sync::{Condvar, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::shared::{Awaits, Shared, State};

/// The end of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    Over,
    Reopen,
    Closing,
}

impl Shared {
    /// Waits for payloads in the buffer, for a change, or for a time.
    ///
    /// A thread that has just worked sleeps for `delay`; only many payloads
    /// wake it earlier. A wake-up costs the producer more than a payload does.
    /// After a delay without payloads, any payload wakes the thread.
    pub(super) fn wait_for_work<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        until: Option<Instant>,
        delay: Duration,
    ) -> MutexGuard<'a, State> {
        let end = Instant::now() + delay;
        state.awaits = Awaits::Batch;
        let end = until.map_or(end, |until| until.min(end));
        let mut state = wait(&self.work, state, Some(end));
        let hurried = state.closing.is_some() || state.reopen || state.watched > 0;
        if !hurried && state.buffer.is_empty() {
            state.awaits = Awaits::Any;
            state = wait(&self.work, state, until);
        }
        state.awaits = Awaits::Nothing;
        state
    }

    /// Waits for any change or until a time.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        wait(&self.changed, state, until)
    }

    /// Waits before the next attempt, until the deadline of a closed queue at
    /// the latest. With `hasty`, a closed queue does not wait.
    pub(super) fn pause(&self, wait: Duration, hasty: bool) -> Pause {
        self.pause_unless(wait, |state, now| {
            if std::mem::take(&mut state.reopen) {
                return Some(Pause::Reopen);
            }
            let ended = state.closing.is_some_and(|end| hasty || end <= now);
            ended.then_some(Pause::Closing)
        })
    }

    /// Waits before a disk is tried again; returns `false` after the deadline of
    /// a closed queue.
    pub(super) fn pause_for_disk(&self, wait: Duration) -> bool {
        let ended = |state: &mut State, now| {
            let ended = state.closing.is_some_and(|end| end <= now);
            ended.then_some(Pause::Closing)
        };
        self.pause_unless(wait, ended) == Pause::Over
    }

    /// Waits before the next attempt; returns `false` once the queue is closed.
    pub(super) fn pause_until_closed(&self, wait: Duration) -> bool {
        let ended = |state: &mut State, _| state.closing.is_some().then_some(Pause::Closing);
        self.pause_unless(wait, ended) == Pause::Over
    }

    fn pause_unless(
        &self,
        wait: Duration,
        mut ended: impl FnMut(&mut State, Instant) -> Option<Pause>,
    ) -> Pause {
        let now = Instant::now();
        let over = now.checked_add(wait).unwrap_or(now);
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if let Some(pause) = ended(&mut state, now) {
                return pause;
            }
            if over <= now {
                return Pause::Over;
            }
            let until = state.closing.map_or(over, |end| end.min(over));
            // The deadline has passed and did not end the pause.
            let until = if until <= now { over } else { until };
            state = self.wait(state, Some(until));
        }
    }
}

fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
) -> MutexGuard<'a, State> {
    match until {
        None => condition
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner),
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            let waited = condition.wait_timeout(state, left);
            waited.unwrap_or_else(PoisonError::into_inner).0
        }
    }
}
