//! The reader's side: joins messages, and says whether the sum is complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fantail_metrics::{
    MetricSnapshot,
    internal::{merge, union},
};

use super::{
    Counted, EPOCH, HeadMessage, Message, PartId, PartMessage, RunHead, RunId, Values,
    progress::Progress,
};
use crate::{SchemaId, Sum, SumLimits, Summed};

/// The limits of an aggregator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregatorLimits {
    /// The time without a head after which a run is stale.
    pub stale_after: Duration,
    /// The largest number of runs of one host.
    pub runs_of_host: usize,
    /// The largest number of series of one host, in all its runs.
    pub series_of_host: usize,
    /// The largest number of series of all hosts.
    pub series: usize,
}

impl Default for AggregatorLimits {
    /// Returns 30 seconds, 1,000 runs and 2,000,000 series a host, 10,000,000 series.
    fn default() -> Self {
        Self {
            stale_after: Duration::from_secs(30),
            runs_of_host: 1_000,
            series_of_host: 2_000_000,
            series: 10_000_000,
        }
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It publishes.
    Open,
    /// It has published no head for a while; it is counted.
    Stale,
    /// It has ended and all its values are here.
    Closed,
}

/// Whether the sum has all that hosts have published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completeness {
    /// The parts that are missing or behind, in the order of runs.
    pub behind: Vec<Behind>,
    /// The hosts with a run that is stale.
    pub stale: BTreeSet<Vec<u8>>,
    /// The hosts that exceed a limit, with the series that were refused.
    pub limited: BTreeMap<Vec<u8>, u64>,
}

/// A part that is missing or behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The host.
    pub host: Vec<u8>,
    /// The run.
    pub run: RunId,
    /// The part.
    pub part: PartId,
    /// The version up to which all is here.
    pub held: u64,
    /// The version of the head.
    pub wanted: u64,
}

impl Completeness {
    /// Returns whether nothing is missing. Counts of a stale host are complete as far as
    /// it published them.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.behind.is_empty() && self.limited.is_empty()
    }
}

/// The sum of all runs.
#[derive(Debug)]
pub struct Totals {
    /// The metrics; hosts are numbers in [`hosts`](Self::hosts).
    pub summed: Summed,
    /// The names of the hosts.
    pub hosts: Vec<Vec<u8>>,
}

/// Whether a run is open, its last head, and the number of a counting within it: the
/// greatest is the newest.
type Age = (bool, Duration, u64);

/// The newest definition of each host and name.
type Newest<'a> = BTreeMap<(&'a [u8], &'a [u8]), (Age, SchemaId)>;

/// Joins the messages of all hosts.
#[derive(Debug, Clone, Default)]
pub struct Aggregator {
    limits: AggregatorLimits,
    runs: BTreeMap<RunId, Run>,
    hosts: BTreeMap<Vec<u8>, Host>,
    /// One metric of each definition, without series.
    schemas: BTreeMap<SchemaId, Counted>,
    series: usize,
    refused: u64,
}

#[derive(Debug, Clone, Default)]
struct Host {
    runs: usize,
    series: usize,
    /// Series that were refused; a series counts each time.
    refused: u64,
}

#[derive(Debug, Clone, Default)]
struct Run {
    host: Vec<u8>,
    head: Option<RunHead>,
    parts: BTreeMap<PartId, Part>,
    /// The time of the last head by the clock of the reader.
    head_at: Duration,
}

#[derive(Debug, Clone, Default)]
struct Part {
    values: Values,
    progress: Progress,
}

