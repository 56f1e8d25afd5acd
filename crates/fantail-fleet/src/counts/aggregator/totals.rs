//! What an aggregator answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fantail_metrics::{
    MetricSnapshot,
    internal::{merge, union},
};

use super::{Aggregator, Completeness, Counted, PartId, PartRange, Run, RunId, RunState};
use crate::{SchemaId, Sum, SumLimits, Summed, counts::EPOCH};

/// The sum of all runs.
#[derive(Debug)]
pub struct Totals {
    /// The metrics; hosts are numbers in [`hosts`](Self::hosts).
    pub summed: Summed,
    /// The names of the hosts; an empty one stands for what is folded.
    pub hosts: Vec<Vec<u8>>,
}

/// Whether a run is open, its last head, and the number of a counting within it: the
/// greatest is the newest.
type Age = (bool, Duration, u64);

/// The newest definition of each host and name.
type Newest<'a> = BTreeMap<(&'a [u8], &'a [u8]), (Age, SchemaId)>;

impl Aggregator {
    /// Returns the sum of all runs. Metrics of one name and different definitions are not
    /// added: the sum has that of most hosts.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals_of(|_| true, true)
    }

    /// Returns the sum of the runs of one host.
    #[must_use]
    pub fn totals_of_host(&self, host: &[u8]) -> Totals {
        self.totals_of(|run| run.host == host, false)
    }

    fn totals_of(&self, wanted: impl Fn(&Run) -> bool, with_folded: bool) -> Totals {
        let mut schemas: BTreeMap<SchemaId, Vec<MetricSnapshot>> = BTreeMap::new();
        // Parts are disjoint: those of one number are merged, all are put together.
        for number in 0..=PartId::MAX {
            let mut part: BTreeMap<SchemaId, MetricSnapshot> = BTreeMap::new();
            let runs = self.runs.values().filter(|run| wanted(run));
            let found = runs.filter_map(|run| run.parts.get(&number));
            let folded = self.folded.part(number).filter(|_| with_folded);
            for found in folded.into_iter().chain(found) {
                for (schema, counted) in found.values.iter() {
                    part.entry(schema)
                        .and_modify(|sum| merge(sum, &counted.metric))
                        .or_insert_with(|| counted.metric.clone());
                }
            }
            for (schema, metric) in part {
                schemas.entry(schema).or_default().push(metric);
            }
        }
        let (mut hosts, mut votes) = self.votes(wanted);
        if with_folded {
            self.vote_of_folded(&mut hosts, &mut votes);
        }
        let mut sum = Sum::new(SumLimits { series: usize::MAX });
        for (schema, parts) in schemas {
            let Some(hosts) = votes.get(&schema) else {
                // No host has this definition any more.
                continue;
            };
            let (Some(known), Some(metric)) = (self.schemas.get(&schema), union(&parts)) else {
                continue;
            };
            let whole = Counted {
                metric,
                ..known.clone()
            };
            sum.add_whole(schema, whole, hosts.clone());
        }
        Totals {
            summed: sum.finish(),
            hosts,
        }
    }

    /// Returns the hosts, and for each definition the numbers of those whose newest one of
    /// the name it is.
    fn votes(
        &self,
        wanted: impl Fn(&Run) -> bool,
    ) -> (Vec<Vec<u8>>, BTreeMap<SchemaId, Vec<usize>>) {
        let hosts: Vec<Vec<u8>> = self.hosts.keys().cloned().collect();
        let mut newest: Newest<'_> = BTreeMap::new();
        for run in self.runs.values().filter(|run| wanted(run)) {
            let is_closed = run.is_closed();
            for part in run.parts.values() {
                for ((schema, lineage), counted) in part.values.lineages() {
                    let name = counted.metric.settings().name.as_slice();
                    let age = (!is_closed, run.head_at, lineage & EPOCH);
                    let known = newest.entry((run.host.as_slice(), name));
                    let known = known.or_insert((age, schema));
                    *known = (*known).max((age, schema));
                }
            }
        }
        let mut votes: BTreeMap<SchemaId, Vec<usize>> = BTreeMap::new();
        for ((host, _), (_, schema)) in newest {
            let found = hosts.binary_search_by(|name| name.as_slice().cmp(host));
            votes.entry(schema).or_default().extend(found.ok());
        }
        (hosts, votes)
    }

    /// Adds votes for the metrics that only ended runs had: that for the definition that was
    /// folded last.
    fn vote_of_folded(&self, hosts: &mut Vec<Vec<u8>>, votes: &mut BTreeMap<SchemaId, Vec<usize>>) {
        let name = |schema: &SchemaId| {
            let known = self.schemas.get(schema)?;
            Some(known.metric.settings().name.as_slice())
        };
        let voted: BTreeSet<&[u8]> = votes.keys().filter_map(name).collect();
        let mut newest: BTreeMap<&[u8], (u64, SchemaId)> = BTreeMap::new();
        let parts = (0..=PartId::MAX).filter_map(|number| self.folded.part(number));
        for ((schema, version), counted) in parts.flat_map(|part| part.values.lineages()) {
            let name = counted.metric.settings().name.as_slice();
            if !voted.contains(name) {
                let known = newest.entry(name).or_insert((version, schema));
                *known = (*known).max((version, schema));
            }
        }
        if newest.is_empty() {
            return;
        }
        for (_, schema) in newest.into_values() {
            votes.insert(schema, vec![hosts.len()]);
        }
        hosts.push(Vec::new());
    }

    /// Returns the parts of this reader.
    #[must_use]
    pub const fn range(&self) -> PartRange {
        self.range
    }

    /// Returns the runs with their hosts and states.
    pub fn runs(&self, now: Duration) -> impl Iterator<Item = (RunId, &[u8], RunState)> {
        let runs = self.runs.iter();
        runs.map(move |(id, run)| (*id, run.host.as_slice(), self.state(run, now)))
    }

    fn state(&self, run: &Run, now: Duration) -> RunState {
        if run.is_closed() && run.behind(0, self.range).next().is_none() {
            return RunState::Closed;
        }
        match now.saturating_sub(run.head_at) >= self.limits.stale_after {
            true => RunState::Stale,
            false => RunState::Open,
        }
    }

    /// Returns what is missing.
    #[must_use]
    pub fn completeness(&self, now: Duration) -> Completeness {
        let runs = self.runs.iter();
        let behind = runs.flat_map(|(id, run)| run.behind(*id, self.range));
        let behind = self.folded.behind(self.range).chain(behind).collect();
        let runs = self.runs.values();
        let stale = runs.filter(|run| self.state(run, now) == RunState::Stale);
        let hosts = self.hosts.iter();
        let limited = hosts.filter(|(_, host)| host.refused > 0);
        Completeness {
            behind,
            stale: stale.map(|run| run.host.clone()).collect(),
            limited: limited
                .map(|(name, host)| (name.clone(), host.refused))
                .collect(),
        }
    }
}
