//! A queue with its workers, a target and a spool, through several processes.
//!
//! The steps of the workers and the offers of payloads come in an order that the
//! seed gives. A worker runs only if it was signalled or its time has come, so that a
//! missing signal shows.

mod ledger;
mod target;

use std::{num::NonZeroU32, time::Duration};

use fantail_transport::{
    Batch, DeliveryLevel, Overflow, Queue, QueueSettings, RetrySettings, SpoolSettings,
    internal::{Stepped, Worker},
    spool::Fsync,
};

use self::{ledger::Ledger, target::Target};
use crate::{
    broken::{Broken, holds},
    fault::Fault,
    payload,
    system::SIMULATED,
    world::{Troubles, World, with},
};

/// Patience of a queue that is closed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Steps after which a queue that goes on is one that never ends.
const MOST_STEPS: u32 = 20_000;

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let settings = with(draw_settings);
    let troubles = with(draw_troubles);
    let target = Target::default();
    let mut ledger = Ledger::new(&settings);
    for _ in 0..with(|world| world.random.u32(1..5)) {
        target.lock().is_good = with(|world| {
            world.troubles = troubles;
            let calls = world.random.u64(..400);
            world.calls_left = world.random.bool().then_some(calls);
            world.one_in(4)
        });
        let mut life = Life::start(&settings, &target, &mut ledger)?;
        let steps = with(|world| world.random.u32(..500));
        life.live(steps)?;
        let closes = with(|world| world.random.bool());
        if closes {
            life.close()?;
        }
        life.end();
        let loses_power = with(|world| {
            let loses_power = world.random.bool();
            world.disk.capacity = u64::MAX;
            world.restart(loses_power);
            loses_power
        });
        let repeats_all = loses_power || troubles.writes > 0 || troubles.syncs > 0;
        target.lock().restart(repeats_all);
        ledger.restart(loses_power);
    }
    with(|world| world.troubles = Troubles::default());
    target.lock().is_good = true;
    let mut life = Life::start(&settings, &target, &mut ledger)?;
    life.empty()?;
    life.close()?;
    life.end();
    ledger.all_arrived(&target.lock())
}

fn draw_settings(world: &mut World) -> QueueSettings {
    let fsync = match world.random.u32(..3) {
        0 => Fsync::Never,
        1 => Fsync::Interval(Duration::from_secs(1)),
        _ => Fsync::Always,
    };
    let overflow = match world.random.bool() {
        true => Overflow::DropNewest,
        false => Overflow::DropOldest,
    };
    let spool = SpoolSettings {
        bytes: 64 * 1024,
        fsync,
        overflow,
        ..SpoolSettings::new("/spool")
    };
    QueueSettings {
        payloads: world.random.usize(4..200),
        bytes: 64 * 1024,
        overflow,
        level: match world.random.u32(..3) {
            0 => DeliveryLevel::BestEffort,
            1 => DeliveryLevel::Spool(spool),
            _ => DeliveryLevel::Acknowledged(spool),
        },
        retry: RetrySettings {
            attempts: NonZeroU32::new(world.random.u32(..6)),
            ..RetrySettings::default()
        },
        max_age: match world.random.u32(..3) {
            0 => Some(Duration::from_secs(world.random.u64(10..100))),
            _ => None,
        },
    }
}

fn draw_troubles(world: &mut World) -> Troubles {
    match world.random.u32(..3) {
        0 => Troubles {
            reads: 200,
            writes: 60,
            syncs: 40,
            short: 20,
        },
        _ => Troubles::default(),
    }
}

/// A process that has the queue.
struct Life<'a> {
    queue: Queue,
    sender: Option<(Worker, Stepped)>,
    /// The disk worker; the target has it while an attempt takes its time.
    spooler: Option<Stepped>,
    target: &'a Target,
    ledger: &'a mut Ledger,
}

impl<'a> Life<'a> {
    fn start(
        settings: &QueueSettings,
        target: &'a Target,
        ledger: &'a mut Ledger,
    ) -> Result<Self, Broken> {
        let queue = Queue::builder("simulated", Box::new(target.clone()));
        let built = queue.settings(settings.clone()).on(&SIMULATED).build();
        let (queue, workers) = built.map_err(|error| Broken::new(error.to_string()))?;
        let mut workers = workers.into_iter();
        let sender = workers.next().map(|worker| (worker, Stepped::Again));
        let spooler = workers.next();
        let mut arrived = target.lock();
        // What went past a full disk may come later.
        arrived.is_ordered = spooler.is_none();
        let life = Self {
            queue,
            sender,
            spooler: spooler.is_some().then_some(Stepped::Again),
            target,
            ledger,
        };
        arrived.other = spooler;
        drop(arrived);
        Ok(life)
    }

    fn live(&mut self, steps: u32) -> Result<(), Broken> {
        for _ in 0..steps {
            if with(|world| world.is_stopped) {
                break;
            }
            match with(|world| world.random.u32(..100)) {
                0..30 => self.offer(),
                30..32 => with(|world| world.pass(Duration::from_secs(1))),
                32 => with(|world| {
                    let by = world.random.i64(-10_000_000..10_000_000);
                    world.set_clock(by);
                }),
                33 => self.queue.reopen(),
                34 => with(World::fill_or_empty_disk),
                _ => drop(self.step()?),
            }
            self.check()?;
        }
        Ok(())
    }

