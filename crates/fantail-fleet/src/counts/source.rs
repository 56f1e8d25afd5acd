//! What a host publishes: the changed series of its workers, by part.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use fantail_metrics::{
    Label, MetricSnapshot, Series,
    internal::{epoch, pick},
};

use super::{
    Counted, EPOCH, PARTS, PartId, PartOrder, RunId, RunPart, WorkerCounts, message::write_part,
    part_of,
};

/// About the most bytes of the series in a message; brokers accept 1 MiB.
const CHUNK_BYTES: usize = 128 << 10;

/// The counts of a worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shard<'a> {
    /// The number of the worker.
    pub(super) worker: u16,
    /// The lineage of its metrics, if it is not that of a worker's counting.
    pub(super) lineage: Option<u64>,
    pub(super) counts: &'a WorkerCounts,
}

impl Shard<'_> {
    /// Returns the number of a metric's counting.
    fn lineage(&self, metric: &MetricSnapshot) -> u64 {
        let counting = u64::from(self.worker) << 48 | epoch(metric) & EPOCH;
        self.lineage.unwrap_or(counting)
    }
}

/// What a run has sent: the number of events of each series.
#[derive(Debug, Default)]
pub(super) struct Published {
    hashes: RandomState,
    sent: HashMap<u64, u64, RandomState>,
}

/// A series on the way through all shards.
struct Seen<'w> {
    shard: usize,
    metric: usize,
    at: u32,
    /// The ancestors, without the metric itself.
    path: &'w [u32],
    part: PartId,
    hash: u64,
    series: Series<'w>,
}

/// The series of a part that are sent.
#[derive(Debug, Default)]
struct Chosen {
    chunks: Vec<Vec<Picked>>,
    /// About the bytes of the last chunk.
    bytes: usize,
}

/// Series of one metric.
#[derive(Debug)]
struct Picked {
    shard: usize,
    metric: usize,
    indices: Vec<u32>,
    with_root: bool,
    /// The last series, and its ancestors.
    path: Vec<u32>,
}

impl Published {
    /// Returns the parts with series that were not sent since they changed.
    #[must_use]
    pub(super) fn changed(&mut self, shards: &[Shard<'_>]) -> Vec<PartId> {
        let mut changed = [false; PARTS];
        let mut series = 0;
        walk(&self.hashes, shards, &mut |seen| {
            series += 1;
            if self.is_changed(&seen)
                && let Some(changed) = changed.get_mut(usize::from(seen.part))
            {
                *changed = true;
            }
        });
        if self.sent.len() > 2 * series + 1_024 {
            // Most are of metrics that are gone. The others are sent once more.
            self.sent.clear();
        }
        let all = (0..=PartId::MAX).zip(changed);
        all.filter_map(|(part, changed)| changed.then_some(part))
            .collect()
    }

    fn is_changed(&self, seen: &Seen<'_>) -> bool {
        let sent = self.sent.get(&seen.hash).copied();
        // A series without events exists, too.
        sent != Some(seen.series.duration().count())
    }

    /// Returns about the bytes of memory in use.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        self.sent.capacity() * (size_of::<(u64, u64)>() + 1)
    }

