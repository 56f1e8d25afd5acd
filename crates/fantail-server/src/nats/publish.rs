//! Publishing the counts of a server.

use std::{
    io,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use fantail_fleet::counts::{MessageBatch, PublisherRules, RunId, Session, WorkerCounts};
use tokio::{
    runtime::Builder,
    sync::oneshot,
    time::{MissedTickBehavior, interval, sleep, timeout_at},
};

use super::{
    NatsOptions,
    connection::{Connection, Link, Outcome},
};
use crate::{
    Handle, Log,
    handle::metric_bytes,
    memory::{Part, Reservation},
};

/// Parts whose messages are in memory at once.
const PARTS_AT_ONCE: usize = 64;

/// The pause before an unfinished run tries again to end.
const END_PAUSE: Duration = Duration::from_millis(50);

/// The thread that publishes.
#[derive(Debug)]
pub(crate) struct Publishing {
    end: oneshot::Sender<End>,
    thread: JoinHandle<()>,
}

/// The order to end the run.
#[derive(Debug)]
struct End {
    /// The last counts.
    counts: oneshot::Receiver<Vec<WorkerCounts>>,
    until: Instant,
    done: oneshot::Sender<()>,
}

impl Publishing {
    /// Starts to publish.
    ///
    /// # Errors
    /// The system starts no thread.
    pub(crate) fn start(
        options: &NatsOptions,
        host: &[u8],
        handle: &Handle,
        log: &Log,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let (options, log) = (options.clone(), log.clone());
        let (host, handle) = (host.to_vec(), handle.clone());
        let thread = thread::Builder::new().name("publish".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                match Connection::open(&options, &host, &log).await {
                    Err(error) => log.say(format_args!("counts are not published: {error}")),
                    Ok(connection) => {
                        let publisher = Publisher::new(options, host, connection, handle, log);
                        publisher.run(ended).await;
                    }
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { end, thread })
    }

    /// Publishes the last counts and ends the run, within a time.
    pub(crate) async fn end(self, counts: oneshot::Receiver<Vec<WorkerCounts>>, until: Instant) {
        let (done, is_done) = oneshot::channel();
        let end = End {
            counts,
            until,
            done,
        };
        if self.end.send(end).is_ok() {
            let _ = timeout_at(until.into(), is_done).await;
        }
        if self.thread.is_finished() {
            let _ = self.thread.join();
        }
    }
}

struct Publisher {
    options: NatsOptions,
    host: Vec<u8>,
    connection: Connection,
    link: Link,
    handle: Handle,
    log: Log,
    session: Session,
    since: Instant,
    /// What the run keeps: the newest published counts, which workers copy when they change
    /// them, and what was sent.
    memory: Reservation,
    /// Whether the log has been told that messages fail.
    has_failed: bool,
}

impl Publisher {
    fn new(
        options: NatsOptions,
        host: Vec<u8>,
        connection: Connection,
        handle: Handle,
        log: Log,
    ) -> Self {
        let session = new_session(&options, &host);
        let memory = handle.memory.budget(Part::Series).reserve_anyway(0);
        Self {
            options,
            host,
            connection,
            link: Link::default(),
            handle,
            log,
            session,
            since: Instant::now(),
            memory,
            has_failed: false,
        }
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    async fn run(mut self, mut ended: oneshot::Receiver<End>) {
        let mut ticks = interval(self.options.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // The server may end while it is asked for counts.
            let counts = tokio::select! {
                end = &mut ended => return self.obey(end).await,
                counts = async {
                    ticks.tick().await;
                    self.handle.counts().await
                } => counts,
            };
            let Ok(counts) = counts else {
                continue;
            };
            tokio::select! {
                end = &mut ended => return self.obey(end).await,
                () = self.turn(counts) => {}
            }
        }
    }

    async fn obey(&mut self, end: Result<End, oneshot::error::RecvError>) {
        if let Ok(end) = end {
            self.end(end).await;
        }
    }

    async fn end(&mut self, end: End) {
        let ended = timeout_at(end.until.into(), async {
            if let Ok(counts) = end.counts.await {
                self.take(counts).await;
            }
            let now = self.now();
            self.session.close(now);
            // What a turn had under way is sent again.
            self.session.disconnected(now);
            self.link = Link::default();
            loop {
                self.publish().await;
                if self.session.is_done() {
                    return;
                }
                sleep(END_PAUSE).await;
            }
        });
        if ended.await.is_err() {
            self.log.say(format_args!(
                "the last counts were not published in time; they are lost to the aggregate"
            ));
        }
        let _ = end.done.send(());
    }

    async fn turn(&mut self, counts: Vec<WorkerCounts>) {
        if self.has_lost_run().await {
            // The counts are those of the run before.
            return;
        }
        self.take(counts).await;
        self.publish().await;
    }

    /// Asks whether the run is folded, as one that was silent for too long: then a new one
    /// begins, with what is counted from now on.
    async fn has_lost_run(&mut self) -> bool {
        if !self.connection.link.borrow().is_up {
            return false;
        }
        let subject = self.session.claim_subject();
        let last = self.connection.last_sequence(&subject).await;
        let Some(lost) = last.and_then(|last| self.session.asked(last)) else {
            return false;
        };
        self.log.say(format_args!(
            "the counts of this run are folded, as it published nothing for too long; {lost} \
             events at most are lost to the aggregate, and a new run begins"
        ));
        if self.handle.set_aside().await.is_ok() {
            self.session = new_session(&self.options, &self.host);
            self.link = Link::default();
        }
        true
    }

    /// Takes the counts; begins a new run after a reset.
    async fn take(&mut self, counts: Vec<WorkerCounts>) {
        let metrics = counts.iter().flat_map(|one| one.snapshot.metrics());
        let bytes: usize = metrics.map(metric_bytes).sum();
        let now = self.now();
        if let Err(counts) = self.session.take(counts, now) {
            self.session.close(now);
            self.send_head().await;
            self.session = new_session(&self.options, &self.host);
            self.link = Link::default();
            // A new run takes any counts.
            let _ = self.session.take(counts, now);
        }
        self.memory.follow_anyway(bytes + self.session.bytes());
    }

    /// Publishes what changed, and the head if it is due.
    async fn publish(&mut self) {
        self.note_link();
        let orders = self.session.parts(self.now());
        let mut is_well = true;
        for some in orders.chunks(PARTS_AT_ONCE) {
            for batch in self.session.write(some, self.now()) {
                // One time-out is enough.
                is_well = is_well && self.send(&batch).await;
                let now = self.now();
                self.session.answered(batch.what, is_well, now);
            }
        }
        if is_well {
            is_well = self.send_head().await;
        }
        if !is_well && self.link.is_up && !std::mem::replace(&mut self.has_failed, true) {
            self.log.say(format_args!(
                "the broker does not store counts; is there a stream for fantail.c1.>, and may \
                 this host publish?"
            ));
        }
        self.has_failed &= !is_well;
    }

    fn note_link(&mut self) {
        let link = *self.connection.link.borrow();
        let now = self.now();
        if link != std::mem::replace(&mut self.link, link) {
            match link.is_up {
                true => self.session.connected(now),
                false => self.session.disconnected(now),
            }
        }
    }

    /// Publishes the head, if it is due; returns whether it is stored.
    async fn send_head(&mut self) -> bool {
        let Some(batch) = self.session.head(self.now()) else {
            return true;
        };
        let is_stored = self.send(&batch).await;
        let now = self.now();
        self.session.answered(batch.what, is_stored, now);
        is_stored
    }

    /// Publishes messages; returns whether all are stored.
    async fn send(&mut self, batch: &MessageBatch) -> bool {
        for message in &batch.messages {
            let expected = self.session.expected(message);
            let (subject, bytes) = (&message.subject, &message.bytes);
            let publish = |expected| self.connection.publish(subject, expected, bytes.clone());
            let mut outcome = publish(expected).await;
            if let Outcome::WrongSequence(actual) = outcome {
                outcome = publish(actual).await;
                let now = self.now();
                self.session.refused(message, actual, now);
            }
            match outcome {
                Outcome::Stored(sequence) => {
                    let now = self.now();
                    self.session.stored(message, sequence, now);
                }
                Outcome::WrongSequence(_) | Outcome::Failed => return false,
            }
        }
        true
    }
}

fn new_session(options: &NatsOptions, host: &[u8]) -> Session {
    let rules = PublisherRules {
        head_interval: options
            .interval
            .max(PublisherRules::default().head_interval),
        ..PublisherRules::default()
    };
    Session::new(&options.cluster, host, random_run(), rules)
}

/// Returns a random number.
pub(crate) fn random_run() -> RunId {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    let filled = provider.secure_random.fill(&mut bytes);
    debug_assert!(filled.is_ok(), "the system has random numbers");
    RunId::from_be_bytes(bytes)
}