    fn offer(&mut self) {
        let mut batch = Batch::new();
        let ids = self.ledger.offer(with(|world| world.random.u64(1..8)));
        for id in ids.clone() {
            batch.push(&payload::of(id));
        }
        with(|world| world.note(|| format!("offer {ids:?}")));
        let before = self.queue.counters().dropped_in_all();
        self.queue.offer(&mut batch);
        let dropped = self.queue.counters().dropped_in_all() - before;
        self.ledger.offered(ids, dropped);
    }

    /// Runs a step of a worker that has something to do, or lets time pass until one
    /// has; returns whether there was any or will be.
    fn step(&mut self) -> Result<bool, Broken> {
        let spooler = {
            let arrived = self.target.lock();
            let ready = arrived.other.as_ref().zip(self.spooler);
            ready.is_some_and(|(worker, stepped)| is_ready(worker, stepped))
        };
        let sender = self.sender.as_ref();
        let sender = sender.is_some_and(|(worker, stepped)| is_ready(worker, *stepped));
        match (sender, spooler) {
            (true, true) if with(|world| world.random.bool()) => self.step_spooler(),
            (true, _) => self.step_sender(),
            (false, true) => self.step_spooler(),
            (false, false) => return Ok(self.pass_time()),
        }
        self.target.lock().check()?;
        Ok(true)
    }

    fn step_sender(&mut self) {
        if let Some((worker, stepped)) = &mut self.sender {
            *stepped = worker.step();
            if *stepped == Stepped::Ended {
                self.sender = None;
            }
        }
    }

    fn step_spooler(&mut self) {
        let taken = self.target.lock().other.take();
        let Some(mut worker) = taken else {
            return;
        };
        let stepped = worker.step();
        self.spooler = Some(stepped);
        if stepped != Stepped::Ended {
            self.target.lock().other = Some(worker);
        }
    }

    /// Lets time pass until a worker has something to do.
    fn pass_time(&self) -> bool {
        let sender = self.sender.as_ref().map(|(_, stepped)| *stepped);
        let waits = [sender, self.spooler].into_iter().flatten();
        let times = waits.filter_map(|stepped| match stepped {
            Stepped::Waits { until, .. } => until,
            _ => None,
        });
        let next = times.min();
        if let Some(next) = next {
            with(|world| {
                let left = next.saturating_duration_since(world.now());
                world.pass(left);
            });
        }
        next.is_some()
    }

    fn check(&mut self) -> Result<(), Broken> {
        if with(|world| world.is_stopped) {
            return Ok(());
        }
        let status = self.queue.status();
        self.ledger.check(&status, self.target.lock().said)
    }

    /// Runs the workers until nothing waits.
    fn empty(&mut self) -> Result<(), Broken> {
        for _ in 0..MOST_STEPS {
            let goes_on = self.step()?;
            self.check()?;
            let waiting = self.queue.status().waiting;
            let is_open = self.ledger.is_open(&self.queue);
            if waiting == 0 && is_open && !goes_on {
                return Ok(());
            }
            if waiting == 0 && is_open && self.is_idle() {
                return Ok(());
            }
            holds(goes_on, || format!("{waiting} payloads wait for nothing"))?;
        }
        Err(Broken::new("a queue with a good target does not end"))
    }

    fn is_idle(&self) -> bool {
        let sender = self.sender.as_ref().map(|(_, stepped)| *stepped);
        let mut all = [sender, self.spooler].into_iter().flatten();
        all.all(|stepped| matches!(stepped, Stepped::Waits { .. } | Stepped::Ended))
    }

    fn close(&mut self) -> Result<(), Broken> {
        if with(|world| world.is_stopped) {
            return Ok(());
        }
        self.queue.begin_close(PATIENCE);
        for _ in 0..MOST_STEPS {
            if with(|world| world.is_stopped) {
                return Ok(());
            }
            let has_ended = self.sender.is_none() && self.spooler.is_none_or(is_ended);
            if has_ended {
                _ = self.queue.wait_until_closed();
                return self.check();
            }
            let goes_on = self.step()?;
            self.check()?;
            holds(goes_on, || "a closed queue does not end".to_owned())?;
        }
        Err(Broken::new("a closed queue goes on"))
    }

    /// Ends the process.
    fn end(self) {
        let counters = self.queue.counters();
        self.ledger.ended(&counters);
        self.target.lock().other = None;
    }
}

fn is_ended(stepped: Stepped) -> bool {
    stepped == Stepped::Ended
}

/// Returns whether a worker has something to do.
fn is_ready(worker: &Worker, stepped: Stepped) -> bool {
    match stepped {
        Stepped::Again => true,
        Stepped::Ended => false,
        Stepped::Waits {
            until,
            signals,
            is_for_payloads,
        } => with(|world| {
            let is_deaf = world.fault == Some(Fault::SignalsAreLost);
            let was_signalled = worker.signals(is_for_payloads) != signals;
            (was_signalled && !is_deaf) || until.is_some_and(|until| until <= world.now())
        }),
    }
}
