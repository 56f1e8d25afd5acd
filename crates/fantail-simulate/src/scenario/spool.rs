//! The two ends of a spool, through several processes and losses of power.
//!
//! A life is that of one process. It appends, reads, settles and syncs in an order
//! that the seed gives, until it is killed or the machine loses power between, or
//! during, any two calls of the disk. The last life reads all that is left.

mod ledger;

use std::{collections::VecDeque, time::Duration};

use fantail_transport::{
    Batch, BatchLimits, Overflow, SpoolErrorKind,
    internal::open_on,
    spool::{Fsync, SpoolReader, SpoolSettings, SpoolWriter},
};

use self::ledger::Ledger;
use crate::{
    broken::{Broken, holds},
    payload,
    system::SIMULATED,
    world::{Troubles, World, with},
};

/// Bytes of the spool: the fewest that it may have, so that it is often full.
const SPOOL_BYTES: u64 = 64 * 1024;

/// Attempts to open a spool on a disk that reports errors.
const OPEN_ATTEMPTS: u32 = 20;

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let settings = with(|world| SpoolSettings {
        bytes: SPOOL_BYTES,
        overflow: match world.random.bool() {
            true => Overflow::DropNewest,
            false => Overflow::DropOldest,
        },
        fsync: match world.random.u32(..3) {
            0 => Fsync::Never,
            1 => Fsync::Interval(Duration::from_secs(1)),
            _ => Fsync::Always,
        },
        ..SpoolSettings::new("/spool")
    });
    let troubles = with(draw_troubles);
    let mut ledger = Ledger::new(&settings);
    for _ in 0..with(|world| world.random.u32(1..6)) {
        let loses_power = with(|world| {
            world.troubles = troubles;
            let calls = world.random.u64(..400);
            world.calls_left = world.random.bool().then_some(calls);
            world.random.bool()
        });
        let played = Life::open(&settings, &mut ledger).map(|life| {
            let steps = with(|world| world.random.u32(..200));
            life.map_or(Ok(()), |mut life| life.live(steps))
        });
        played??;
        with(|world| {
            world.disk.capacity = u64::MAX;
            world.restart(loses_power);
        });
        ledger.restart(loses_power);
    }
    with(|world| world.troubles = Troubles::default());
    let Some(mut life) = Life::open(&settings, &mut ledger)? else {
        return Err(Broken::new("a spool on a good disk does not open"));
    };
    life.drain()?;
    drop(life);
    ledger.all_arrived()
}

/// Draws the errors of a disk: none for half of the seeds.
fn draw_troubles(world: &mut World) -> Troubles {
    let mut rate = |one_in: u32| match world.random.u32(..4) {
        0 => one_in,
        _ => 0,
    };
    let (reads, writes, syncs, short) = (rate(60), rate(40), rate(20), rate(10));
    match world.random.bool() {
        true => Troubles::default(),
        false => Troubles {
            reads,
            writes,
            syncs,
            short,
        },
    }
}

/// A process that has the spool.
struct Life<'a> {
    settings: &'a SpoolSettings,
    ledger: &'a mut Ledger,
    writer: SpoolWriter,
    reader: SpoolReader,
    /// Payloads that were read and are not settled.
    in_flight: VecDeque<u64>,
    /// Payloads to be offered again after an error.
    again: Vec<u64>,
}

impl<'a> Life<'a> {
    /// Opens the spool; `None` if the disk does not work.
    fn open(settings: &'a SpoolSettings, ledger: &'a mut Ledger) -> Result<Option<Self>, Broken> {
        for _ in 0..OPEN_ATTEMPTS {
            match open_on(&SIMULATED, settings) {
                Ok((writer, reader)) => {
                    with(|world| {
                        world.note(|| format!("opened, {} recovered", reader.recovered()));
                    });
                    ledger.opened(reader.recovered());
                    return Ok(Some(Self {
                        settings,
                        ledger,
                        writer,
                        reader,
                        in_flight: VecDeque::new(),
                        again: Vec::new(),
                    }));
                }
                Err(error) => {
                    let in_use = error.kind() == SpoolErrorKind::InUse;
                    holds(!in_use, || "the lock of a killed process stays".to_owned())?;
                    ledger.open_failed();
                }
            }
        }
        Ok(None)
    }

