//! What hosts have counted and what was acknowledged, in maps.

use std::collections::{BTreeMap, BTreeSet};

use fantail_fleet::counts::{PartId, RunId, part_of};
use fantail_metrics::{Label, Snapshot};

/// A metric, and the value of its series; `None` is the metric itself.
pub(super) type Series = (&'static str, Option<u8>);

/// Events of series.
pub(super) type Events = BTreeMap<Series, u64>;

/// A worker, the number of its counting, and a series.
pub(super) type Counting = (usize, u32, Series);

/// The events of a run.
pub(super) type RunEvents = BTreeMap<Counting, u64>;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The number of the last run.
    pub(super) runs: RunId,
    /// What was counted.
    pub(super) counted: Events,
    /// What each run had at its last acknowledged versions.
    pub(super) acknowledged: BTreeMap<RunId, RunEvents>,
    /// Runs that have lost messages for good.
    pub(super) lost: BTreeSet<RunId>,
    /// Runs whose host has not published again what the stream has lost.
    pub(super) at_risk: BTreeSet<RunId>,
    /// What was acknowledged when a head was sent.
    pub(super) heads: BTreeMap<(RunId, u64), RunEvents>,
    /// Whether the stream has lost what no host publishes again: then sums may fall.
    pub(super) may_fall: bool,
}

impl Ledger {
    /// Notes what is stored of a run.
    pub(super) fn acknowledge(&mut self, run: RunId, events: &RunEvents) {
        let known = self.acknowledged.entry(run).or_default();
        for (counting, events) in events {
            let known = known.entry(*counting).or_default();
            *known = (*events).max(*known);
        }
    }

    /// A run is lost, with its host.
    pub(super) fn forget(&mut self, run: RunId) {
        self.at_risk.remove(&run);
        self.may_fall = true;
        self.lost.insert(run);
        self.acknowledged.remove(&run);
        self.heads.retain(|(of, _), _| *of != run);
    }

    /// Returns the events of all runs that were acknowledged.
    pub(super) fn acknowledged(&self) -> Events {
        sum(self.acknowledged.values())
    }
}

/// Adds the events of runs.
pub(super) fn sum<'e>(runs: impl Iterator<Item = &'e RunEvents>) -> Events {
    let mut sum = Events::default();
    for ((_, _, series), events) in runs.flatten() {
        *sum.entry(*series).or_default() += events;
    }
    sum
}

/// Returns the series that have fewer events than `least` says.
pub(super) fn lacks(events: &Events, least: &Events) -> Vec<Series> {
    let held = |series: &Series| events.get(series).copied().unwrap_or(0);
    let less = least
        .iter()
        .filter(|(series, least)| held(series) < **least);
    less.map(|(series, _)| *series).collect()
}

/// Returns the part of a series.
pub(super) fn part((metric, user): Series) -> PartId {
    let user = user.map(|user| [user]);
    let label = user.as_ref().map(|user| Label::Value(user));
    part_of(metric.as_bytes(), label)
}

/// Returns the events of a snapshot.
pub(super) fn events(snapshot: &Snapshot) -> Events {
    let mut events = Events::default();
    for metric in snapshot.metrics() {
        let name = match metric.settings().name.as_slice() {
            b"logins" => "logins",
            _ => "mails",
        };
        for series in metric.series().iter() {
            let user = match series.label() {
                Label::Value([user]) => Some(*user),
                _ => None,
            };
            events.insert((name, user), series.duration().count());
        }
    }
    events.retain(|_, events| *events > 0);
    events
}
