//! A host: it counts, publishes, ends or is killed.

use std::{sync::Arc, time::Duration};

use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use fantail_fleet::counts::{
    Batched, MessageBatch, PartId, PublisherRules, RunId, Session, WorkerCounts,
};
use fantail_metrics::{GroupBy, Method, MetricSettings, Registry, state};

use super::{
    is_planted,
    ledger::{self, Ledger, RunEvents},
    now,
    stream::{Outcome, Stream},
};
use crate::{
    broken::{Broken, holds},
    fault::Fault,
    world::with,
};

pub(super) const CLUSTER: &[u8] = b"site";
const METRICS: [&str; 2] = ["logins", "mails"];
const WORKERS: usize = 2;
const USERS: u8 = 6;

pub(super) struct Host {
    name: Vec<u8>,
    /// The id of the run; that of the ledger is never used again.
    id: RunId,
    run: RunId,
    workers: Vec<Registry>,
    session: Session,
    is_connected: bool,
    /// Whether the stream had another message than the session knew of.
    was_refused: bool,
    /// The number of times that the counts were reset.
    resets: u32,
    events: RunEvents,
    /// The counts in the state file.
    saved: Option<Vec<u8>>,
}

impl Host {
    pub(super) fn start(number: u32, ledger: &mut Ledger) -> Self {
        ledger.runs += 1;
        let name = format!("mail{number}").into_bytes();
        let mut host = Self {
            id: ledger.runs,
            run: ledger.runs,
            workers: (0..WORKERS).map(|_| registry()).collect(),
            session: session(&name, ledger.runs),
            is_connected: false,
            was_refused: false,
            resets: 0,
            events: RunEvents::default(),
            saved: None,
            name,
        };
        host.connect();
        host
    }

    pub(super) const fn run(&self) -> RunId {
        self.run
    }

