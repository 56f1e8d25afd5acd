//! Counts of many hosts over a stream: hosts that are killed, a network that loses, repeats
//! and delays, a stream that loses its last messages, readers that start again, and two
//! processes that fold ended runs and may end between any two of their messages.
//!
//! Hosts count in registries of their own, and publish and read messages as bytes. A ledger
//! counts beside them in maps.

mod fold;
mod host;
mod ledger;
mod reader;
mod stream;

use std::time::Duration;

use self::{fold::FoldProcess, host::Host, ledger::Ledger, reader::Reader, stream::Stream};
use crate::{
    broken::{Broken, holds},
    fault::Fault,
    world::{World, with},
};

/// The planted faults that the scenario finds.
pub(super) const PLANTED: &[Fault] = &[
    Fault::LostAnswersCountAsStored,
    Fault::LateMessagesReplaceNewer,
    Fault::LostMessagesAreNotRepeated,
    Fault::RestoredStateIsPublished,
    Fault::RunIdsAreReused,
    Fault::EndingRunsAreNotPublished,
    Fault::DeltasAreAdded,
    Fault::GapsCountAsWhole,
    Fault::StaleRunsAreLeftOut,
    Fault::RunsAreRemovedBeforeTheFold,
    Fault::TheHeadOfTheFoldIsFirst,
    Fault::FoldsHaveNoFence,
    Fault::FoldedRunsCountTwice,
    Fault::FoldedRunsAreForgotten,
    Fault::FoldedRunsAreRemovedAtOnce,
    Fault::ClaimsAreNotAskedFor,
];

/// One run in this many has 1,000 hosts.
const LARGE_RUNS: u32 = 300;

/// All that is simulated.
struct Site {
    hosts: Vec<Host>,
    stream: Stream,
    readers: Vec<Reader>,
    folds: Vec<FoldProcess>,
    ledger: Ledger,
    /// Whether the stream has ever lost a message that it had acknowledged.
    has_lost: bool,
}

/// Runs the scenario on the machine of this thread.
pub(super) fn play() -> Result<(), Broken> {
    let (hosts, steps) = with(|world| match world.one_in(LARGE_RUNS) {
        true => (1_000, 3_000),
        false => (world.random.u32(1..6), world.random.u32(30..250)),
    });
    let mut ledger = Ledger::default();
    let hosts = (0..hosts).map(|number| Host::start(number, &mut ledger));
    let mut site = Site {
        hosts: hosts.collect(),
        stream: Stream::default(),
        readers: (0..2).map(|_| Reader::default()).collect(),
        folds: (0..2).map(|_| FoldProcess::start()).collect(),
        ledger,
        has_lost: false,
    };
    for _ in 0..steps {
        with(|world| world.pass(Duration::from_secs(1)));
        site.step()?;
    }
    site.settle()
}

fn is_planted(fault: Fault) -> bool {
    with(|world| world.fault == Some(fault))
}

/// Returns the time since the start of the run.
fn now() -> Duration {
    with(|world| world.elapsed())
}

impl Site {
    fn step(&mut self) -> Result<(), Broken> {
        let (host, action) = with(|world| {
            let hosts = self.hosts.len();
            (world.random.usize(..hosts), world.random.u32(..64))
        });
        let Some(one) = self.hosts.get_mut(host) else {
            return Ok(());
        };
        match action {
            0..20 => one.count(&mut self.ledger),
            20..40 => one.publish(&mut self.stream, &mut self.ledger),
            40..42 => one.disconnect(),
            42..44 => one.connect(),
            44 => one.reset(),
            45 => one.kill(&mut self.ledger),
            46 => {
                one.finish(&mut self.stream, &mut self.ledger)?;
                one.kill(&mut self.ledger);
            }
            47 if with(|world| world.one_in(4)) => self.lose_messages(),
            48 => with(|world| world.pass(Duration::from_secs(1_000))),
            49..51 => self.stream.arrive(),
            51..53 => self.restart_reader()?,
            53..57 => self.fold(),
            _ => {
                let reader = with(|world| world.random.usize(..self.readers.len()));
                self.read(reader)?;
            }
        }
        Ok(())
    }

