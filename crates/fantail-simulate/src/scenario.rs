//! What is simulated, and how a run ends.

pub(crate) mod collect;
pub(crate) mod counts;
pub(crate) mod file;
pub(crate) mod queue;
pub(crate) mod reload;
pub(crate) mod spool;
pub(crate) mod state;

use std::fmt;

use crate::{
    broken::Broken,
    fault::Fault,
    world::{World, with},
};

/// A part of the product that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The two ends of a spool.
    Spool,
    /// The state file.
    State,
    /// The transport `file`.
    File,
    /// A queue, its target and its spool.
    Queue,
    /// Changes of the configuration.
    Reload,
    /// Counts of many hosts over a stream.
    Counts,
    /// Events of many hosts over a stream, collected into a file.
    Collect,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 7] = [
        Self::Spool,
        Self::State,
        Self::File,
        Self::Queue,
        Self::Reload,
        Self::Counts,
        Self::Collect,
    ];

    /// Returns the name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spool => "spool",
            Self::State => "state",
            Self::File => "file",
            Self::Queue => "queue",
            Self::Reload => "reload",
            Self::Counts => "counts",
            Self::Collect => "collect",
        }
    }

    /// Returns the planted faults that the scenario finds.
    #[must_use]
    pub const fn planted(self) -> &'static [Fault] {
        match self {
            Self::Spool => &[
                Fault::SegmentsAreNotSynced,
                Fault::NewSegmentsHaveNoSafeName,
                Fault::SpoolsHaveNoSafeName,
                Fault::PositionsAreNotSaved,
                Fault::PositionsAreNotSynced,
                Fault::PositionsHaveOneSlot,
                Fault::SettledSegmentsStay,
                Fault::LocksAreShared,
                Fault::HalfAWriteCountsAsWhole,
                Fault::AFullDiskCountsAsWritten,
                Fault::AFailedSyncCountsAsDone,
                Fault::AFailedReadCountsAsTheEnd,
                Fault::ASegmentIsForgotten,
            ],
            Self::Queue => &[
                Fault::AgesByTheTimeOfDay,
                Fault::TargetsForget,
                Fault::SignalsAreLost,
                Fault::PositionsAreNotSaved,
                Fault::HalfAWriteCountsAsWhole,
                Fault::SegmentsAreNotSynced,
            ],
            Self::File => &[
                Fault::LinesAreNotSynced,
                Fault::FilesHaveNoSafeName,
                Fault::HalfALineCountsAsWhole,
                Fault::PartialLinesStay,
                Fault::TornEndsAreNotRead,
                Fault::RotatedFilesAreReplaced,
                Fault::AFailedSyncCountsAsDone,
            ],
            Self::Reload => &[Fault::AbandonedReloadsAreForgotten, Fault::LateResultsCount],
            Self::Counts => counts::PLANTED,
            Self::Collect => collect::PLANTED,
            Self::State => &[
                Fault::StatesAreNotSynced,
                Fault::RenamesAreNotSynced,
                Fault::StatesAreWrittenInPlace,
                Fault::RenamesHaveTwoSteps,
                Fault::StatesAreNotRenamed,
                Fault::LeftOversStay,
                Fault::HalfAStateCountsAsWhole,
                Fault::AFailedSyncCountsAsDone,
            ],
        }
    }

    fn play(self) -> Result<(), Broken> {
        match self {
            Self::Spool => spool::play(),
            Self::State => state::play(),
            Self::File => file::play(),
            Self::Queue => queue::play(),
            Self::Reload => reload::play(),
            Self::Counts => counts::play(),
            Self::Collect => collect::play(),
        }
    }

    /// Runs the scenario with a seed.
    ///
    /// # Errors
    /// An invariant does not hold.
    pub fn run(self, seed: u64, fault: Option<Fault>, traces: bool) -> Result<(), Failure> {
        World::start(seed, fault, traces);
        let played = self.play();
        // Nothing of the run is left for the next one.
        let trace = with(World::take_trace);
        played.map_err(|broken| Failure {
            scenario: self,
            seed,
            broken,
            trace,
        })
    }
}

/// A run in which an invariant does not hold.
#[derive(Debug)]
pub struct Failure {
    /// The scenario.
    pub scenario: Scenario,
    /// The seed, which gives the same run again.
    pub seed: u64,
    broken: Broken,
    trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        let (scenario, seed) = (self.scenario.name(), self.seed);
        write!(f, "{scenario}, seed {seed}: {}", self.broken)
    }
}
