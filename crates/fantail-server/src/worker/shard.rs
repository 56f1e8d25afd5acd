//! The shard of a worker: its engine, its part of every metric, and the state
//! that its connections share.
//!
//! Handling an event takes no lock and allocates nothing: all connections read
//! into one buffer, and keep only the line that is not complete.

mod recent;
mod recording;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use fantail_engine::Engine;
use fantail_event::{Activity, Dialect, Timestamp};
use fantail_filter::Mentions;
use fantail_format::ExportContext;
use fantail_wire::{Closing, Connection, Intake, WireErrorKind, lines::MAX_WRITER_LINE_BYTES};

use crate::{
    memory::Memory,
    process::clock,
    process::log::Complaints,
    process::record::{Recorder, Tape},
    process::turn::Turn,
    worker::Category,
    worker::accounts::{Accounts, CONNECTION_BYTES},
    worker::closed::Closed,
    worker::observers::{Observers, WorkerSink},
    worker::outbox::Outbox,
    worker::recent::RecentEvents,
};

/// Lines between two looks at the clock.
const LINES_PER_CLOCK: usize = 8;

/// Counters of the input of a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct IntakeCounts {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) accepted: u64,
    /// Connections that were closed for an error, by kind.
    pub(crate) errors: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) engine: Engine,
    pub(crate) outbox: Outbox,
    pub(crate) counts: IntakeCounts,
    pub(crate) complaints: Complaints,
    observers: Arc<Observers>,
    recent: RecentEvents,
    /// The last recording.
    recorder: Option<Recorder>,
    intake: Intake,
    /// The number of registrations of categories that the other workers know.
    told: u64,
    /// Whether there may be more categories to pass on.
    untold: bool,
    hostname: Arc<[u8]>,
    accounts: Accounts,
    /// The largest payload of an export.
    max_payload: usize,
}

/// A connection between two reads.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its name in the log.
    pub(crate) peer: String,
    /// Its part of a recording, and the number of that.
    tape: Option<(u64, Option<Tape>)>,
    state: State,
    /// The beginning of the line that is not complete.
    partial: Vec<u8>,
    /// Bytes that were read and wait for the next turn.
    unhandled: Vec<u8>,
    /// Bytes that are accounted for it.
    held: usize,
}

/// How far a connection has come.
#[derive(Debug)]
enum State {
    Open(Connection),
    Closing(Closing),
    Closed,
}

impl Client {
    pub(crate) fn new(peer: String, dialect: Dialect, limits: fantail_wire::Limits) -> Self {
        Self {
            peer,
            tape: None,
            state: State::Open(Connection::new(dialect, limits)),
            partial: Vec::new(),
            unhandled: Vec::new(),
            held: 0,
        }
    }

    fn held_bytes(&self) -> usize {
        let connection = match &self.state {
            State::Open(connection) => connection.held_bytes(),
            State::Closing(closing) => closing.held_bytes(),
            State::Closed => 0,
        };
        CONNECTION_BYTES + connection + self.partial.capacity() + self.unhandled.capacity()
    }

    /// Whether bytes wait for the next turn.
    pub(crate) const fn has_unhandled(&self) -> bool {
        !self.unhandled.is_empty()
    }
}

/// The parts of a shard that an event passes through.
struct Route<'a> {
    engine: &'a mut Engine,
    context: ExportContext<'a>,
    sink: WorkerSink<'a>,
    recent: &'a mut RecentEvents,
}

impl Route<'_> {
    fn step(&mut self, activity: &Activity<'_>) {
        self.engine.step(activity, self.context, &mut self.sink);
    }

    /// As [`step`](Self::step), for what a client did by this line.
    fn step_line(&mut self, line: &[u8], activity: &Activity<'_>) {
        if let Activity::Sent { event, .. } = activity {
            self.recent.keep(line, event, self.context.received_at);
            self.sink.observers.observe(event);
        }
        self.step(activity);
    }
}

