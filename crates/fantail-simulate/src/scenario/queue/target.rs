//! A target that lies, hangs, resets and refuses.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fantail_transport::{
    Delivery, Payloads, Retry, Transport, TransportError, TransportErrorKind, internal::Worker,
};

use crate::{
    broken::Broken,
    fault::Fault,
    payload,
    world::{World, with},
};

/// What a target knows of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// It arrived, and the target did not say so: it may come again.
    Unsaid,
    /// The target said so.
    Said,
}

/// What has arrived, over all processes.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    payloads: BTreeMap<u64, Arrival>,
    /// The payloads of the last attempt.
    last_batch: Vec<u64>,
    /// How many the target said had arrived in this process.
    pub(super) said: u64,
    /// Whether the target always works.
    pub(super) is_good: bool,
    /// Payloads that arrive for the first time come in order.
    pub(super) is_ordered: bool,
    newest: u64,
    broken: Option<Broken>,
    /// The other worker of the queue, which works while the target takes its time.
    pub(super) other: Option<Worker>,
}

/// The target, which outlives the queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Target(Arc<Mutex<Arrived>>);

impl Target {
    pub(super) fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrived {
    pub(super) fn has(&self, id: u64) -> bool {
        self.payloads.contains_key(&id)
    }

    /// Returns the first invariant that did not hold.
    pub(super) fn check(&mut self) -> Result<(), Broken> {
        self.broken.take().map_or(Ok(()), Err)
    }

    /// A new process begins. After a kill, it may repeat the last batch; after other
    /// losses, any payload.
    pub(super) fn restart(&mut self, repeats_all: bool) {
        let in_doubt = std::mem::take(&mut self.last_batch);
        for (id, arrival) in &mut self.payloads {
            if repeats_all || in_doubt.contains(id) {
                *arrival = Arrival::Unsaid;
            }
        }
        self.said = 0;
    }

    fn arrive(&mut self, id: u64, arrival: Arrival) {
        with(|world| world.note(|| format!("{id} arrives, {arrival:?}")));
        match self.payloads.insert(id, arrival) {
            Some(Arrival::Said) => self.fail(format!("{id} arrived again")),
            None if self.is_ordered && id < self.newest => {
                let newest = self.newest;
                self.fail(format!("{id} arrived after {newest}"));
            }
            _ => self.newest = self.newest.max(id),
        }
        self.said += u64::from(arrival == Arrival::Said);
    }

    fn fail(&mut self, message: String) {
        self.broken.get_or_insert_with(|| Broken::new(message));
    }
}

/// What a target does with an attempt.
enum Answer {
    All,
    /// Takes some, and says so.
    Some(usize, Option<TransportError>),
    /// Takes some, and resets the connection before it says so.
    Resets(usize),
    /// Refuses the first for good.
    Refuses,
}

impl Transport for Target {
    fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
        Err(error(Retry::Never))
    }

    fn confirms(&self) -> bool {
        true
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let mut delivery = Delivery::new();
        if with(|world| world.is_stopped) {
            delivery.stopped(error(Retry::Backoff));
            return delivery;
        }
        self.take_time();
        let mut arrived = self.lock();
        let ids: Result<Vec<u64>, Broken> = payloads.iter().map(payload::id).collect();
        let ids = match ids {
            Ok(ids) => ids,
            Err(broken) => {
                arrived.broken.get_or_insert(broken);
                Vec::new()
            }
        };
        arrived.last_batch.clone_from(&ids);
        let answer = match arrived.is_good {
            true => Answer::All,
            false => with(|world| draw(world, ids.len())),
        };
        let forgets = with(|world| world.fault == Some(Fault::TargetsForget) && world.one_in(3));
        let mut take = |count: usize, arrival| {
            for id in ids.iter().take(count).filter(|_| !forgets) {
                arrived.arrive(*id, arrival);
            }
        };
        match answer {
            Answer::All => {
                take(ids.len(), Arrival::Said);
                delivery.arrived(ids.len());
            }
            Answer::Some(count, error) => {
                take(count, Arrival::Said);
                delivery.arrived(count);
                if let Some(error) = error {
                    delivery.stopped(error);
                }
            }
            Answer::Resets(count) => {
                take(count, Arrival::Unsaid);
                delivery.stopped(error(Retry::Now));
            }
            Answer::Refuses => delivery.refused(1, error(Retry::Never)),
        }
        // The process may die before it knows the answer.
        with(|world| {
            if world.calls_left.is_some() && world.one_in(100) {
                world.is_stopped = true;
                world.note(|| "-- the machine stops".to_owned());
            }
        });
        delivery
    }
}

impl Target {
    /// Lets time pass, in which the other worker goes on.
    fn take_time(&self) {
        let good = self.lock().is_good;
        let steps = with(|world| {
            let hangs = !good && world.one_in(10);
            let millis = world.random.u64(..if hangs { 20_000 } else { 50 });
            world.pass(Duration::from_millis(millis));
            world.random.u32(..4)
        });
        let mut other = self.lock().other.take();
        if let Some(worker) = &mut other {
            for _ in 0..steps {
                _ = worker.step();
            }
        }
        self.lock().other = other;
    }
}

fn draw(world: &mut World, payloads: usize) -> Answer {
    let some = world.random.usize(..=payloads);
    let retry = match world.random.u32(..4) {
        0 => Retry::After(Duration::from_millis(world.random.u64(..10_000))),
        1 => Retry::Now,
        _ => Retry::Backoff,
    };
    match world.random.u32(..12) {
        0 => Answer::Some(some, Some(error(retry))),
        1 => Answer::Some(some, None),
        2 => Answer::Resets(some),
        3 => Answer::Refuses,
        4 => Answer::Some(0, Some(error(retry))),
        _ => Answer::All,
    }
}

fn error(retry: Retry) -> TransportError {
    let source = io::Error::other("the target does not work");
    TransportError::new(TransportErrorKind::Write, source).with_retry(retry)
}