    /// Writes the messages of the ordered parts: `write` gets each order with its messages.
    /// A delta of more than one message is none: `write` gets no message, and has to order
    /// the part as a base.
    pub(super) fn write(
        &mut self,
        source: (&[u8], &[u8], RunId),
        shards: &[Shard<'_>],
        orders: &[PartOrder],
        write: &mut dyn FnMut(&PartOrder, Vec<Vec<u8>>),
    ) {
        let mut chosen: HashMap<PartId, (Option<(u64, u8)>, Chosen)> = orders
            .iter()
            .map(|order| (order.part, (order.delta, Chosen::default())))
            .collect();
        let hashes = self.hashes.clone();
        walk(&hashes, shards, &mut |seen| {
            let Some((delta, chosen)) = chosen.get_mut(&seen.part) else {
                return;
            };
            if delta.is_none() || self.is_changed(&seen) {
                chosen.add(&seen);
                self.sent.insert(seen.hash, seen.series.duration().count());
            }
        });
        for order in orders {
            let Some((_, mut chosen)) = chosen.remove(&order.part) else {
                continue;
            };
            if chosen.chunks.is_empty() {
                // A part whose series are all gone.
                chosen.chunks.push(Vec::new());
            }
            let chunks = u16::try_from(chosen.chunks.len()).unwrap_or(u16::MAX);
            let is_too_long = order.delta.is_some() && chunks > 1;
            let messages = (0..chunks).zip(&chosen.chunks).filter(|_| !is_too_long);
            let messages = messages.map(|(chunk, picked)| {
                let part = RunPart {
                    part: order.part,
                    version: order.version,
                    contents: order.contents(chunk, chunks),
                };
                let metrics: Vec<_> = picked.iter().filter_map(|one| one.metric(shards)).collect();
                write_part(source, part, &metrics)
            });
            write(order, messages.collect());
        }
    }
}

impl Chosen {
    fn add(&mut self, seen: &Seen<'_>) {
        if self.chunks.is_empty() || self.bytes > CHUNK_BYTES {
            self.chunks.push(Vec::new());
            self.bytes = 0;
        }
        self.bytes += encoded_bytes(&seen.series);
        let Some(chunk) = self.chunks.last_mut() else {
            return;
        };
        let is_same = |last: &Picked| last.shard == seen.shard && last.metric == seen.metric;
        if !chunk.last().is_some_and(is_same) {
            chunk.push(Picked {
                shard: seen.shard,
                metric: seen.metric,
                indices: Vec::new(),
                with_root: false,
                path: Vec::new(),
            });
        }
        if let Some(picked) = chunk.last_mut() {
            picked.add(seen);
        }
    }
}

/// Returns about the bytes of a series in a message.
fn encoded_bytes(series: &Series<'_>) -> usize {
    const SKETCH_BYTES: usize = 4 << 10;
    let label = match series.label() {
        Label::Value(value) => value.len(),
        _ => 0,
    };
    let distributions = series.distributions().iter();
    let values = distributions.map(|one| match usize::try_from(one.count()) {
        Ok(values @ ..=480) => 4 * values,
        _ => SKETCH_BYTES,
    });
    16 + label + values.sum::<usize>()
}

impl Picked {
    fn add(&mut self, seen: &Seen<'_>) {
        if seen.at == 0 {
            self.with_root = true;
            return;
        }
        let known = self.path.iter().zip(seen.path);
        let known = known.take_while(|(one, other)| one == other).count();
        self.path.truncate(known);
        for ancestor in seen.path.iter().skip(known) {
            self.indices.push(*ancestor);
            self.path.push(*ancestor);
        }
        self.indices.push(seen.at);
        self.path.push(seen.at);
    }

    /// Returns the number of the lineage, and the metric with these series.
    fn metric(&self, shards: &[Shard<'_>]) -> Option<(u64, Counted)> {
        let shard = shards.get(self.shard)?;
        let counts = shard.counts;
        let metric = counts.snapshot.metrics().get(self.metric)?;
        let counted = Counted {
            dialect: counts.snapshot.dialect(),
            filter: (counts.filters)(metric.settings()).into(),
            metric: pick(metric, &self.indices, self.with_root),
        };
        Some((shard.lineage(metric), counted))
    }
}

/// Visits all series of all metrics, parents before children.
fn walk(hashes: &RandomState, shards: &[Shard<'_>], visit: &mut dyn FnMut(Seen<'_>)) {
    for (number, shard) in shards.iter().enumerate() {
        for (at, metric) in shard.counts.snapshot.metrics().iter().enumerate() {
            walk_metric(hashes, (number, at, shard.lineage(metric)), metric, visit);
        }
    }
}

fn walk_metric(
    hashes: &RandomState,
    (shard, number, lineage): (usize, usize, u64),
    metric: &MetricSnapshot,
    visit: &mut dyn FnMut(Seen<'_>),
) {
    let name = &metric.settings().name;
    let root = hashes.hash_one((name, lineage));
    let mut part = part_of(name, None);
    let mut path: Vec<u32> = Vec::new();
    let mut path_hashes: Vec<u64> = Vec::new();
    for (at, series) in (0..).zip(metric.series().iter()) {
        let ancestors = series.depth().saturating_sub(1);
        path.truncate(ancestors);
        path_hashes.truncate(ancestors);
        if series.depth() == 1 {
            part = part_of(name, Some(series.label()));
        }
        let above = path_hashes.last().copied().unwrap_or(root);
        let hash = match at {
            0 => root,
            _ => hashes.hash_one((above, series.label())),
        };
        visit(Seen {
            shard,
            metric: number,
            at,
            path: &path,
            part,
            hash,
            series,
        });
        if at > 0 {
            path.push(at);
            path_hashes.push(hash);
        }
    }
}
