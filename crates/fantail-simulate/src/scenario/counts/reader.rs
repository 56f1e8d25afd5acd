//! A reader of the stream, and what must hold for its sum.

use std::collections::{BTreeMap, BTreeSet};

use fantail_fleet::counts::{
    Aggregator, AggregatorLimits, Arrival, Contents, Message, PartRange, RunId, RunState,
};

use super::{
    is_planted, ledger,
    ledger::{Events, Ledger},
    now, one_in,
    stream::{Stored, Stream},
};
use crate::{
    broken::{Broken, holds},
    fault::Fault,
};

/// The most distributions of a message.
const DISTRIBUTIONS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) aggregator: Aggregator,
    /// What was read before the stream lost messages.
    earlier: Option<Aggregator>,
    /// The sequence of the last message that was read.
    pub(super) sequence: u64,
    /// The sum that a scraper has seen.
    seen: Events,
    /// The version of the last head of each run.
    heads: BTreeMap<RunId, u64>,
}

impl Reader {
    /// Returns the reader of a fold process.
    pub(super) fn of_fold() -> Self {
        let mut reader = Self::default();
        reader.aggregator.note_removable();
        reader
    }

    /// Starts again from nothing. The scraper stays, unless the stream has lost messages.
    pub(super) fn restart(&mut self, keeps: bool) {
        let seen = std::mem::take(&mut self.seen);
        *self = Self {
            aggregator: Aggregator::new(AggregatorLimits::default(), PartRange::ALL),
            ..Self::default()
        };
        if keeps {
            self.seen = seen;
        }
    }

    /// Reads all messages once more: the stream has lost some.
    pub(super) fn read_again(&mut self) {
        let anew = self.aggregator.anew();
        let earlier = std::mem::replace(&mut self.aggregator, anew);
        self.earlier.get_or_insert(earlier);
        self.sequence = 0;
    }

    pub(super) fn read(&mut self, stream: &Stream) {
        for stored in stream.after(self.sequence) {
            self.take(stored);
            if one_in(10) {
                // Delivered twice.
                self.take(stored);
            }
        }
        self.sequence = stream.sequence;
        if let Some(earlier) = self.earlier.take() {
            self.aggregator.adopt(earlier, now());
        }
    }

    fn take(&mut self, stored: &Stored) {
        let Ok(mut message) = Message::read(&stored.bytes, DISTRIBUTIONS) else {
            return;
        };
        let arrival = Arrival {
            sequence: stored.sequence,
            stored: stored.at,
            now: now(),
        };
        match &mut message {
            Message::Head(head) => {
                self.heads.insert(head.run, head.head.version);
            }
            Message::Part(part) => {
                if let Contents::Delta { since, .. } = &mut part.part.contents {
                    if is_planted(Fault::GapsCountAsWhole) {
                        *since = 0;
                    }
                    if is_planted(Fault::DeltasAreAdded) {
                        part.run += RunId::from(part.part.version) << 64;
                    }
                }
            }
            Message::Fold(fold) if is_planted(Fault::FoldedRunsCountTwice) => {
                fold.head.runs.clear();
            }
            Message::Fold(_) | Message::Claim(_) => {}
        }
        self.aggregator.take(message, arrival);
    }

    /// Returns the sum.
    pub(super) fn sum(&self) -> Events {
        if is_planted(Fault::StaleRunsAreLeftOut) {
            let runs = self.aggregator.runs(now());
            let fresh = runs.filter(|(_, _, state)| *state != RunState::Stale);
            let fresh: BTreeSet<&[u8]> = fresh.map(|(_, host, _)| host).collect();
            let mut sum = Events::default();
            for host in fresh {
                let totals = self.aggregator.totals_of_host(host);
                for (series, events) in ledger::events(&totals.summed.snapshot) {
                    *sum.entry(series).or_default() += events;
                }
            }
            return sum;
        }
        ledger::events(&self.aggregator.totals().summed.snapshot)
    }

    /// Checks the sum after all messages were read.
    pub(super) fn check(&mut self, ledger: &Ledger) -> Result<(), Broken> {
        let sum = self.sum();
        let fallen = ledger::lacks(&sum, &self.seen);
        holds(fallen.is_empty() || ledger.may_fall, || {
            format!("the sum of {fallen:?} falls: {sum:?} after {:?}", self.seen)
        })?;
        let invented = ledger::lacks(&ledger.counted, &sum);
        holds(invented.is_empty(), || {
            let counted = &ledger.counted;
            format!("{invented:?} was never counted: {sum:?} of {counted:?}")
        })?;
        self.seen = sum;
        self.check_complete(ledger)
    }

    /// A host without a gap has all that its heads name.
    fn check_complete(&self, ledger: &Ledger) -> Result<(), Broken> {
        let completeness = self.aggregator.completeness(now());
        let behind: BTreeSet<RunId> = completeness.behind.iter().map(|one| one.run).collect();
        // What the stream has lost of a run that is folded is lost for good.
        let runs = self.aggregator.runs(now());
        let held: BTreeSet<RunId> = runs.map(|(run, _, _)| run).collect();
        let is_whole = |run: &RunId| {
            let is_folded = ledger.at_risk.contains(run) && !held.contains(run);
            !behind.contains(run) && !is_folded
        };
        let named = self.heads.iter().filter(|(run, _)| is_whole(run));
        let named = named.filter_map(|(run, version)| ledger.heads.get(&(*run, *version)));
        let least = ledger::sum(named);
        let lacking = ledger::lacks(&self.seen, &least);
        holds(lacking.is_empty(), || {
            let seen = &self.seen;
            format!("runs are complete, and lack {lacking:?}: {seen:?} of {least:?}")
        })
    }

    /// Checks that the reader has all that was acknowledged.
    pub(super) fn check_end(&self, ledger: &Ledger) -> Result<(), Broken> {
        let completeness = self.aggregator.completeness(now());
        // What is lost for good stays behind.
        let mut behind = completeness.behind.iter();
        let is_complete = behind.all(|one| ledger.lost.contains(&one.run));
        holds(is_complete, || {
            format!("all is sent, and incomplete: {completeness:?}")
        })?;
        let least = ledger.acknowledged();
        let lacking = ledger::lacks(&self.seen, &least);
        holds(lacking.is_empty(), || {
            let seen = &self.seen;
            format!("{lacking:?} was acknowledged and is lost: {seen:?} of {least:?}")
        })
    }
}
