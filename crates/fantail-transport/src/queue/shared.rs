//! What a queue's handles and threads share.
//!
//! One lock, held for the length of a copy at most: never while a target or
//! a disk is waited for.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant, UNIX_EPOCH},
};

use crate::{
    Batch, BatchLimits, Payloads, Shortened, Transport, clock::unix_millis, spool::SpoolGauge,
};

use super::{
    DropReason, LastError, QueueCounters, QueueSettings, QueueStatus,
    buffer::{Buffer, Taken},
    trouble::Reporter,
};

/// How long to wait before a disk is tried again.
pub(super) const DISK_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) reporter: Reporter,
    state: Mutex<State>,
    /// There may be payloads for the thread that empties the buffer.
    work: Condvar,
    /// Anything else has changed.
    changed: Condvar,
    /// There is no target: payloads are sent when they are offered.
    pub(super) discards: bool,
    /// Unset where there is no spool, or not yet.
    gauge: OnceLock<SpoolGauge>,
    shortened: Shortened,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) buffer: Buffer,
    pub(super) counters: QueueCounters,
    pub(super) reopen: bool,
    /// No more payloads are taken, and all has to end by then.
    pub(super) closing: Option<Instant>,
    /// When the first payload that is on its way was offered.
    pub(super) on_its_way: Option<u64>,
    /// Counts what was spooled, so that the sender sees that there is more.
    pub(super) spooled: u64,
    /// The spool will get no more.
    pub(super) spool_closed: bool,
    /// Payloads that the disk did not take.
    pub(super) detour: Detour,
    /// What the thread that empties the buffer waits for.
    awaits: Awaits,
    /// Somebody waits for payloads to leave the buffer.
    watched: usize,
    last_error: Option<LastError>,
    /// Threads that have not ended.
    running: usize,
}

/// What the thread that empties the buffer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Nothing,
    /// Any payload.
    Any,
    /// More than a few, or the end of a moment.
    Much,
}

/// The way past a disk that takes nothing: from memory to the target.
#[derive(Debug, Default)]
pub(super) enum Detour {
    #[default]
    Free,
    /// The sender takes it once the spool is empty.
    Waiting(Taken),
    /// The sender has it.
    Taken,
}

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    Over,
    Reopen,
    Closing,
}

impl Shared {
    pub(super) fn new(
        settings: &QueueSettings,
        transport: &dyn Transport,
        reporter: Reporter,
    ) -> Self {
        // What goes to disk is cut for the transport when it is read again.
        let limits = match settings.level.spool() {
            Some(_) => BatchLimits::default(),
            None => transport.batch_limits(),
        };
        Self {
            reporter,
            state: Mutex::new(State {
                buffer: Buffer::new(settings, limits),
                counters: QueueCounters::default(),
                reopen: false,
                closing: None,
                on_its_way: None,
                spooled: 0,
                spool_closed: false,
                detour: Detour::Free,
                awaits: Awaits::Nothing,
                watched: 0,
                last_error: None,
                running: 0,
            }),
            work: Condvar::new(),
            changed: Condvar::new(),
            discards: false,
            gauge: OnceLock::new(),
            shortened: transport.shortened(),
        }
    }