impl Shard {
    pub(crate) fn new(
        engine: Engine,
        outbox: Outbox,
        complaints: Complaints,
        hostname: Arc<[u8]>,
        memory: &Memory,
        max_payload: usize,
        recent: RecentEvents,
    ) -> Self {
        let mut shard = Self {
            engine,
            outbox,
            counts: IntakeCounts::default(),
            complaints,
            observers: Arc::default(),
            recent,
            recorder: None,
            intake: Intake::new(),
            told: 0,
            untold: false,
            hostname,
            accounts: Accounts::new(memory),
            max_payload,
        };
        shard.reserve_categories();
        shard.settle();
        shard
    }

    /// Takes a new client.
    ///
    /// # Errors
    /// There is no memory for it; the reason was logged and counted.
    pub(crate) fn admit(&mut self, client: &mut Client) -> Result<(), Closed> {
        let admitted = self.account(client);
        if let Err(closed) = &admitted {
            self.complain(client, closed);
        }
        admitted
    }

    /// Handles bytes that were read from a client, until the turn is over.
    ///
    /// # Errors
    /// The client is to be closed; the reason was logged and counted.
    pub(crate) fn take(
        &mut self,
        client: &mut Client,
        read: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), Closed> {
        self.counts.bytes += read.len() as u64;
        if self.recorder.is_some() {
            self.record(client, read);
        }
        self.handle(client, read, turn)
    }

    /// Handles bytes that an earlier turn has left.
    ///
    /// # Errors
    /// As for [`take`](Self::take).
    pub(crate) fn resume(&mut self, client: &mut Client, turn: &Turn<'_>) -> Result<(), Closed> {
        let left = std::mem::take(&mut client.unhandled);
        self.handle(client, &left, turn)
    }

    fn handle(&mut self, client: &mut Client, bytes: &[u8], turn: &Turn<'_>) -> Result<(), Closed> {
        let handled = self.lines(client, bytes, turn);
        let handled = handled.and_then(|()| self.account(client));
        if let Err(closed) = &handled {
            self.complain(client, closed);
        }
        handled
    }

