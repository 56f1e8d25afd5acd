//! A run as its host publishes it: counts in, messages out, answers in.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use fantail_metrics::{
    MetricSettings, MetricSnapshot, Snapshot,
    internal::{epoch, of_metrics},
};

use super::{
    Contents, Fences, HeadMessage, PartId, PartOrder, Published, Publisher, PublisherInput,
    PublisherRules, RunId, Shard, Subject, Topic,
};

/// Returns the text of a metric's filter.
pub type Filters = Arc<dyn Fn(&MetricSettings) -> Vec<u8> + Send + Sync>;

/// The counts of a worker, not merged with others; its registry began empty with the run.
#[derive(Clone)]
pub struct WorkerCounts {
    /// The counts.
    pub snapshot: Snapshot,
    /// The filters of their metrics.
    pub filters: Filters,
}

impl fmt::Debug for WorkerCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkerCounts").field(&self.snapshot).finish()
    }
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The part; `None` for a head.
    pub part: Option<(PartId, Contents)>,
    /// The subject.
    pub subject: String,
    /// The message.
    pub bytes: Vec<u8>,
}

/// What messages publish together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batched {
    /// This version of a part.
    Part(PartId, u64),
    /// This version of the head.
    Head(u64),
}

/// Messages that are answered together.
#[derive(Debug, Clone)]
pub struct MessageBatch {
    /// What they publish.
    pub what: Batched,
    /// The messages, in order.
    pub messages: Vec<Outgoing>,
}

/// A run of a host.
#[derive(Debug)]
pub struct Session {
    cluster: Vec<u8>,
    host: Vec<u8>,
    run: RunId,
    publisher: Publisher,
    published: Published,
    fences: Fences,
    /// The newest counts of each worker.
    last: Vec<WorkerCounts>,
    /// Countings that have ended: their values stay in the run.
    ended: Vec<(u16, WorkerCounts)>,
    /// The events of all metrics when the run was last known not to be folded.
    safe: u64,
}

impl Session {
    /// Returns a new run, without a connection. Its id must be random, and never be used
    /// again.
    #[must_use]
    pub fn new(cluster: &[u8], host: &[u8], run: RunId, rules: PublisherRules) -> Self {
        Self {
            cluster: cluster.to_vec(),
            host: host.to_vec(),
            run,
            publisher: Publisher::new(rules),
            published: Published::default(),
            fences: Fences::default(),
            last: Vec::new(),
            ended: Vec::new(),
            safe: 0,
        }
    }

    /// Returns the id of the run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Notes that the stream can be reached, for the first time or again.
    pub fn connected(&mut self, now: Duration) {
        self.publisher.step(PublisherInput::Connected, now);
    }

    /// Notes that the stream cannot be reached.
    pub fn disconnected(&mut self, now: Duration) {
        self.publisher.step(PublisherInput::Disconnected, now);
    }

    /// Ends the run; see [`is_done`](Self::is_done).
    pub fn close(&mut self, now: Duration) {
        self.publisher.step(PublisherInput::Close, now);
    }

