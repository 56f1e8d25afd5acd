//! State shared by the handles and workers of a queue.
//!
//! One lock, held for at most one copy of a batch and never during I/O.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use crate::{
    Batch, BatchLimits, Payloads, Shortened, Transport,
    spool::{SpoolGauge, SpoolReader},
    sync::{Mutex, MutexGuard, PoisonError, Signal},
    system::System,
};

use super::{
    DropReason, Opening, QueueCounters, QueueSettings, QueueStatus,
    buffer::{Buffer, Taken},
    health::{Health, Part},
    memory::QueueMemory,
    trouble::Reporter,
};

/// Delay before a failed disk is tried again.
pub(super) const DISK_RETRY_DELAY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) system: &'static dyn System,
    pub(super) reporter: Reporter,
    state: Mutex<State>,
    /// Signals payloads to the worker that empties the buffer.
    pub(super) work: Signal,
    /// Signals any other change.
    pub(super) changed: Signal,
    /// The queue has no target: payloads count as sent when they are offered.
    pub(super) discards: bool,
    /// Set once the spool is open.
    gauge: OnceLock<SpoolGauge>,
    shortened: Shortened,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) buffer: Buffer,
    pub(super) counters: QueueCounters,
    pub(super) reopen: bool,
    /// The deadline of a closed queue, which accepts no payloads.
    pub(super) closing: Option<Instant>,
    /// When the first payload that is being sent was offered.
    pub(super) on_its_way: Option<u64>,
    /// Counts writes to the spool, so that the sender notices new ones.
    pub(super) spooled: u64,
    /// No more payloads are written to the spool.
    pub(super) spool_closed: bool,
    /// Payloads that the disk did not accept.
    pub(super) detour: Detour,
    /// What the worker that empties the buffer waits for.
    pub(super) awaits: Awaits,
    /// Number of callers that wait for payloads to leave the buffer.
    pub(super) watched: usize,
    pub(super) health: Health,
    /// The reading end of the spool, until the sender takes it.
    pub(super) reader: Option<SpoolReader>,
    /// Workers that have not ended.
    running: usize,
}

/// What the worker that empties the buffer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    Nothing,
    /// Any payload.
    Any,
    /// Many payloads, or the end of a delay.
    Batch,
}

/// The way from memory to the target past a disk that accepts nothing.
#[derive(Debug, Default)]
pub(super) enum Detour {
    #[default]
    Free,
    /// The payloads wait until the sender has emptied the spool.
    Waiting(Taken),
    /// The sender has the payloads.
    Taken,
}

impl State {
    /// Begins a step of the worker that empties the buffer: it waits for nothing.
    pub(super) const fn begin_step(&mut self) {
        self.awaits = Awaits::Nothing;
    }

    /// Counts payloads that the end of the queue drops.
    pub(super) fn drop_closed(&mut self, payloads: Payloads<'_>) {
        let count = payloads.len() as u64;
        self.counters.add_dropped(DropReason::Closed, count);
    }
}