    fn lines(&mut self, client: &mut Client, bytes: &[u8], turn: &Turn<'_>) -> Result<(), Closed> {
        let now = clock::now();
        let mut rest = bytes;
        let mut handled = 0_usize;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if client.partial.is_empty() {
                self.line(client, line, now)?;
            } else {
                let mut whole = std::mem::take(&mut client.partial);
                whole.extend_from_slice(line);
                self.line(client, &whole, now)?;
            }
            handled += 1;
            if handled.is_multiple_of(LINES_PER_CLOCK) && !rest.is_empty() && turn.is_over() {
                client.unhandled = rest.to_vec();
                return Ok(());
            }
        }
        if client.partial.len() + rest.len() > MAX_WRITER_LINE_BYTES {
            return Err(Closed::wire(WireErrorKind::LineTooLong, rest));
        }
        client.partial.extend_from_slice(rest);
        Ok(())
    }

    fn line(&mut self, client: &mut Client, line: &[u8], now: Timestamp) -> Result<(), Closed> {
        if line.len() > MAX_WRITER_LINE_BYTES {
            return Err(Closed::wire(WireErrorKind::LineTooLong, line));
        }
        self.counts.lines += 1;
        self.untold |= line.starts_with(b"CATEGORY");
        let State::Open(connection) = &mut client.state else {
            debug_assert!(false, "a client that is closing is read no further");
            return Ok(());
        };
        let (intake, mut route) = self.route(now);
        let handled = connection.handle(line, intake, |activity| route.step_line(line, &activity));
        handled.map_err(|error| Closed::wire(error, line))
    }

    /// The route of an event from the intake to metrics, exporters and observers.
    fn route(&mut self, now: Timestamp) -> (&mut Intake, Route<'_>) {
        let route = Route {
            engine: &mut self.engine,
            context: ExportContext {
                host: &self.hostname,
                received_at: now,
            },
            sink: WorkerSink {
                outbox: &mut self.outbox,
                observers: &self.observers,
                max_payload: self.max_payload,
            },
            recent: &mut self.recent,
        };
        (&mut self.intake, route)
    }

    /// Counts the bytes that a client holds now.
    fn account(&mut self, client: &mut Client) -> Result<(), Closed> {
        let held = client.held_bytes();
        self.accounts.replace(client.held, held);
        client.held = held;
        match self.settle() {
            true => Ok(()),
            false => Err(Closed::Memory),
        }
    }

    fn settle(&mut self) -> bool {
        self.accounts.settle(&mut self.intake, &self.engine)
    }

    /// Begins to end a client that is read no further.
    pub(crate) fn begin_close(&mut self, client: &mut Client) {
        (client.partial, client.unhandled) = (Vec::new(), Vec::new());
        if let State::Open(connection) = std::mem::replace(&mut client.state, State::Closed) {
            client.state = State::Closing(connection.begin_close());
        }
    }

    /// Ends live events and sessions of a client until its turn is over; returns
    /// whether all have ended.
    pub(crate) fn close(&mut self, client: &mut Client, is_over: impl Fn() -> bool) -> bool {
        let State::Closing(mut closing) = std::mem::replace(&mut client.state, State::Closed)
        else {
            return true;
        };
        let (intake, mut route) = self.route(clock::now());
        let mut ended = 0_usize;
        let mut has_more = true;
        while has_more {
            has_more = closing.end_next(intake, |activity| route.step(&activity));
            ended += 1;
            if ended.is_multiple_of(LINES_PER_CLOCK) && is_over() {
                break;
            }
        }
        if has_more {
            client.state = State::Closing(closing);
        }
        let held = if has_more { client.held_bytes() } else { 0 };
        self.accounts.replace(client.held, held);
        client.held = held;
        self.settle();
        !has_more
    }

    /// Replaces the observers.
    pub(crate) fn observe(&mut self, observers: Arc<Observers>) {
        let filters = observers.taps.iter();
        let filters = filters.map(|tap| tap.observer.filter.clone());
        self.engine.observe(filters);
        self.observers = observers;
        self.reserve_categories();
    }

    /// Bytes that connections and sessions hold, and those of the categories.
    pub(crate) fn held(&self) -> usize {
        self.accounts.kept(&self.intake)
    }

    /// Keeps room for the categories that filters mention.
    pub(crate) fn reserve_categories(&mut self) {
        let mut names = self.engine.plan().categories();
        for filter in self.observers.filters() {
            let mentions = Mentions::of(filter);
            names.extend(mentions.categories().map(<[u8]>::to_vec));
        }
        self.intake.categories.reserve(names);
    }

    fn complain(&mut self, client: &Client, closed: &Closed) {
        *self.counts.errors.entry(closed.label()).or_default() += 1;
        let peer = &client.peer;
        match closed {
            Closed::Wire(error, line) => self
                .complaints
                .say(format_args!("{peer}: {error}; closed (input: {line})")),
            Closed::Memory => self.complaints.say(format_args!(
                "{peer}: all connections together hold too much; closed"
            )),
        }
    }

    /// Returns the categories that clients registered since the last call.
    pub(crate) fn new_categories(&mut self) -> Vec<Category> {
        if !std::mem::take(&mut self.untold) {
            return Vec::new();
        }
        let categories = &self.intake.categories;
        let new = categories.registered_since(self.told).into_iter();
        let new = new.map(|(name, parent)| (name.to_vec(), parent.map(<[u8]>::to_vec)));
        let new = new.collect();
        self.told = categories.registrations();
        new
    }

    /// Registers categories of another worker; called once the new ones of this
    /// worker were passed on. A category that is known with another parent stays
    /// as it is.
    pub(crate) fn learn(&mut self, categories: &[Category]) {
        let tree = &mut self.intake.categories;
        for (name, parent) in categories {
            // No client of this worker needs it yet.
            if let Ok(id) = tree.acquire(name, parent.as_deref()) {
                tree.release(id);
            }
        }
        self.told = tree.registrations();
    }
}