    /// A thread that panicked leaves counters that are still true enough.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offer(&self, batch: &mut Batch) {
        batch.offered(unix_millis());
        let count = batch.len() as u64;
        let mut guard = self.lock();
        let state = &mut *guard;
        state.counters.queued += count;
        if state.closing.is_some() {
            state.counters.add_dropped(DropReason::Closed, count);
            return;
        }
        let dropped = state.buffer.push(batch);
        state.counters.add_dropped(DropReason::Full, dropped);
        let wake = match state.awaits {
            Awaits::Nothing => false,
            Awaits::Any => !state.buffer.is_empty(),
            Awaits::Much => state.buffer.has_much(),
        };
        if wake {
            state.awaits = Awaits::Nothing;
            drop(guard);
            self.work.notify_one();
        }
    }

    /// Payloads that are sent as soon as they are offered.
    pub(super) fn discard(&self, payloads: u64, bytes: u64) {
        let mut state = self.lock();
        let is_open = state.closing.is_none();
        state.counters.add_discarded(payloads, bytes, is_open);
    }

    /// Waits for payloads in the buffer, for a change, or for a time.
    ///
    /// A thread that has just been at work lies down for a moment of this
    /// length, and looks again by itself: only much wakes it before. To wake
    /// it costs whoever makes payloads more than a payload does, and a thread
    /// that wakes twice as often takes the processor from others twice as
    /// often. Once nothing came for a moment, any payload wakes it.
    pub(super) fn wait_for_work<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        until: Option<Instant>,
        moment: Duration,
    ) -> MutexGuard<'a, State> {
        let end = Instant::now() + moment;
        state.awaits = Awaits::Much;
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

    /// Waits for any change, or for a time.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        wait(&self.changed, state, until)
    }

    /// The sender waits before another attempt; not beyond the time at which
    /// all has to end, and not at all while closing if `hasty`.
    pub(super) fn pause(&self, wait: Duration, hasty: bool) -> Pause {
        self.pause_unless(wait, |state, now| {
            if std::mem::take(&mut state.reopen) {
                return Some(Pause::Reopen);
            }
            let ended = state.closing.is_some_and(|end| hasty || end <= now);
            ended.then_some(Pause::Closing)
        })
    }

    /// Waits before a disk is tried again; whether it may be, as it may not
    /// once all has to end.
    pub(super) fn pause_for_disk(&self, wait: Duration) -> bool {
        let ended = |state: &mut State, now| {
            let ended = state.closing.is_some_and(|end| end <= now);
            ended.then_some(Pause::Closing)
        };
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
            // After a deadline that did not end the pause.
            let until = if until <= now { over } else { until };
            state = self.wait(state, Some(until));
        }
    }

    /// The spool is there, with so many payloads of before.
    pub(super) fn found_spool(&self, gauge: SpoolGauge, recovered: u64) {
        // It is found once.
        let _ = self.gauge.set(gauge);
        self.lock().counters.recovered = recovered;
    }

    /// What waits in memory is lost with the end of the queue.
    pub(super) fn lose_waiting(&self) {
        let mut state = self.lock();
        let dropped = state.buffer.drop_waiting();
        state.counters.add_dropped(DropReason::Closed, dropped);
        drop(state);
        self.notify();
    }

    /// Payloads are held in memory no more.
    pub(super) fn leave(&self, payloads: Payloads<'_>, count: impl FnOnce(&mut QueueCounters)) {
        let mut state = self.lock();
        state.buffer.leave(payloads);
        count(&mut state.counters);
        let watched = state.watched > 0;
        drop(state);
        if watched {
            self.changed.notify_all();
        }
    }

    /// Counts a failure, and tells of it if it is time.
    pub(super) fn trouble(&self, error: &(dyn std::error::Error + 'static)) {
        let mut state = self.lock();
        state.counters.failures += 1;
        let millis = Duration::from_millis(unix_millis());
        state.last_error = Some(LastError {
            message: error.to_string(),
            time: UNIX_EPOCH.checked_add(millis).unwrap_or(UNIX_EPOCH),
        });
        drop(state);
        self.reporter.report(error);
    }

    /// Wakes all threads: something was asked of them.
    pub(super) fn wake(&self) {
        self.work.notify_all();
        self.changed.notify_all();
    }

    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    pub(super) fn status(&self) -> QueueStatus {
        let (spooled, spool_bytes) = self.gauge.get().map_or((0, 0), SpoolGauge::waiting);
        let state = self.lock();
        let oldest = [state.on_its_way, state.buffer.oldest()];
        let oldest = oldest.into_iter().flatten().min();
        QueueStatus {
            counters: state.counters,
            waiting: spooled + state.buffer.payloads() as u64,
            shortened: self.shortened.get(),
            memory_bytes: state.buffer.bytes() as u64,
            spool_bytes,
            oldest: oldest.map(|at| Duration::from_millis(unix_millis().saturating_sub(at))),
            last_error: state.last_error.clone(),
        }
    }

    /// Waits until all that was offered so far has left the memory.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let deadline = Instant::now().checked_add(patience);
        let mut state = self.lock();
        let entered = state.buffer.entered();
        let left = |state: &State| {
            let on_time = state.buffer.left() >= entered;
            on_time && matches!(state.detour, Detour::Free)
        };
        state.watched += 1;
        self.work.notify_all();
        while !left(&state) && deadline.is_none_or(|end| Instant::now() < end) {
            state = self.wait(state, deadline);
        }
        state.watched -= 1;
        left(&state)
    }

    /// Takes no more payloads; all has to end by `deadline`.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.lock();
        let earlier = state.closing.is_none_or(|end| deadline < end);
        if earlier {
            state.closing = Some(deadline);
        }
        drop(state);
        self.wake();
    }

    /// Waits until all threads have ended.
    pub(super) fn wait_for_end(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while state.running > 0 && Instant::now() < until {
            state = self.wait(state, Some(until));
        }
        state.running == 0
    }

    /// No thread is left to send what the disk did not take.
    pub(super) fn close_detour(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Detour::Waiting(taken) = std::mem::take(&mut state.detour) {
            let payloads = taken.payloads();
            let count = payloads.len() as u64;
            state.buffer.leave(payloads);
            state.counters.add_dropped(DropReason::Closed, count);
        }
    }

    /// A thread begins; it has ended when what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.lock().running += 1;
        Running(Arc::clone(self))
    }
}

/// A thread of the queue, also one that panics.
pub(super) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.notify();
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
