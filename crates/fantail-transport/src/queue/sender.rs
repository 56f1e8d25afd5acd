//! The thread that sends payloads to the target.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Backoff, Delivery, Payloads, Retry, Transport, TransportError, TransportErrorKind,
    system::{REAL, System as _},
};

use super::{
    DropReason,
    buffer::Taken,
    health::Part,
    shared::{Shared, State},
    source::{Next, Source},
    waiting::Pause,
};

/// Sends the payloads of a source until the source ends.
pub(super) struct Sender<S> {
    pub(super) shared: Arc<Shared>,
    pub(super) source: S,
    pub(super) transport: Box<dyn Transport>,
    /// Transport for refused payloads.
    pub(super) dead_letters: Option<Box<dyn Transport>>,
    pub(super) backoff: Backoff,
    /// Delays between attempts to open the target without payloads.
    pub(super) open_backoff: Backoff,
    pub(super) max_age: Option<Duration>,
}

impl<S: Source> Sender<S> {
    pub(super) fn run(mut self) {
        let mut current = Taken::default();
        let mut open = self.open();
        loop {
            match self.source.next(&mut current, open) {
                Next::Send => self.send(current.payloads()),
                Next::Open => open = self.open(),
                Next::Reopen => self.reopen(),
                Next::End => return,
            }
        }
    }

    /// Opens the target, so that errors show before the first payload. Returns
    /// when to try again after an error.
    fn open(&mut self) -> Option<Instant> {
        let letters = self.dead_letters.as_mut();
        let letters = letters.map_or(Ok(()), |transport| transport.open_target());
        let Err(error) = self.transport.open_target().and(letters) else {
            self.open_backoff.succeeded();
            self.shared.lock().health.works(Part::Target);
            self.shared.notify();
            return None;
        };
        self.shared.trouble(Part::Target, &error);
        let wait = self.open_backoff.failed(Retry::Backoff);
        debug_assert!(wait.is_some(), "the number of attempts is not limited");
        Some(Instant::now() + wait.unwrap_or_default())
    }

    /// Sends payloads until all are settled or dropped, or the queue is closed.
    fn send(&mut self, payloads: Payloads<'_>) {
        let mut rest = self.expire(payloads);
        while !rest.is_empty() {
            // Payloads that bypass the spool were not cut to the limits of the
            // transport.
            let limits = self.transport.batch_limits();
            let part = rest.fitting(limits.payloads, limits.bytes).max(1);
            let delivery = self.transport.deliver(rest.split_at(part).0);
            let (done, left) = rest.split_at(delivery.settled());
            self.settle(done, &delivery);
            if !done.is_empty() {
                self.backoff.succeeded();
            }
            rest = left;
            let idle = TransportError::new(
                TransportErrorKind::Write,
                io::Error::other("the transport returned neither progress nor an error"),
            );
            let error = match delivery.error() {
                Some(error) => error,
                None if done.is_empty() => &idle,
                None => continue,
            };
            self.shared.trouble(Part::Target, error);
            let Some(wait) = self.backoff.failed(error.retry()) else {
                self.give_up(rest, DropReason::Failed);
                self.backoff.succeeded();
                return;
            };
            match self.shared.pause(wait, S::KEEPS) {
                Pause::Over => {}
                Pause::Reopen => self.reopen(),
                Pause::Closing => return self.source.abandon(rest),
            }
            rest = self.expire(rest);
            self.shared.lock().counters.retried += rest.len() as u64;
        }
    }

    fn settle(&mut self, done: Payloads<'_>, delivery: &Delivery) {
        if done.is_empty() {
            return;
        }
        let (mut refused, mut refused_bytes) = (0, 0);
        for refusal in delivery.refusals() {
            self.shared.trouble(Part::Target, &refusal.error);
            let (before, _) = done.split_at(refusal.payloads.end);
            let (_, these) = before.split_at(refusal.payloads.start);
            refused += these.len() as u64;
            refused_bytes += these.bytes();
            self.bury(these);
        }
        self.source.settle(done, |state| {
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
    fn bury(&mut self, refused: Payloads<'_>) {
        let Some(transport) = &mut self.dead_letters else {
            return;
        };
        let mut rest = refused;
        while !rest.is_empty() {
            let delivery = transport.deliver(rest);
            let errors = delivery.refusals().iter().map(|refusal| &refusal.error);
            for error in errors.chain(delivery.error()) {
                self.shared.trouble(Part::Target, error);
            }
            if delivery.settled() == 0 || delivery.error().is_some() {
                return;
            }
            rest = rest.split_at(delivery.settled()).1;
        }
    }

    /// Drops payloads beyond the maximum age and returns the others.
    fn expire<'a>(&mut self, payloads: Payloads<'a>) -> Payloads<'a> {
        let Some(most) = self.max_age else {
            return payloads;
        };
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let limit = REAL.even_millis().saturating_sub(most);
        let (expired, others) = payloads.split_at(payloads.offered_before(limit));
        self.give_up(expired, DropReason::Expired);
        others
    }

    fn give_up(&mut self, payloads: Payloads<'_>, reason: DropReason) {
        if !payloads.is_empty() {
            let count = payloads.len() as u64;
            let drop = |state: &mut State| state.counters.add_dropped(reason, count);
            self.source.settle(payloads, drop);
        }
    }

    fn reopen(&mut self) {
        let dead_letters = self.dead_letters.as_mut();
        let reopened = dead_letters.map_or(Ok(()), |transport| transport.reopen());
        for result in [self.transport.reopen(), reopened] {
            if let Err(error) = result {
                self.shared.trouble(Part::Target, &error);
            }
        }
    }
}