impl Aggregator {
    /// Returns an aggregator that has seen nothing.
    #[must_use]
    pub fn new(limits: AggregatorLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes a message. The caller has checked that the message belongs to its subject.
    pub fn take(&mut self, message: Message, now: Duration) {
        match message {
            Message::Head(head) => self.head(head, now),
            Message::Part(part) => self.part(part, now),
        }
    }

    /// Joins the values of a part.
    fn part(&mut self, message: PartMessage, now: Duration) {
        let limits = self.limits;
        let all = self.series;
        let mut values = message.values;
        values.intern(&mut self.schemas);
        let Some((host, run)) = self.run(message.run, &message.host, now) else {
            return;
        };
        let room = limits.series_of_host.saturating_sub(host.series);
        let room = room.min(limits.series.saturating_sub(all));
        let part = run.parts.entry(message.part.part).or_default();
        let (grown, refused) = part.values.join(values, room);
        part.progress.note(&message.part);
        host.series += grown;
        host.refused += refused as u64;
        self.series += grown;
    }

    /// Takes a head.
    fn head(&mut self, message: HeadMessage, now: Duration) {
        let Some((_, run)) = self.run(message.run, &message.host, now) else {
            return;
        };
        run.head_at = run.head_at.max(now);
        let held = run.head.as_ref();
        if held.is_none_or(|held| held.version < message.head.version) {
            run.head = Some(message.head);
        }
    }

    /// Returns the run, unless it belongs to another host or its host has too many.
    fn run(&mut self, id: RunId, name: &[u8], now: Duration) -> Option<(&mut Host, &mut Run)> {
        let host = match self.hosts.contains_key(name) {
            true => self.hosts.get_mut(name)?,
            false => self.hosts.entry(name.to_vec()).or_default(),
        };
        if !self.runs.contains_key(&id) {
            if host.runs >= self.limits.runs_of_host {
                host.refused += 1;
                self.refused += 1;
                return None;
            }
            host.runs += 1;
        }
        let run = self.runs.entry(id).or_insert_with(|| Run {
            host: name.to_vec(),
            head_at: now,
            ..Run::default()
        });
        if run.host != name {
            self.refused += 1;
            return None;
        }
        Some((host, run))
    }

    /// Returns the number of messages that were refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Returns the number of series, of all runs.
    #[must_use]
    pub const fn series(&self) -> usize {
        self.series
    }

    /// Returns the sum of all runs. Metrics of one name and different definitions are not
    /// added: the sum has that of most hosts.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals_of(|_| true)
    }

    /// Returns the sum of the runs of one host.
    #[must_use]
    pub fn totals_of_host(&self, host: &[u8]) -> Totals {
        self.totals_of(|run| run.host == host)
    }

    fn totals_of(&self, wanted: impl Fn(&Run) -> bool) -> Totals {
        let mut schemas: BTreeMap<SchemaId, Vec<MetricSnapshot>> = BTreeMap::new();
        // Parts are disjoint: those of one number are merged, all are put together.
        for number in 0..=PartId::MAX {
            let mut part: BTreeMap<SchemaId, MetricSnapshot> = BTreeMap::new();
            for run in self.runs.values().filter(|run| wanted(run)) {
                let Some(found) = run.parts.get(&number) else {
                    continue;
                };
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
        let (hosts, votes) = self.votes(wanted);
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
            let is_closed = run.head.as_ref().is_some_and(|head| head.is_closed);
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

    /// Returns the runs with their hosts and states.
    pub fn runs(&self, now: Duration) -> impl Iterator<Item = (RunId, &[u8], RunState)> {
        let runs = self.runs.iter();
        runs.map(move |(id, run)| (*id, run.host.as_slice(), self.state(run, now)))
    }

    fn state(&self, run: &Run, now: Duration) -> RunState {
        let is_closed = run.head.as_ref().is_some_and(|head| head.is_closed);
        if is_closed && run.behind(0).next().is_none() {
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
        let behind = runs.flat_map(|(id, run)| run.behind(*id)).collect();
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

impl Run {
    fn behind(&self, id: RunId) -> impl Iterator<Item = Behind> {
        let parts = self.head.iter().flat_map(|head| &head.parts);
        parts.filter_map(move |(part, wanted)| {
            let held = self.parts.get(part).map_or(0, |part| part.progress.held);
            (held < *wanted).then(|| Behind {
                host: self.host.clone(),
                run: id,
                part: *part,
                held,
                wanted: *wanted,
            })
        })
    }
}