    /// The stream loses its last messages, as after a loss of power; all hosts connect
    /// again, and readers read all.
    fn lose_messages(&mut self) {
        let lost = self.stream.lose();
        with(|world| world.note(|| format!("the stream loses {lost:?}")));
        self.has_lost |= !lost.runs.is_empty() || lost.has_fold;
        self.ledger.may_fall |= lost.has_fold;
        // What a dead host had published is lost for good.
        let alive: Vec<_> = self.hosts.iter().map(Host::run).collect();
        for run in lost.runs {
            match alive.contains(&run) {
                true => _ = self.ledger.at_risk.insert(run),
                false => self.ledger.forget(run),
            }
        }
        for host in &mut self.hosts {
            if is_planted(Fault::LostMessagesAreNotRepeated) {
                continue;
            }
            host.disconnect();
            host.connect();
        }
        for reader in &mut self.readers {
            reader.read_again();
        }
        // Their connections are lost, too.
        for fold in &mut self.folds {
            *fold = FoldProcess::start();
        }
    }

    /// A process folds for a while; sometimes it ends, and starts again.
    fn fold(&mut self) {
        let (at, orders) = with(|world| {
            let folds = self.folds.len();
            (world.random.usize(..folds), world.random.u32(1..24))
        });
        let Some(fold) = self.folds.get_mut(at) else {
            return;
        };
        for _ in 0..orders {
            if !fold.step(&mut self.stream, &mut self.ledger) {
                return;
            }
        }
        if one_in(4) {
            with(|world| world.note(|| format!("fold process {at} starts again")));
            *fold = FoldProcess::start();
        }
    }

    fn restart_reader(&mut self) -> Result<(), Broken> {
        let at = with(|world| world.random.usize(..self.readers.len()));
        with(|world| world.note(|| format!("reader {at} starts again")));
        let keeps = !self.has_lost;
        if let Some(reader) = self.readers.get_mut(at) {
            reader.restart(keeps);
        }
        // It answers once it has read all.
        self.read(at)
    }

    fn read(&mut self, at: usize) -> Result<(), Broken> {
        let Some(reader) = self.readers.get_mut(at) else {
            return Ok(());
        };
        reader.read(&self.stream);
        reader.check(&self.ledger)?;
        let mut sequences = self.readers.iter().map(|reader| reader.sequence);
        let first = sequences.next();
        if !self.has_lost && sequences.all(|sequence| Some(sequence) == first) {
            let sums: Vec<_> = self.readers.iter().map(Reader::sum).collect();
            let is_equal = sums.windows(2).all(|pair| pair.first() == pair.last());
            holds(is_equal, || {
                format!("two readers have read the same, and have {sums:?}")
            })?;
        }
        Ok(())
    }

    /// All is well again, and all hosts end: the sum is what the runs had acknowledged.
    fn settle(&mut self) -> Result<(), Broken> {
        self.stream.calm();
        for host in &mut self.hosts {
            host.connect();
            host.finish(&mut self.stream, &mut self.ledger)?;
            host.check_end(&self.ledger)?;
        }
        self.read_all()?;
        for fold in &mut self.folds {
            fold.finish(&mut self.stream, &mut self.ledger);
        }
        self.read_all()?;
        // All is folded, and what it replaces is gone: heads, claims and values of runs.
        let left = self.stream.subjects("fantail.c1.site.*.*.*.*.>");
        let folds = self.stream.subjects("fantail.c1.site._fold.*.*.*.>");
        holds(left == folds, || {
            format!("{} messages of folded runs stay", left - folds)
        })
    }

    /// All readers, and a new one, read all and have what was acknowledged.
    fn read_all(&mut self) -> Result<(), Broken> {
        self.readers.push(Reader::default());
        for at in 0..self.readers.len() {
            self.read(at)?;
        }
        for reader in &self.readers {
            reader.check_end(&self.ledger)?;
        }
        Ok(())
    }
}

/// Draws whether something happens once in this many times.
fn one_in(times: u32) -> bool {
    with(|world: &mut World| world.one_in(times))
}
