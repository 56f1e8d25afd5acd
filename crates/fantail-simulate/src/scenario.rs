//! What is simulated, and how a run ends.

pub(crate) mod spool;

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
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 1] = [Self::Spool];

    /// Returns the name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spool => "spool",
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
        }
    }

    fn play(self) -> Result<(), Broken> {
        match self {
            Self::Spool => spool::play(),
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
