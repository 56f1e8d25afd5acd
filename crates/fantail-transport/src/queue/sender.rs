//! The worker that sends payloads to the target.

use std::{
    io, mem,
    time::{Duration, Instant},
};

use crate::{Backoff, Delivery, Payloads, Retry, Transport, TransportError, TransportErrorKind};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{Shared, State},
    source::{Next, Source},
    worker::{Step, Work},
};

/// Sends the payloads of a source until the source ends.
pub(super) struct Sender<S> {
    source: S,
    transport: Box<dyn Transport>,
    /// Transport for refused payloads.
    dead_letters: Option<Box<dyn Transport>>,
    backoff: Backoff,
    /// Delays between attempts to open the target without payloads.
    open_backoff: Backoff,
    max_age: Option<Duration>,
    /// The payloads that are being sent, without those that are settled or dropped.
    current: Taken,
    /// When the target is opened again, after it could not be.
    open: Option<Instant>,
    stage: Stage,
}

/// What the sender does next.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Open,
    /// Takes the next payloads from the source.
    Take,
    /// Tries to deliver the current payloads.
    Deliver,
    /// Waits before the next attempt.
    Pause(Instant),
}

impl<S> Sender<S> {
    pub(super) fn new(
        source: S,
        transport: Box<dyn Transport>,
        dead_letters: Option<Box<dyn Transport>>,
        [backoff, open_backoff]: [Backoff; 2],
        max_age: Option<Duration>,
    ) -> Self {
        Self {
            source,
            transport,
            dead_letters,
            backoff,
            open_backoff,
            max_age,
            current: Taken::default(),
            open: None,
            stage: Stage::Open,
        }
    }
}

impl<S: Source + Send> Work for Sender<S> {
    fn step<'a>(&mut self, shared: &'a Shared) -> Step<'a> {
        match self.stage {
            Stage::Open => {
                self.open = self.open(shared);
                self.stage = Stage::Take;
                Step::Again
            }
            Stage::Take => match self.source.next(shared, &mut self.current, self.open) {
                Next::Send => {
                    self.expire(shared);
                    self.stage = Stage::Deliver;
                    Step::Again
                }
                Next::Open => {
                    self.stage = Stage::Open;
                    Step::Again
                }
                Next::Reopen => {
                    self.reopen(shared);
                    Step::Again
                }
                Next::Step(step) => step,
            },
            Stage::Deliver => {
                self.deliver(shared);
                Step::Again
            }
            Stage::Pause(end) => self.pause(shared, end),
        }
    }
}

impl<S: Source> Sender<S> {
    /// Opens the target, so that errors show before the first payload. Returns
    /// when to try again after an error.
    fn open(&mut self, shared: &Shared) -> Option<Instant> {
        let letters = self.dead_letters.as_mut();
        let letters = letters.map_or(Ok(()), |transport| transport.open_target());
        let Err(error) = self.transport.open_target().and(letters) else {
            self.open_backoff.succeeded();
            shared.lock().health.works(Part::Target);
            shared.notify();
            return None;
        };
        shared.trouble(Part::Target, &error);
        let wait = self.open_backoff.failed(Retry::Backoff);
        debug_assert!(wait.is_some(), "the number of attempts is not limited");
        Some(shared.now() + wait.unwrap_or_default())
    }

    /// Tries once to deliver the current payloads.
    fn deliver(&mut self, shared: &Shared) {
        let mut current = mem::take(&mut self.current);
        let payloads = current.payloads();
        if payloads.is_empty() {
            self.stage = Stage::Take;
        } else {
            // Payloads that bypass the spool were not cut to the limits of the
            // transport.
            let limits = self.transport.batch_limits();
            let dropped = shared.lock().counters.dropped_in_all();
            self.transport.note_dropped(dropped);
            let part = payloads.fitting(limits.payloads, limits.bytes).max(1);
            let delivery = self.transport.deliver(payloads.split_at(part).0);
            let (done, rest) = payloads.split_at(delivery.settled());
            self.settle(shared, done, &delivery);
            if !done.is_empty() {
                self.backoff.succeeded();
            }
            let dropped = self.failed(shared, &delivery, rest);
            current.skip += done.len() + dropped;
        }
        self.current = current;
    }

