//! The reader's side: joins messages, and says whether the sum is complete.

mod folded;
mod totals;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(super) use self::folded::FoldBasis;
use self::folded::Folded;
pub use self::{folded::Removable, totals::Totals};
use super::{
    ClaimMessage, Counted, FoldHead, HeadMessage, Message, PartId, PartMessage, PartRange, RunHead,
    RunId, Values, progress::Progress,
};
use crate::SchemaId;

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

/// When a message came, and where it is in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// The sequence of the message in the stream.
    pub sequence: u64,
    /// The time at which the broker stored it, by the broker's clock.
    pub stored: Duration,
    /// The time by the reader's clock.
    pub now: Duration,
}

/// Joins the messages of all hosts.
#[derive(Debug, Clone, Default)]
pub struct Aggregator {
    limits: AggregatorLimits,
    /// The parts of this reader.
    range: PartRange,
    folded: Folded,
    /// The time at which the newest message was stored.
    stored: Duration,
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
    /// The time at which the last message was stored.
    stored: Duration,
    /// Whether a fold process has claimed it.
    is_claimed: bool,
    /// The time of the last message by the clock of the reader.
    heard: Duration,
}

#[derive(Debug, Clone, Default)]
struct Part {
    values: Values,
    progress: Progress,
}

impl Aggregator {
    /// Returns an aggregator of these parts that has seen nothing.
    #[must_use]
    pub fn new(limits: AggregatorLimits, range: PartRange) -> Self {
        Self {
            limits,
            range,
            ..Self::default()
        }
    }

    /// Takes a message. The caller has checked that the message belongs to its subject.
    pub fn take(&mut self, message: Message, arrival: Arrival) {
        self.stored = self.stored.max(arrival.stored);
        match message {
            Message::Fold(fold) => self.fold(fold.head, arrival.sequence, arrival.now),
            Message::Part(part) if part.host.is_empty() => self.folded_part(part, arrival.sequence),
            Message::Head(head) => self.head(head, arrival),
            Message::Part(part) => self.part(part, arrival),
            Message::Claim(claim) => self.claim(&claim, arrival),
        }
    }

    /// Takes the values of a part of a run.
    fn part(&mut self, message: PartMessage, arrival: Arrival) {
        let PartMessage {
            host,
            run,
            part,
            values,
            ..
        } = message;
        if let Some(progress) = self.join((run, &host, part.part), values, arrival) {
            progress.note(&part);
        }
    }

    /// Joins the values of a part of a run; returns the progress of the part.
    fn join(
        &mut self,
        (run, host, part): (RunId, &[u8], PartId),
        mut values: Values,
        arrival: Arrival,
    ) -> Option<&mut Progress> {
        if !self.range.contains(part) {
            return None;
        }
        values.intern(&mut self.schemas);
        let (limits, all) = (self.limits, self.series);
        let (host, found) = self.run(run, host, arrival)?;
        let room = limits.series_of_host.saturating_sub(host.series);
        let room = room.min(limits.series.saturating_sub(all));
        let values_here = &mut found.parts.entry(part).or_default().values;
        let (grown, refused) = values_here.join(values, room);
        host.series += grown;
        host.refused += refused as u64;
        self.series += grown;
        let part = self.runs.get_mut(&run)?.parts.get_mut(&part)?;
        Some(&mut part.progress)
    }

    /// Takes a head.
    fn head(&mut self, message: HeadMessage, arrival: Arrival) {
        let Some((_, run)) = self.run(message.run, &message.host, arrival) else {
            return;
        };
        run.head_at = run.head_at.max(arrival.now);
        run.take_head(message.head);
    }

    /// Takes the claim of a fold process.
    fn claim(&mut self, message: &ClaimMessage, arrival: Arrival) {
        self.folded.note_claim(message);
        if let Some((_, run)) = self.run(message.run, &message.host, arrival) {
            run.is_claimed = true;
        }
    }

    /// Returns the run of a message that counts: the run is not folded, belongs to the host,
    /// and its host has not too many.
    fn run(&mut self, id: RunId, name: &[u8], arrival: Arrival) -> Option<(&mut Host, &mut Run)> {
        if self.folded.has(id) {
            self.folded.note_left_over(id, name);
            return None;
        }
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
            head_at: arrival.now,
            ..Run::default()
        });
        if run.host != name {
            self.refused += 1;
            return None;
        }
        run.stored = run.stored.max(arrival.stored);
        run.heard = run.heard.max(arrival.now);
        Some((host, run))
    }

    /// Forgets a run, which is folded; returns its host.
    fn forget(&mut self, id: RunId) -> Option<Vec<u8>> {
        let run = self.runs.remove(&id)?;
        let series: usize = run.parts.values().map(|part| part.values.series()).sum();
        self.series -= series;
        if let Some(host) = self.hosts.get_mut(&run.host) {
            host.runs -= 1;
            host.series -= series;
            if host.runs == 0 && host.refused == 0 {
                self.hosts.remove(&run.host);
            }
        }
        Some(run.host)
    }

    /// Returns an aggregator with the same limits and parts that has seen nothing.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self {
            folded: self.folded.anew(),
            ..Self::new(self.limits, self.range)
        }
    }

    /// Takes what an earlier reading of the stream had, and the stream has lost: hosts that
    /// run publish it again.
    pub fn adopt(&mut self, earlier: Self, now: Duration) {
        for (id, run) in earlier.runs {
            let arrival = Arrival {
                sequence: 0,
                stored: run.stored,
                now,
            };
            for (number, part) in run.parts {
                let source = (id, run.host.as_slice(), number);
                if let Some(progress) = self.join(source, part.values, arrival) {
                    progress.held = progress.held.max(part.progress.held);
                }
            }
            if let Some((head, (_, here))) = run.head.zip(self.run(id, &run.host, arrival)) {
                here.take_head(head);
            }
        }
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
}

impl Run {
    fn take_head(&mut self, head: RunHead) {
        let held = self.head.as_ref();
        if held.is_none_or(|held| held.version < head.version) {
            self.head = Some(head);
        }
    }

    fn is_closed(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_closed)
    }

    /// Returns the parts of a range that are missing or behind.
    fn behind(&self, id: RunId, range: PartRange) -> impl Iterator<Item = Behind> {
        let parts = self.head.iter().flat_map(|head| &head.parts);
        let parts = parts.filter(move |(part, _)| range.contains(*part));
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
