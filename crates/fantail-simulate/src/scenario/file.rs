//! The transport `file`, through several processes and losses of power.
//!
//! Lines are delivered while the file rotates, is renamed by another program, and is
//! written by another one; the end compares all files with what was promised.

mod ledger;

use std::time::Duration;

use fantail_transport::{Batch, FileSettings, FileTransport, Rotation, Transport, spool::Fsync};

use self::ledger::Ledger;
use crate::{
    broken::{Broken, holds},
    payload,
    system::SIMULATED,
    world::{Troubles, World, with},
};

/// Path of the file.
const PATH: &str = "/logs/events";

/// Time between two syncs.
const INTERVAL: Duration = Duration::from_secs(1);

/// More files than a run has.
const ALL: u32 = 100;

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let settings = with(draw_settings);
    let troubles = with(draw_troubles);
    let mut ledger = Ledger::new(&settings, troubles);
    for _ in 0..with(|world| world.random.u32(1..6)) {
        let (loses_power, steps) = with(|world| {
            world.troubles = troubles;
            let calls = world.random.u64(..200);
            world.calls_left = world.random.bool().then_some(calls);
            (world.random.bool(), world.random.u32(..60))
        });
        Life::start(&settings, &mut ledger).live(steps)?;
        with(|world| {
            world.disk.capacity = u64::MAX;
            world.restart(loses_power);
        });
        ledger.restart(loses_power);
    }
    with(|world| world.troubles = Troubles::default());
    let mut life = Life::start(&settings, &mut ledger);
    life.deliver()?;
    holds(life.again.is_empty(), || {
        "a good disk does not accept lines".to_owned()
    })?;
    ledger.check()
}

fn draw_settings(world: &mut World) -> FileSettings {
    let rotation = Rotation {
        bytes: world.random.bool().then(|| world.random.u64(2_000..40_000)),
        age: world
            .one_in(4)
            .then(|| Duration::from_secs(world.random.u64(1..20))),
        keep: [ALL, ALL, 0, 1, 3][world.random.usize(..5)],
    };
    let fsync = match world.random.u32(..3) {
        0 => Fsync::Never,
        1 => Fsync::Interval(INTERVAL),
        _ => Fsync::Always,
    };
    FileSettings {
        create_folders: true,
        rotation,
        fsync,
        ..FileSettings::new(PATH)
    }
}

fn draw_troubles(world: &mut World) -> Troubles {
    match world.random.bool() {
        true => Troubles::default(),
        false => Troubles {
            reads: 0,
            writes: 30,
            syncs: [0, 15][world.random.usize(..2)],
            short: 10,
        },
    }
}

/// A process that has the transport.
struct Life<'a> {
    transport: FileTransport,
    ledger: &'a mut Ledger,
    /// Payloads to be offered again after an error.
    again: Vec<u64>,
    /// When lines were last written: no sync is later. `None` if the file may be opened
    /// by the next attempt.
    written: Option<Duration>,
}

impl<'a> Life<'a> {
    fn start(settings: &FileSettings, ledger: &'a mut Ledger) -> Self {
        Self {
            transport: FileTransport::on(&SIMULATED, settings.clone()),
            ledger,
            again: Vec::new(),
            written: None,
        }
    }

    fn live(&mut self, steps: u32) -> Result<(), Broken> {
        for _ in 0..steps {
            if with(|world| world.is_stopped) {
                break;
            }
            match with(|world| world.random.u32(..100)) {
                0..70 => self.deliver()?,
                70..75 => self.reopen(),
                75..78 => self.rename(),
                78..83 => self.write_beside(),
                83..87 => with(World::fill_or_empty_disk),
                87..89 => with(|world| {
                    let by = world.random.i64(-100_000..100_000);
                    world.set_clock(by);
                }),
                _ => with(|world| world.pass(INTERVAL)),
            }
        }
        Ok(())
    }

    fn deliver(&mut self) -> Result<(), Broken> {
        let count = with(|world| world.random.usize(1..6));
        let mut ids = std::mem::take(&mut self.again);
        while ids.len() < count {
            ids.push(self.ledger.offer());
        }
        let mut batch = Batch::new();
        for id in &ids {
            batch.push(&payload::of(*id));
        }
        let now = with(|world| world.elapsed());
        let is_due = self
            .written
            .is_some_and(|written| now - written >= INTERVAL);
        let delivery = self.transport.deliver(batch.payloads());
        self.written = match delivery.error() {
            None => Some(with(|world| world.elapsed())),
            Some(_) => None,
        };
        with(|world| world.note(|| format!("deliver {ids:?}: {delivery:?}")));
        let settled = delivery.settled();
        holds(settled <= ids.len(), || {
            "more delivered than offered".to_owned()
        })?;
        let rest = ids.split_off(settled);
        let is_synced = is_due && delivery.error().is_none();
        self.ledger.delivered(&ids, &rest, is_synced);
        if delivery.error().is_some() {
            self.ledger.lose_unsynced();
        }
        if with(|world| world.random.bool()) {
            self.again = rest;
        }
        Ok(())
    }

    fn reopen(&mut self) {
        let reopened = self.transport.reopen();
        with(|world| world.note(|| format!("reopen: {reopened:?}")));
        self.written = None;
        if reopened.is_err() {
            self.ledger.lose_unsynced();
        }
    }

    /// Another program renames the file, and asks for it to be opened again.
    fn rename(&mut self) {
        let number = self.ledger.offer();
        with(|world| {
            let to = format!("{PATH}.old-{number}");
            let renamed = world.disk.rename(PATH.as_ref(), to.as_ref());
            world.note(|| format!("another program renames the file: {renamed:?}"));
        });
        self.reopen();
    }

    /// Another program appends a line, if there is room for all of it.
    fn write_beside(&mut self) {
        let id = self.ledger.offer();
        let written = with(|world| {
            let line = ledger::beside_line(id);
            let inode = world.disk.find(PATH.as_ref()).ok()?;
            let end = world.disk.inode(inode).ok()?.bytes.len() as u64;
            let room = world.disk.capacity.saturating_sub(world.disk.used());
            if room < line.len() as u64 {
                return None;
            }
            let written = world.disk.write(inode, line.as_bytes(), end).ok()?;
            world.note(|| format!("another program writes {written} bytes at {end}"));
            Some(written == line.len())
        });
        if written == Some(true) {
            self.ledger.written_beside(id);
        }
    }
}
