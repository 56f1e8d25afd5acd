//! Events of hosts over a stream, collected into a file: a collector that is killed, a
//! machine that loses power, batches that are stored in any order or again, a stream that
//! loses its last messages.
//!
//! The end compares the file with a ledger: each event that the stream has is in it once.

mod host;
mod ledger;

use std::path::Path;

use fantail_fleet::events::{Collector, CollectorLimits, StreamMessage};
use fantail_transport::PositionedFile;

use self::{host::Host, ledger::Ledger};
use crate::{
    broken::{Broken, holds},
    fault::Fault,
    system::SIMULATED,
    world::{Troubles, World, with},
};

/// Paths of the file and of its position.
const PATH: &str = "/events";
const POSITION: &str = "/events.position";

/// The planted faults that the scenario finds.
pub(super) const PLANTED: &[Fault] = &[
    Fault::EventIdsChange,
    Fault::HighestNumbersCount,
    Fault::PositionsAreOlder,
    Fault::CollectedPositionsAreNotSynced,
    Fault::LinesAreNotSynced,
    Fault::HalfALineCountsAsWhole,
    Fault::AFailedSyncCountsAsDone,
];

/// A message of the stream.
#[derive(Debug, Clone)]
struct Stored {
    stored_at: u64,
    subject: String,
    head: String,
    lines: String,
}

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let hosts = with(|world| world.random.usize(1..4));
    let mut hosts: Vec<Host> = (0..hosts).map(Host::new).collect();
    let (mut stream, mut ledger) = (Vec::new(), Ledger::default());
    let troubles = with(draw_troubles);
    for _ in 0..with(|world| world.random.u32(1..8)) {
        let (loses_power, steps) = with(|world| {
            world.troubles = troubles;
            let calls = world.random.u64(..60);
            world.calls_left = world.random.bool().then_some(calls);
            (world.random.bool(), world.random.u32(..30))
        });
        live(&mut hosts, &mut stream, &mut ledger, steps)?;
        with(|world| {
            world.disk.capacity = u64::MAX;
            world.restart(loses_power);
        });
    }
    with(|world| world.troubles = Troubles::default());
    for host in &mut hosts {
        host.finish(&mut stream, &mut ledger);
    }
    let Some(mut life) = Life::start()? else {
        return Err(Broken::new("a good disk opens no file"));
    };
    life.read(&stream, usize::MAX);
    holds(life.commit(), || "a good disk takes no lines".to_owned())?;
    ledger.check(&file(), &stream)
}

/// One process of the collector, while hosts publish.
fn live(
    hosts: &mut [Host],
    stream: &mut Vec<Stored>,
    ledger: &mut Ledger,
    steps: u32,
) -> Result<(), Broken> {
    let mut life = Life::start()?;
    for _ in 0..steps {
        let (host, action) = with(|world| {
            let hosts = hosts.len();
            (world.random.usize(..hosts), world.random.u32(..32))
        });
        match (action, &mut life) {
            (0..16, _) => hosts
                .iter_mut()
                .skip(host)
                .take(1)
                .for_each(|host| host.publish(stream, ledger)),
            (16, _) => lose(stream, &mut life, ledger),
            (17, _) => with(World::fill_or_empty_disk),
            (18..26, Some(life)) => {
                let most = with(|world| world.random.usize(..6));
                life.read(stream, most);
            }
            (_, Some(life)) => _ = life.commit(),
            (_, None) => life = Life::start()?,
        }
    }
    Ok(())
}

/// The stream loses its last messages, and its readers their connections.
fn lose(stream: &mut Vec<Stored>, life: &mut Option<Life>, ledger: &mut Ledger) {
    if !with(|world| world.one_in(4)) {
        return;
    }
    let lost = with(|world| world.random.usize(..=stream.len().min(4)));
    with(|world| world.note(|| format!("the stream loses {lost} messages")));
    let kept = stream.len() - lost;
    let lost = stream.split_off(kept);
    ledger.lose(&lost);
    if let Some(life) = life {
        life.is_connected = false;
    }
}

fn draw_troubles(world: &mut World) -> Troubles {
    match world.random.bool() {
        true => Troubles::default(),
        false => Troubles {
            reads: 0,
            writes: 15,
            syncs: 8,
            short: 6,
        },
    }
}