    /// Returns whether the run has ended, and all of it is stored.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.publisher.is_done()
    }

    /// Returns about the bytes that the run keeps, besides counts that it shares with
    /// workers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.published.bytes()
    }

    /// Takes the counts of all workers. Metrics that have started from zero, or are gone,
    /// stay in the run with the values that they had before.
    ///
    /// # Errors
    /// All metrics have started from zero, and all that they had is stored: a new run has
    /// to take the counts, which are returned, and this one has to end.
    pub fn take(
        &mut self,
        counts: Vec<WorkerCounts>,
        now: Duration,
    ) -> Result<(), Vec<WorkerCounts>> {
        let ended: Vec<_> = (0..)
            .zip(&self.last)
            .filter_map(|(worker, before)| {
                let after = counts.get(usize::from(worker));
                let ended = ended(&before.snapshot, after.map(|after| &after.snapshot))?;
                Some((worker, before, ended))
            })
            .collect();
        let metrics = self.last.iter().map(|one| one.snapshot.metrics().len());
        let metrics: usize = metrics.sum();
        let all: usize = ended.iter().map(|(_, _, ended)| ended.len()).sum();
        if metrics > 0 && all == metrics && self.publisher.is_settled() {
            return Err(counts);
        }
        let kept = ended.into_iter().map(|(worker, before, ended)| {
            let snapshot = of_metrics(before.snapshot.dialect(), ended);
            let filters = Arc::clone(&before.filters);
            (worker, WorkerCounts { snapshot, filters })
        });
        let kept: Vec<_> = kept.collect();
        self.ended.extend(kept);
        self.last = counts;
        self.forget_oldest();
        let changed = self.published.changed(&shards(&self.last, &self.ended));
        for part in changed {
            self.publisher.step(PublisherInput::Changed(part), now);
        }
        Ok(())
    }

    /// Bounds the countings that have ended: they may have twice the series of the others.
    fn forget_oldest(&mut self) {
        const MIN_SERIES: usize = 10_000;
        let series = |counts: &WorkerCounts| -> usize {
            let metrics = counts.snapshot.metrics().iter();
            metrics.map(|metric| metric.series().len()).sum()
        };
        let limit = MIN_SERIES + 2 * self.last.iter().map(series).sum::<usize>();
        let mut all: usize = self.ended.iter().map(|(_, counts)| series(counts)).sum();
        while all > limit && !self.ended.is_empty() {
            let (_, oldest) = self.ended.remove(0);
            all -= series(&oldest);
        }
    }

    /// Returns the parts to publish.
    pub fn parts(&mut self, now: Duration) -> Vec<PartOrder> {
        self.publisher.step(PublisherInput::Tick, now).parts
    }

    /// Writes the messages of parts.
    pub fn write(&mut self, orders: &[PartOrder], now: Duration) -> Vec<MessageBatch> {
        let (mut batches, mut too_long) = (Vec::new(), Vec::new());
        self.write_into(orders, &mut |order, messages| match messages {
            None => too_long.push(PartOrder {
                delta: None,
                ..*order
            }),
            Some(messages) => batches.push(MessageBatch {
                what: Batched::Part(order.part, order.version),
                messages,
            }),
        });
        for order in &too_long {
            self.publisher
                .step(PublisherInput::TooLong(order.part), now);
        }
        self.write_into(&too_long, &mut |order, messages| {
            batches.push(MessageBatch {
                what: Batched::Part(order.part, order.version),
                messages: messages.unwrap_or_default(),
            });
        });
        batches
    }

    fn write_into(
        &mut self,
        orders: &[PartOrder],
        write: &mut dyn FnMut(&PartOrder, Option<Vec<Outgoing>>),
    ) {
        if orders.is_empty() {
            return;
        }
        let source = (self.cluster.as_slice(), self.host.as_slice(), self.run);
        let (cluster, host, run) = source;
        let shards = shards(&self.last, &self.ended);
        self.published
            .write(source, &shards, orders, &mut |order, messages| {
                let chunks = u16::try_from(messages.len()).unwrap_or(u16::MAX);
                let messages = (0..chunks).zip(messages).map(|(chunk, bytes)| {
                    let contents = order.contents(chunk, chunks);
                    let subject = Subject {
                        cluster,
                        host,
                        run,
                        topic: Topic::Part(order.part, contents),
                    };
                    Outgoing {
                        part: Some((order.part, contents)),
                        subject: subject.to_string(),
                        bytes,
                    }
                });
                write(order, (chunks > 0).then(|| messages.collect()));
            });
    }

    /// Returns the head to publish, if it is due; all messages of parts must be answered.
    pub fn head(&mut self, now: Duration) -> Option<MessageBatch> {
        let head = self.publisher.step(PublisherInput::Answered, now).head?;
        let version = head.version;
        let message = HeadMessage {
            cluster: self.cluster.clone(),
            host: self.host.clone(),
            run: self.run,
            head,
        };
        let outgoing = Outgoing {
            part: None,
            subject: self.subject(Topic::Head),
            bytes: message.to_bytes(),
        };
        Some(MessageBatch {
            what: Batched::Head(version),
            messages: vec![outgoing],
        })
    }

    fn subject(&self, topic: Topic) -> String {
        let subject = Subject {
            cluster: &self.cluster,
            host: &self.host,
            run: self.run,
            topic,
        };
        subject.to_string()
    }

    /// Returns the subject on which a fold process claims the run. The host asks for its last
    /// sequence before it publishes, and gives it to [`asked`](Self::asked).
    #[must_use]
    pub fn claim_subject(&self) -> String {
        self.subject(Topic::Claim)
    }

    /// Notes the last sequence of the [claim subject](Self::claim_subject); 0 if it has no
    /// message. Returns the events of the metrics that are lost if the run is folded, at
    /// most: those that were counted after the last time that it was not. A new run has to
    /// begin then, with metrics that have started from zero.
    pub fn asked(&mut self, last: u64) -> Option<u64> {
        let shards = shards(&self.last, &self.ended);
        let metrics = shards
            .iter()
            .flat_map(|shard| shard.counts.snapshot.metrics());
        let roots = metrics.filter_map(|metric| metric.series().get(0));
        let events: u64 = roots.map(|root| root.duration().count()).sum();
        if last > 0 {
            return Some(events.saturating_sub(self.safe));
        }
        if self.publisher.is_settled() {
            self.safe = events;
        }
        None
    }

    /// Returns the sequence that the subject's last message must have
    /// (`Nats-Expected-Last-Subject-Sequence`).
    #[must_use]
    pub fn expected(&self, message: &Outgoing) -> u64 {
        self.fences.expected(message.part)
    }

    /// Notes that a message is stored with this sequence.
    pub fn stored(&mut self, message: &Outgoing, sequence: u64, now: Duration) {
        if self.fences.stored(message.part, sequence) {
            self.publisher.step(PublisherInput::StreamLost, now);
        }
    }

    /// Notes that the subject's last message has another sequence. The message may be sent
    /// again, once.
    pub fn refused(&mut self, message: &Outgoing, actual: u64, now: Duration) {
        if self.fences.refused(message.part, actual) {
            self.publisher.step(PublisherInput::StreamLost, now);
        }
    }

    /// Notes whether all messages of a batch are known to be stored.
    pub fn answered(&mut self, what: Batched, is_stored: bool, now: Duration) {
        let input = match (what, is_stored) {
            (Batched::Part(part, version), true) => PublisherInput::Acknowledged(part, version),
            (Batched::Part(part, version), false) => PublisherInput::Failed(part, version),
            (Batched::Head(version), true) => PublisherInput::HeadAcknowledged(version),
            (Batched::Head(_), false) => PublisherInput::HeadFailed,
        };
        self.publisher.step(input, now);
    }
}

/// Returns the metrics of `before` that count no longer in `after`; `None` if all do.
fn ended(before: &Snapshot, after: Option<&Snapshot>) -> Option<Vec<MetricSnapshot>> {
    let after = after.into_iter().flat_map(Snapshot::metrics);
    let after: HashSet<u64> = after.map(epoch).collect();
    let metrics = before.metrics().iter();
    let ended = metrics.filter(|metric| !after.contains(&epoch(metric)));
    let ended: Vec<_> = ended.cloned().collect();
    (!ended.is_empty()).then_some(ended)
}

fn shards<'a>(last: &'a [WorkerCounts], ended: &'a [(u16, WorkerCounts)]) -> Vec<Shard<'a>> {
    let last = (0..).zip(last);
    let ended = ended.iter().map(|(worker, counts)| (*worker, counts));
    let all = last.chain(ended);
    let all = all.map(|(worker, counts)| Shard {
        worker,
        lineage: None,
        counts,
    });
    all.collect()
}