    pub(super) fn connect(&mut self) {
        if !std::mem::replace(&mut self.is_connected, true) {
            self.session.connected(now());
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.is_connected = false;
        self.session.disconnected(now());
    }

    /// A worker counts an event.
    pub(super) fn count(&mut self, ledger: &mut Ledger) {
        let (worker, metric, user) = with(|world| {
            let metric = *world.random.choice(&METRICS).unwrap_or(&"mails");
            let user = b'a' + world.random.u8(..USERS);
            (world.random.usize(..WORKERS), metric, user)
        });
        let text = [user];
        let event = Event::builder(Timestamp::from_unix_micros(1)).field("user", &text[..]);
        let (Ok(event), Some(registry)) = (event.build(), self.workers.get_mut(worker)) else {
            return;
        };
        if let Some(id) = registry.id(metric.as_bytes()) {
            registry.observe(id, &SentEvent::alone(&event));
        }
        let user = (metric == "logins").then_some((metric, Some(user)));
        for series in user.into_iter().chain([(metric, None)]) {
            let counting = (worker, self.resets, series);
            *self.events.entry(counting).or_default() += 1;
            *ledger.counted.entry(series).or_default() += 1;
        }
    }

    /// All counts start again from zero.
    pub(super) fn reset(&mut self) {
        self.workers.iter_mut().for_each(Registry::reset);
        self.resets += 1;
    }

    /// The host is killed, and starts again with what its state file has.
    pub(super) fn kill(&mut self, ledger: &mut Ledger) {
        let mut number = 0;
        for digit in self.name.iter().skip(4) {
            number = 10 * number + u32::from(digit - b'0');
        }
        with(|world| world.note(|| format!("host {number} starts again")));
        if ledger.at_risk.contains(&self.run) {
            ledger.forget(self.run);
        }
        let (id, saved) = (self.id, self.saved.take());
        *self = Self::start(number, ledger);
        if is_planted(Fault::RunIdsAreReused) {
            self.id = id;
            self.session = session(&self.name, id);
            self.session.connected(now());
        }
        if is_planted(Fault::RestoredStateIsPublished)
            && let (Some(saved), Some(first)) = (saved, self.workers.first_mut())
            && let Ok(saved) = state::read(&saved)
        {
            first.restore(&saved, |_, _| true);
        }
    }

    /// Publishes what changed, and the head if it is due.
    pub(super) fn publish(&mut self, stream: &mut Stream, ledger: &mut Ledger) {
        if self.is_connected {
            self.ask_for_claim(stream, ledger);
        }
        self.take(ledger, stream);
        let orders = self.session.parts(now());
        let mut is_whole = true;
        for batch in self.session.write(&orders, now()) {
            let is_stored = self.send(&batch, stream);
            is_whole &= is_stored && !self.was_refused;
            if let (Batched::Part(part, _), true) = (batch.what, is_stored) {
                self.acknowledge(part, ledger);
            }
        }
        if self.send_head(stream, ledger) && is_whole && !self.was_refused {
            ledger.at_risk.remove(&self.run);
        }
    }

    /// Takes the counts; begins a new run after a reset.
    fn take(&mut self, ledger: &mut Ledger, stream: &mut Stream) {
        let counts = self.workers.iter().map(|worker| WorkerCounts {
            snapshot: worker.snapshot(),
            filters: Arc::new(|_| b"event=x".to_vec()),
        });
        let counts: Vec<_> = counts.collect();
        if let Some(first) = counts.first() {
            self.saved = Some(state::write(&first.snapshot, |_| Vec::new()));
        }
        let Err(counts) = self.session.take(counts, now()) else {
            return;
        };
        self.session.close(now());
        self.send_head(stream, ledger);
        self.begin_run(ledger);
        let taken = self.session.take(counts, now());
        debug_assert!(taken.is_ok(), "the first counts of a run");
    }

    /// Notes what is stored of a part.
    fn acknowledge(&self, part: PartId, ledger: &mut Ledger) {
        let events = self.events.iter();
        let events = events.filter(|((_, _, series), _)| ledger::part(*series) == part);
        let events = events.map(|(counting, events)| (*counting, *events));
        // What was counted between the last publication and a reset is lost.
        let events = events.filter(|((_, resets, _), _)| *resets == self.resets);
        ledger.acknowledge(self.run, &events.collect());
    }

    /// Sends the head, if it is due; returns whether it is stored.
    fn send_head(&mut self, stream: &mut Stream, ledger: &mut Ledger) -> bool {
        let Some(batch) = self.session.head(now()) else {
            return false;
        };
        if let Batched::Head(version) = batch.what {
            let known = ledger.acknowledged.get(&self.run).cloned();
            let known = known.unwrap_or_default();
            ledger.heads.insert((self.run, version), known);
        }
        self.send(&batch, stream)
    }

    /// Begins a new run if this one is folded, as it was silent for too long. Answers of
    /// the host do not matter here: all counts start again from zero.
    fn ask_for_claim(&mut self, stream: &Stream, ledger: &mut Ledger) {
        let last = stream.last_sequence(&self.session.claim_subject());
        if self.session.asked(last).is_none() || is_planted(Fault::ClaimsAreNotAskedFor) {
            return;
        }
        with(|world| world.note(|| format!("run {} was claimed", self.run)));
        if ledger.at_risk.contains(&self.run) {
            ledger.forget(self.run);
        }
        self.reset();
        self.begin_run(ledger);
    }

    fn begin_run(&mut self, ledger: &mut Ledger) {
        ledger.runs += 1;
        (self.run, self.id) = (ledger.runs, ledger.runs);
        self.session = session(&self.name, self.id);
        if self.is_connected {
            self.session.connected(now());
        }
        self.events
            .retain(|(_, resets, _), _| *resets == self.resets);
    }

    /// Sends messages; returns whether they are known to be stored.
    fn send(&mut self, batch: &MessageBatch, stream: &mut Stream) -> bool {
        let mut is_stored = true;
        self.was_refused = false;
        for message in &batch.messages {
            let expected = self.session.expected(message);
            let mut outcome = stream.send(message, expected);
            if let Outcome::Refused(actual) = outcome {
                self.was_refused = true;
                if !is_planted(Fault::LostMessagesAreNotRepeated) {
                    self.session.refused(message, actual, now());
                }
                outcome = stream.send(message, actual);
            }
            is_stored &= match outcome {
                Outcome::Stored(sequence) => {
                    if !is_planted(Fault::LostMessagesAreNotRepeated) {
                        self.session.stored(message, sequence, now());
                    }
                    true
                }
                Outcome::Refused(_) => false,
                Outcome::Unknown => is_planted(Fault::LostAnswersCountAsStored),
            };
        }
        self.session.answered(batch.what, is_stored, now());
        is_stored
    }

    /// Ends the run, until all of it is stored.
    pub(super) fn finish(
        &mut self,
        stream: &mut Stream,
        ledger: &mut Ledger,
    ) -> Result<(), Broken> {
        if is_planted(Fault::EndingRunsAreNotPublished) {
            return Ok(());
        }
        self.connect();
        // The last counts may begin a new run.
        self.take(ledger, stream);
        for _ in 0..200 {
            // Also a run that began because the one before was claimed.
            self.session.close(now());
            if self.session.is_done() {
                return self.check_end(ledger);
            }
            with(|world| world.pass(Duration::from_secs(1)));
            self.publish(stream, ledger);
        }
        Err(Broken::new("a run does not end"))
    }

    /// Checks that all that the run has counted since a reset is acknowledged.
    pub(super) fn check_end(&self, ledger: &Ledger) -> Result<(), Broken> {
        let stored = ledger.acknowledged.get(&self.run);
        let now = self.events.iter();
        let now = now.filter(|((_, resets, _), _)| *resets == self.resets);
        let mut missing = now.filter(|(counting, events)| {
            stored.and_then(|stored| stored.get(*counting)) != Some(*events)
        });
        let missing = missing.next();
        holds(missing.is_none(), || {
            format!("a run has ended without {missing:?}")
        })
    }
}

fn session(name: &[u8], id: RunId) -> Session {
    Session::new(CLUSTER, name, id, PublisherRules::default())
}

fn registry() -> Registry {
    let mut registry = Registry::new(Dialect::V2_4);
    for name in METRICS {
        let by_user = GroupBy::new("user", Method::Discrete(Vec::new()));
        let added = registry.add(MetricSettings {
            name: name.into(),
            group_by: (name == "logins").then_some(by_user).into_iter().collect(),
            ..MetricSettings::default()
        });
        debug_assert!(added.is_ok(), "{name} is a name");
    }
    registry
}