/// A collector with its file.
struct Life {
    collector: Collector,
    file: PositionedFile,
    lines: Vec<u8>,
    is_connected: bool,
    /// The next message.
    next: usize,
    /// The position before the last commit, for a planted fault.
    older: String,
    /// The highest numbers, for another one.
    highest: std::collections::BTreeMap<String, u64>,
}

impl Life {
    /// Starts a process; `None` if the machine does not let it.
    fn start() -> Result<Option<Self>, Broken> {
        let opened = PositionedFile::open_on(&SIMULATED, Path::new(PATH), Path::new(POSITION));
        with(|world| world.note(|| format!("open: {:?}", opened.as_ref().err())));
        let (mut file, saved) = match opened {
            Ok(opened) => opened,
            Err(_) if with(|world| world.is_stopped || world.troubles.writes > 0) => {
                return Ok(None);
            }
            Err(error) => return Err(Broken::new(format!("no start: {error}"))),
        };
        holds(!file.was_shortened(), || "saved lines are lost".to_owned())?;
        let limits = CollectorLimits::default();
        let collector = match saved {
            Some(saved) => {
                let text = String::from_utf8_lossy(&saved).into_owned();
                let read = Collector::from_saved(&text, limits);
                read.map_err(|error| Broken::new(error.to_string()))?
            }
            None => {
                let collector = Collector::new(limits);
                if file.commit(b"", collector.save().as_bytes()).is_err() {
                    return Ok(None);
                }
                collector
            }
        };
        Ok(Some(Self {
            older: collector.save(),
            collector,
            file,
            lines: Vec::new(),
            is_connected: false,
            next: 0,
            highest: std::collections::BTreeMap::new(),
        }))
    }

    fn connect(&mut self, stream: &[Stored]) {
        let start = self.collector.resume("created", stream.len() as u64);
        self.next = usize::try_from(start - 1).unwrap_or(usize::MAX);
        self.is_connected = true;
    }

    /// Reads some messages.
    fn read(&mut self, stream: &[Stored], most: usize) {
        let mut left = most;
        while left > 0 {
            if !self.is_connected {
                self.connect(stream);
            }
            let Some(message) = stream.get(self.next) else {
                return;
            };
            self.next += 1;
            left -= 1;
            if self.is_planted_duplicate(message) {
                continue;
            }
            let taken = self.collector.take(
                &StreamMessage {
                    subject: &message.subject,
                    sequence: self.next as u64,
                    stored_at: message.stored_at,
                    head: Some(&message.head),
                    body: message.lines.as_bytes(),
                },
                &mut self.lines,
            );
            with(|world| world.note(|| format!("take {message:?}: {taken:?}")));
            if taken.is_err() {
                self.is_connected = false;
            }
        }
    }

    /// Returns whether a message counts as repeated because a later number was seen.
    fn is_planted_duplicate(&mut self, message: &Stored) -> bool {
        if !is_planted(Fault::HighestNumbersCount) {
            return false;
        }
        let mut words = message.head.split(' ').skip(1);
        let run = words.next().unwrap_or_default();
        let first = words.next().and_then(|first| first.parse().ok());
        let key = format!("{} {run}", message.subject);
        let highest = self.highest.entry(key).or_default();
        let is_below = first < Some(*highest);
        *highest = first.unwrap_or(0).max(*highest);
        is_below
    }

    /// Writes the lines and the position; returns whether it could.
    fn commit(&mut self) -> bool {
        let position = self.collector.save();
        let older = std::mem::replace(&mut self.older, position.clone());
        let saved = match is_planted(Fault::PositionsAreOlder) {
            true => older,
            false => position,
        };
        let committed = self.file.commit(&self.lines, saved.as_bytes());
        with(|world| world.note(|| format!("commit {} bytes: {committed:?}", self.lines.len())));
        if committed.is_ok() {
            self.lines.clear();
        }
        committed.is_ok()
    }
}

fn is_planted(fault: Fault) -> bool {
    with(|world| world.fault == Some(fault))
}

/// Returns the file, as it is on disk.
fn file() -> String {
    let bytes = with(|world| {
        let inode = world.disk.find(PATH.as_ref()).ok()?;
        Some(world.disk.inode(inode).ok()?.bytes.clone())
    });
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