impl Shared {
    pub(super) fn new(
        system: &'static dyn System,
        settings: &QueueSettings,
        transport: &dyn Transport,
        reporter: Reporter,
        opens_spool: bool,
        memory: Option<Arc<dyn QueueMemory>>,
    ) -> Self {
        // Spooled payloads are cut for the transport when they are read.
        let limits = match settings.level.spool() {
            Some(_) => BatchLimits::default(),
            None => transport.batch_limits(),
        };
        Self {
            system,
            reporter,
            state: Mutex::new(State {
                buffer: Buffer::new(settings, limits, memory).of_run(system.random()),
                counters: QueueCounters::default(),
                reopen: false,
                closing: None,
                on_its_way: None,
                spooled: 0,
                spool_closed: false,
                detour: Detour::Free,
                awaits: Awaits::Nothing,
                watched: 0,
                health: Health::new(opens_spool),
                reader: None,
                running: 0,
            }),
            work: Signal::default(),
            changed: Signal::default(),
            discards: false,
            gauge: OnceLock::new(),
            shortened: transport.shortened(),
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.system.now()
    }

    /// Locks the state. Each change is complete before the lock is released, so
    /// a thread that panicked left a valid state.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offer(&self, batch: &mut Batch) {
        batch.offered(self.system.even_millis());
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
            Awaits::Batch => state.buffer.is_due(),
        };
        if wake {
            state.awaits = Awaits::Nothing;
            drop(guard);
            self.work.notify_one();
        }
    }

    /// Counts payloads of a queue without a target.
    pub(super) fn discard(&self, payloads: u64, bytes: u64) {
        let mut state = self.lock();
        let is_open = state.closing.is_none();
        state.counters.add_discarded(payloads, bytes, is_open);
    }

    /// Hands the reading end of the opened spool to the sender.
    pub(super) fn found_spool(&self, mut reader: SpoolReader) {
        let set = self.gauge.set(reader.gauge());
        debug_assert!(set.is_ok(), "a spool is opened once");
        let mut state = self.lock();
        state.counters.recovered = reader.recovered();
        // They neither wait nor are read.
        let damaged = reader.take_damaged();
        state.counters.add_dropped(DropReason::Damaged, damaged);
        state.reader = Some(reader);
        state.health.works(Part::Writer);
        drop(state);
        self.notify();
    }

    /// Ends the writing to the spool; the sender ends after the last payload.
    pub(super) fn close_spool(&self) {
        self.lock().spool_closed = true;
        self.notify();
    }

    /// Drops all payloads in memory at the end of the queue.
    pub(super) fn lose_waiting(&self) {
        let mut state = self.lock();
        let dropped = state.buffer.drop_waiting();
        state.counters.add_dropped(DropReason::Closed, dropped);
        drop(state);
        self.notify();
    }

    /// Releases payloads from memory.
    pub(super) fn leave(&self, payloads: Payloads<'_>, count: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        state.buffer.leave(payloads);
        count(&mut state);
        let watched = state.watched > 0;
        drop(state);
        if watched {
            self.changed.notify_all();
        }
    }

    /// Counts a failure and reports it if a report is due.
    pub(super) fn trouble(&self, part: Part, error: &(dyn std::error::Error + 'static)) {
        let mut state = self.lock();
        state.counters.failures += 1;
        state.health.failed(part, error, self.system.unix_millis());
        drop(state);
        self.notify();
        self.reporter.report(error, self.now());
    }

    /// Wakes all threads after a request.
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
            oldest: oldest
                .map(|at| Duration::from_millis(self.system.even_millis().saturating_sub(at))),
            last_error: state.health.last_error(),
        }
    }

    /// Waits until target and spool are open or one of them failed to open.
    pub(super) fn wait_until_open(&self, until: Instant) -> Opening {
        let mut state = self.lock();
        loop {
            let opening = state.health.opening();
            let is_over = self.now() >= until || state.closing.is_some();
            if !matches!(opening, Opening::Pending) || is_over {
                return opening;
            }
            state = self.changed.wait_locked(state, Some(until));
        }
    }

    /// Waits until all payloads offered so far have left the memory.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let deadline = self.now().checked_add(patience);
        let mut state = self.lock();
        let entered = state.buffer.entered();
        let left = |state: &State| {
            let on_time = state.buffer.left() >= entered;
            on_time && matches!(state.detour, Detour::Free)
        };
        state.watched += 1;
        self.work.notify_all();
        while !left(&state) && deadline.is_none_or(|end| self.now() < end) {
            state = self.changed.wait_locked(state, deadline);
        }
        state.watched -= 1;
        left(&state)
    }

    /// Stops accepting payloads; the workers end by `deadline`.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.lock();
        let earlier = state.closing.is_none_or(|end| deadline < end);
        if earlier {
            state.closing = Some(deadline);
        }
        drop(state);
        self.wake();
    }

    /// Returns whether all workers have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().running == 0
    }

    /// Waits until all workers have ended.
    pub(super) fn wait_for_end(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while state.running > 0 && self.now() < until {
            state = self.changed.wait_locked(state, Some(until));
        }
        state.running == 0
    }

    /// Drops payloads past the disk that no worker is left to send.
    pub(super) fn close_detour(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Detour::Waiting(taken) = std::mem::take(&mut state.detour) {
            state.buffer.leave(taken.payloads());
            state.drop_closed(taken.payloads());
        }
    }

    /// Counts a worker until the returned guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.lock().running += 1;
        Running(Arc::clone(self))
    }
}

/// Guard of a running worker; a panic drops it, too.
pub(super) struct Running(Arc<Shared>);

impl Running {
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.notify();
    }
}
