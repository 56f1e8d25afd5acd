//! The fold role: adds ended runs to the fold, and removes their messages.
//!
//! - A run is folded when it has ended and all its values are here, or when it was silent for
//!   so long that a fold process claims it. Its host asks for the claim before it publishes
//!   again, and begins a new run. The fold waits some time after the claim: what the host
//!   had under way is in the stream then.
//! - The parts of an attempt have subjects of their own, which are written once. The head is
//!   written last, on one of two subjects: the head that the attempt builds on stays. It must
//!   replace the head before that. So a crash at any point leaves what was there, and of two
//!   processes one succeeds.
//! - What is not needed any more is removed some time after the head: by then the broker has
//!   written it to its disk.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use fantail_metrics::internal::{merge, of_metrics};

use super::{
    Aggregator, ClaimMessage, Contents, Counted, FoldMessage, Outgoing, PartId, PartOrder,
    Published, Removable, RunId, Shard, Subject, Topic, Values, WorkerCounts,
    aggregator::FoldBasis,
};
use crate::SchemaId;

/// The runs that a fold names, at most; the oldest are left out.
const MAX_RUNS: usize = 40_000;

/// What is folded, and the runs in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoldHead {
    /// The number of the fold, which rises by 1.
    pub version: u64,
    /// The attempt with the values.
    pub attempt: RunId,
    /// The parts of the attempt.
    pub parts: Vec<PartId>,
    /// The runs whose messages do not count any more: the last 40,000 that were folded.
    pub runs: Vec<RunId>,
    /// The number of all runs that were folded.
    pub folded: u64,
    /// How many of them had not ended, or had lost messages.
    pub incomplete: u64,
}

/// The rules of a fold process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldRules {
    /// The time without messages after which a run that has not ended is folded.
    pub retire_after: Duration,
    /// The time from a fold to the removal of messages that it replaces: more than the broker
    /// needs to write it to the disk. Also the least time between two folds, and from a claim
    /// to the fold of its run.
    pub remove_after: Duration,
}

impl Default for FoldRules {
    /// Returns 7 days, and 10 minutes.
    fn default() -> Self {
        Self {
            retire_after: Duration::from_secs(7 * 24 * 3_600),
            remove_after: Duration::from_secs(600),
        }
    }
}

/// What a fold process does next.
#[derive(Debug, Clone)]
pub enum FoldOrder {
    /// To publish a message, if the last one of its subject has this sequence.
    Publish {
        /// The message.
        message: Outgoing,
        /// The sequence; 0 if the subject must have no message.
        expected: u64,
    },
    /// To remove the messages of these subjects.
    Remove {
        /// What they are.
        what: Removable,
        /// The subjects, with wildcards.
        subjects: Vec<String>,
    },
}

/// Decides what a fold process does.
#[derive(Debug)]
pub struct Folder {
    cluster: Vec<u8>,
    rules: FoldRules,
    /// What may be removed, with the time since when.
    removable: BTreeMap<Removable, Duration>,
    /// Orders that do not depend on each other.
    orders: VecDeque<FoldOrder>,
    plan: Option<Plan>,
    /// Whether the last order was one of the plan.
    is_of_plan: bool,
}

/// An attempt to fold.
#[derive(Debug)]
struct Plan {
    head: FoldHead,
    /// The sequence of the head that the new one replaces.
    expected: u64,
    parts: VecDeque<(PartId, Option<Values>, Vec<Values>)>,
    messages: VecDeque<Outgoing>,
}

impl Folder {
    /// Returns a fold process of a cluster that has nothing to do.
    #[must_use]
    pub const fn new(cluster: Vec<u8>, rules: FoldRules) -> Self {
        Self {
            cluster,
            rules,
            removable: BTreeMap::new(),
            orders: VecDeque::new(),
            plan: None,
            is_of_plan: false,
        }
    }

    /// Begins a turn: the aggregator must have read the whole stream. The attempt is a random
    /// number that was never used.
    pub fn begin(&mut self, aggregator: &Aggregator, attempt: RunId, now: Duration) {
        self.orders.clear();
        self.plan = aggregator
            .fold_basis(self.rules.remove_after, now)
            .map(|basis| Plan::new(basis, attempt));
        let mut before = std::mem::take(&mut self.removable);
        for what in aggregator.removable() {
            let since = before.remove(what).unwrap_or(now);
            self.removable.insert(what.clone(), since);
            if now.saturating_sub(since) >= self.rules.remove_after {
                self.orders.push_back(FoldOrder::Remove {
                    what: what.clone(),
                    subjects: what.subjects(&self.cluster),
                });
            }
        }
        for (host, run) in aggregator.silent(self.rules.retire_after) {
            let claim = ClaimMessage {
                cluster: self.cluster.clone(),
                host: host.to_vec(),
                run,
            };
            let subject = Subject {
                cluster: &self.cluster,
                host,
                run,
                topic: Topic::Claim,
            };
            self.orders.push_back(FoldOrder::Publish {
                message: Outgoing {
                    part: None,
                    subject: subject.to_string(),
                    bytes: claim.to_bytes(),
                },
                expected: 0,
            });
        }
    }