    fn live(&mut self, steps: u32) -> Result<(), Broken> {
        for _ in 0..steps {
            if with(|world| world.is_stopped) {
                break;
            }
            match with(|world| world.random.u32(..100)) {
                0..45 => self.append()?,
                45..70 => drop(self.read()?),
                70..87 => self.settle()?,
                87..95 => self.sync(),
                95..97 => with(World::fill_or_empty_disk),
                97 => self.open_twice()?,
                _ => with(|world| world.pass(Duration::from_millis(700))),
            }
            self.check_size()?;
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), Broken> {
        let count = with(|world| world.random.usize(1..6));
        let mut ids = std::mem::take(&mut self.again);
        while ids.len() < count {
            ids.push(self.ledger.offer());
        }
        let mut batch = Batch::new();
        for id in &ids {
            batch.push(&payload::of(*id));
        }
        let appended = self.writer.append(batch.payloads());
        with(|world| world.note(|| format!("append {ids:?}: {appended:?}")));
        holds(appended.taken <= ids.len(), || {
            "more taken than offered".to_owned()
        })?;
        holds(
            appended.error.is_some() || appended.taken == ids.len(),
            || "payloads were neither taken nor refused".to_owned(),
        )?;
        let refused = ids.split_off(appended.taken);
        self.ledger.appended(&ids, appended.dropped, &refused);
        // The program may give them another way to the target.
        if with(|world| world.random.bool()) {
            self.again = refused;
        }
        Ok(())
    }

    /// Reads payloads; returns whether there were any.
    fn read(&mut self) -> Result<bool, Broken> {
        let mut batch = Batch::new();
        let limits = BatchLimits {
            payloads: with(|world| world.random.usize(1..20)),
            ..BatchLimits::default()
        };
        let read = self.reader.read(&mut batch, limits);
        let damaged = self.reader.take_damaged();
        if read.is_err() {
            self.ledger.read_failed();
        }
        self.ledger.damaged(damaged)?;
        for bytes in batch.iter() {
            let id = payload::id(bytes)?;
            with(|world| world.note(|| format!("read {id}")));
            self.ledger.read(id)?;
            self.in_flight.push_back(id);
        }
        if read.is_ok() && batch.is_empty() && self.in_flight.is_empty() {
            self.ledger.is_balanced()?;
        }
        Ok(!batch.is_empty())
    }

    fn settle(&mut self) -> Result<(), Broken> {
        let count = with(|world| world.random.usize(..=self.in_flight.len()));
        self.settle_first(count)
    }

    fn settle_first(&mut self, count: usize) -> Result<(), Broken> {
        let settled = self.reader.settle(count);
        let ids: Vec<u64> = self.in_flight.drain(..count).collect();
        with(|world| world.note(|| format!("settle {ids:?}: {settled:?}")));
        self.ledger.settled(&ids, settled.is_ok());
        Ok(())
    }

    fn sync(&mut self) {
        let synced = self.writer.sync();
        with(|world| world.note(|| format!("sync: {synced:?}")));
        self.ledger.synced(synced.is_ok());
    }

    fn open_twice(&self) -> Result<(), Broken> {
        let second = open_on(&SIMULATED, self.settings);
        holds(second.is_err(), || "two queues have the spool".to_owned())
    }

    fn check_size(&self) -> Result<(), Broken> {
        let (used, fails) = with(|world| {
            let troubles = world.troubles;
            (
                world.disk.used_by(".spool"),
                troubles.writes > 0 || world.is_stopped,
            )
        });
        // A write that the disk cuts short leaves some bytes.
        holds(fails || used <= SPOOL_BYTES + SPOOL_BYTES / 4, || {
            format!("the spool has {used} bytes")
        })
    }

    fn drain(&mut self) -> Result<(), Broken> {
        while self.read()? {
            self.settle_first(self.in_flight.len())?;
        }
        Ok(())
    }
}