    /// Sets what comes after an attempt. Returns how many of the other payloads were
    /// dropped.
    fn failed(&mut self, shared: &Shared, delivery: &Delivery, rest: Payloads<'_>) -> usize {
        let idle = TransportError::new(
            TransportErrorKind::Write,
            io::Error::other("the transport returned neither progress nor an error"),
        );
        let error = match delivery.error() {
            Some(error) => error,
            None if delivery.settled() == 0 => &idle,
            None => return 0,
        };
        shared.trouble(Part::Target, error);
        let Some(wait) = self.backoff.failed(error.retry()) else {
            self.give_up(shared, rest, DropReason::Failed);
            self.backoff.succeeded();
            return rest.len();
        };
        let now = shared.now();
        self.stage = Stage::Pause(now.checked_add(wait).unwrap_or(now));
        0
    }

    /// Waits before the next attempt. A closed queue tries until its deadline; if
    /// unsent payloads survive its end, it does not try again.
    fn pause<'a>(&mut self, shared: &'a Shared, end: Instant) -> Step<'a> {
        let mut state = shared.lock();
        let now = shared.now();
        let reopens = mem::take(&mut state.reopen);
        let is_over = |deadline: Instant| S::KEEPS || deadline <= now;
        if !reopens && state.closing.is_some_and(is_over) {
            drop(state);
            self.source.abandon(shared, self.current.payloads());
            self.stage = Stage::Take;
            return Step::Again;
        }
        if !reopens && end > now {
            return shared.wait_until(state, end);
        }
        drop(state);
        if reopens {
            self.reopen(shared);
        }
        self.expire(shared);
        shared.lock().counters.retried += self.current.payloads().len() as u64;
        self.stage = Stage::Deliver;
        Step::Again
    }

    fn settle(&mut self, shared: &Shared, done: Payloads<'_>, delivery: &Delivery) {
        if done.is_empty() {
            return;
        }
        let (mut refused, mut refused_bytes) = (0, 0);
        for refusal in delivery.refusals() {
            shared.trouble(Part::Target, &refusal.error);
            let (before, _) = done.split_at(refusal.payloads.end);
            let (_, these) = before.split_at(refusal.payloads.start);
            refused += these.len() as u64;
            refused_bytes += these.bytes();
            self.bury(shared, these);
        }
        self.source.settle(shared, done, |state| {
            if refused == 0 {
                state.health.works(Part::Target);
            }
            let counters = &mut state.counters;
            counters.sent += (done.len() as u64).saturating_sub(refused);
            counters.sent_bytes += done.bytes().saturating_sub(refused_bytes) as u64;
            counters.add_dropped(DropReason::Refused, refused);
        });
    }

    /// Writes refused payloads to the transport for them, in one attempt. They
    /// count as refused in any case.
    fn bury(&mut self, shared: &Shared, refused: Payloads<'_>) {
        let Some(transport) = &mut self.dead_letters else {
            return;
        };
        let mut rest = refused;
        while !rest.is_empty() {
            let delivery = transport.deliver(rest);
            let errors = delivery.refusals().iter().map(|refusal| &refusal.error);
            for error in errors.chain(delivery.error()) {
                shared.trouble(Part::Target, error);
            }
            if delivery.settled() == 0 || delivery.error().is_some() {
                return;
            }
            rest = rest.split_at(delivery.settled()).1;
        }
    }

    /// Drops current payloads beyond the maximum age.
    fn expire(&mut self, shared: &Shared) {
        let Some(most) = self.max_age else {
            return;
        };
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let limit = shared.system.even_millis().saturating_sub(most);
        let mut current = mem::take(&mut self.current);
        let payloads = current.payloads();
        let expired = payloads.offered_before(limit);
        self.give_up(shared, payloads.split_at(expired).0, DropReason::Expired);
        current.skip += expired;
        self.current = current;
    }

    fn give_up(&mut self, shared: &Shared, payloads: Payloads<'_>, reason: DropReason) {
        if !payloads.is_empty() {
            let count = payloads.len() as u64;
            let drop = |state: &mut State| state.counters.add_dropped(reason, count);
            self.source.settle(shared, payloads, drop);
        }
    }

    fn reopen(&mut self, shared: &Shared) {
        let dead_letters = self.dead_letters.as_mut();
        let reopened = dead_letters.map_or(Ok(()), |transport| transport.reopen());
        for result in [self.transport.reopen(), reopened] {
            if let Err(error) = result {
                shared.trouble(Part::Target, &error);
            }
        }
    }
}