    /// Returns the next order of the turn; the caller gives an answer to each.
    #[must_use]
    pub fn next_order(&mut self) -> Option<FoldOrder> {
        self.is_of_plan = false;
        if let Some(order) = self.orders.pop_front() {
            return Some(order);
        }
        self.is_of_plan = true;
        let plan = self.plan.as_mut()?;
        while plan.messages.is_empty()
            && let Some((part, before, new)) = plan.parts.pop_front()
        {
            let written = plan.write(&self.cluster, part, before.as_ref(), &new);
            plan.messages = written.into();
        }
        if let Some(message) = plan.messages.pop_front() {
            return Some(FoldOrder::Publish {
                message,
                expected: 0,
            });
        }
        let plan = self.plan.take()?;
        let message = FoldMessage {
            cluster: self.cluster.clone(),
            head: plan.head,
        };
        let subject = Subject {
            cluster: &self.cluster,
            host: &[],
            run: message.slot(),
            topic: Topic::Head,
        };
        Some(FoldOrder::Publish {
            message: Outgoing {
                part: None,
                subject: subject.to_string(),
                bytes: message.to_bytes(),
            },
            expected: plan.expected,
        })
    }

    /// Notes whether the last order was carried out. An attempt ends with its first message
    /// that is not known to be stored.
    pub fn answered(&mut self, is_done: bool) {
        if !is_done && self.is_of_plan {
            self.plan = None;
        }
    }
}

impl Plan {
    fn new(basis: FoldBasis, attempt: RunId) -> Self {
        let mut runs = basis.head.runs;
        let new = basis.runs.len() as u64;
        runs.extend(basis.runs);
        runs.drain(..runs.len().saturating_sub(MAX_RUNS));
        let head = FoldHead {
            version: basis.head.version + 1,
            attempt,
            parts: basis.parts.keys().copied().collect(),
            runs,
            folded: basis.head.folded + new,
            incomplete: basis.head.incomplete + basis.incomplete,
        };
        let parts = basis.parts.into_iter();
        Self {
            head,
            expected: basis.replaced,
            parts: parts
                .map(|(part, (before, new))| (part, before, new))
                .collect(),
            messages: VecDeque::new(),
        }
    }

    /// Writes the sum of a part: of what was folded before, and of runs.
    fn write(
        &self,
        cluster: &[u8],
        part: PartId,
        before: Option<&Values>,
        new: &[Values],
    ) -> Vec<Outgoing> {
        let (attempt, version) = (self.head.attempt, self.head.version);
        let sums = added(before, new, version);
        let sums = sums.into_values().map(|(lineage, counted)| {
            let filter = counted.filter;
            let counts = WorkerCounts {
                snapshot: of_metrics(counted.dialect, vec![counted.metric]),
                filters: Arc::new(move |_| filter.to_vec()),
            };
            (lineage, counts)
        });
        let sums: Vec<_> = sums.collect();
        let shards = sums.iter().map(|(lineage, counts)| Shard {
            worker: 0,
            lineage: Some(*lineage),
            counts,
        });
        let shards: Vec<_> = shards.collect();
        let order = PartOrder {
            part,
            version: 1,
            delta: None,
        };
        let mut messages = Vec::new();
        let source = (cluster, &[][..], attempt);
        Published::default().write(source, &shards, &[order], &mut |_, chunks| {
            messages = chunks;
        });
        let chunks = u16::try_from(messages.len()).unwrap_or(u16::MAX);
        let messages = (0..chunks).zip(messages).map(|(chunk, bytes)| {
            let contents = Contents::Base { chunk, chunks };
            let subject = Subject {
                cluster,
                host: &[],
                run: attempt,
                topic: Topic::Part(part, contents),
            };
            Outgoing {
                part: Some((part, contents)),
                subject: subject.to_string(),
                bytes,
            }
        });
        messages.collect()
    }
}

/// Adds up the values of a part, by definition; each sum has the version of the fold that
/// changed it last.
fn added(
    before: Option<&Values>,
    new: &[Values],
    version: u64,
) -> BTreeMap<SchemaId, (u64, Counted)> {
    let mut sums: BTreeMap<SchemaId, (u64, Counted)> = BTreeMap::new();
    for ((schema, lineage), counted) in before.into_iter().flat_map(Values::lineages) {
        sums.insert(schema, (lineage, counted.clone()));
    }
    for (schema, counted) in new.iter().flat_map(Values::iter) {
        let known = sums.entry(schema);
        known
            .and_modify(|(lineage, sum)| {
                *lineage = version;
                merge(&mut sum.metric, &counted.metric);
            })
            .or_insert_with(|| (version, counted.clone()));
    }
    sums
}
