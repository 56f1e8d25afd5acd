//! What answers are made from: the sum of what was read, and whether it is complete.

use std::sync::Arc;

use fantail_fleet::counts::{Completeness, PartRange, RunState, Totals};

use super::reader::Shared;

/// What is asked for over HTTP.
#[derive(Debug, Clone)]
pub(super) struct Source(Arc<Shared>);

/// The state of an aggregate.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) completeness: Completeness,
    /// Whether messages of the broker may not be here.
    pub(super) is_behind: bool,
    pub(super) sequence: u64,
    pub(super) series: usize,
    pub(super) refused: u64,
    /// Runs that are open, stale, closed.
    pub(super) runs: [u64; 3],
    /// Runs that are folded, and how many of them were incomplete.
    pub(super) folded: (u64, u64),
    /// The parts of this aggregate.
    pub(super) parts: PartRange,
}

impl Status {
    /// Returns whether the sum has all that hosts have published.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_behind && self.completeness.is_complete() && self.refused == 0
    }
}

impl Source {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.state().is_ready
    }

    /// Returns the sum of all hosts.
    pub(super) fn totals(&self) -> Totals {
        self.0.state().answering().totals()
    }

    pub(super) fn status(&self) -> Status {
        let now = self.0.since.elapsed();
        let state = self.0.state();
        let aggregator = state.answering();
        let mut runs = [0; 3];
        for (_, _, run) in aggregator.runs(now) {
            let at = match run {
                RunState::Open => 0,
                RunState::Stale => 1,
                RunState::Closed => 2,
            };
            runs[at] += 1;
        }
        Status {
            completeness: aggregator.completeness(now),
            is_behind: state.is_behind,
            sequence: state.sequence(),
            series: aggregator.series(),
            refused: state.refused + aggregator.refused(),
            runs,
            folded: aggregator.folded_runs(),
            parts: aggregator.range(),
        }
    }
}
