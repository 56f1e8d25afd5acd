//! What a worker owns: its part of every metric, and what its connections
//! share.
//!
//! No locks, and no allocation for an event: one buffer is read into for all
//! connections, which keep only what they did not send in full yet.

use std::{collections::BTreeMap, sync::Arc};

use fantail_engine::Engine;
use fantail_event::{Dialect, Timestamp};
use fantail_format::ExportContext;
use fantail_wire::{Connection, Intake, WireError, WireErrorKind, lines::WRITER_LINE};

use crate::{
    process::clock,
    process::log::Complaints,
    process::record::Tape,
    worker::observers::{Observers, WorkerSink},
    worker::outbox::Outbox,
};

/// How many bytes of a bad line are shown.
const SHOWN: usize = 200;

/// A category and its parent.
pub(crate) type Category = (Vec<u8>, Option<Vec<u8>>);

/// What came in so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct IntakeCounts {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) accepted: u64,
    /// Connections closed for something that the client did, by kind.
    pub(crate) errors: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) engine: Engine,
    pub(crate) outbox: Outbox,
    pub(crate) counts: IntakeCounts,
    pub(crate) complaints: Complaints,
    observers: Arc<Observers>,
    intake: Intake,
    /// How many of its categories the other workers know.
    told: usize,
    /// Whether there may be some that they do not know.
    untold: bool,
    hostname: Arc<[u8]>,
    /// Bytes that all connections hold, and may.
    held: usize,
    memory: usize,
}

/// A connection between two reads.
#[derive(Debug)]
pub(crate) struct Client {
    /// Who it is, for the log.
    pub(crate) peer: String,
    /// If what it sends is recorded.
    pub(crate) tape: Option<Tape>,
    connection: Connection,
    /// The line that has begun.
    partial: Vec<u8>,
    held: usize,
}

impl Client {
    pub(crate) fn new(peer: String, dialect: Dialect, limits: fantail_wire::Limits) -> Self {
        Self {
            peer,
            tape: None,
            connection: Connection::new(dialect, limits),
            partial: Vec::new(),
            held: 0,
        }
    }
}

/// Why a connection is closed.
#[derive(Debug)]
pub(crate) enum Closed {
    /// What is wrong, and with which line.
    Wire(WireError, String),
    Memory,
}

impl Shard {
    pub(crate) fn new(
        engine: Engine,
        outbox: Outbox,
        complaints: Complaints,
        hostname: Arc<[u8]>,
        memory: usize,
    ) -> Self {
        Self {
            engine,
            outbox,
            counts: IntakeCounts::default(),
            complaints,
            observers: Arc::default(),
            intake: Intake::new(),
            told: 0,
            untold: false,
            hostname,
            held: 0,
            memory,
        }
    }

    /// Takes what was read from a client. On an error the client is to be
    /// closed; that was logged and counted.
    pub(crate) fn take(&mut self, client: &mut Client, read: &[u8]) -> Result<(), ()> {
        self.counts.bytes += read.len() as u64;
        if let Some(tape) = &mut client.tape {
            tape.read(read, clock::now());
        }
        let taken = self.lines(client, read);
        let taken = taken.and_then(|()| self.account(client));
        taken.map_err(|closed| self.complain(client, &closed))
    }

    fn lines(&mut self, client: &mut Client, read: &[u8]) -> Result<(), Closed> {
        let now = clock::now();
        let mut rest = read;
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
        }
        if client.partial.len() + rest.len() > WRITER_LINE {
            return Err(Closed::wire(WireErrorKind::LineTooLong, rest));
        }
        client.partial.extend_from_slice(rest);
        Ok(())
    }

    fn line(&mut self, client: &mut Client, line: &[u8], now: Timestamp) -> Result<(), Closed> {
        if line.len() > WRITER_LINE {
            return Err(Closed::wire(WireErrorKind::LineTooLong, line));
        }
        self.counts.lines += 1;
        let Self {
            engine,
            outbox,
            intake,
            hostname,
            observers,
            ..
        } = self;
        let context = ExportContext {
            host: hostname,
            received_at: now,
        };
        let mut sink = WorkerSink { outbox, observers };
        let handled = client.connection.handle(line, intake, |activity| {
            engine.step(&activity, context, &mut sink);
        });
        self.untold |= line.starts_with(b"CATEGORY");
        handled.map_err(|error| Closed::wire(error, line))
    }

    /// Counts what the client holds now.
    fn account(&mut self, client: &mut Client) -> Result<(), Closed> {
        let held = client.connection.live_bytes() + client.partial.capacity();
        self.held = self.held + held - client.held;
        let grew = held > client.held;
        client.held = held;
        if grew && self.held > self.memory {
            return Err(Closed::Memory);
        }
        Ok(())
    }

    /// Forgets a client: its live events end, and so do its sessions.
    pub(crate) fn release(&mut self, client: &mut Client) {
        self.held -= client.held;
        client.held = 0;
        let limits = fantail_wire::Limits::default();
        let gone = Connection::new(self.engine.plan().dialect(), limits);
        let connection = std::mem::replace(&mut client.connection, gone);
        let Self {
            engine,
            outbox,
            intake,
            hostname,
            observers,
            ..
        } = self;
        let context = ExportContext {
            host: hostname,
            received_at: clock::now(),
        };
        let mut sink = WorkerSink { outbox, observers };
        connection.close(intake, |activity| {
            engine.step(&activity, context, &mut sink);
        });
    }

    /// Has other observers watch.
    pub(crate) fn observe(&mut self, observers: Arc<Observers>) {
        let filters = observers.taps.iter().map(|tap| tap.filter.clone());
        self.engine.observe(filters);
        self.observers = observers;
    }

    pub(crate) const fn held(&self) -> usize {
        self.held
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

    /// The categories that clients registered since the last call.
    pub(crate) fn new_categories(&mut self) -> Vec<Category> {
        if !std::mem::take(&mut self.untold) {
            return Vec::new();
        }
        let all = self.intake.categories.iter().skip(self.told);
        let new: Vec<Category> = all
            .map(|(name, parent)| (name.to_vec(), parent.map(<[u8]>::to_vec)))
            .collect();
        self.told += new.len();
        new
    }

    /// Takes over what clients of another worker registered, after its own new
    /// ones were told. What contradicts a category that is here stays out.
    pub(crate) fn learn(&mut self, categories: &[Category]) {
        for (name, parent) in categories {
            let _ = self.intake.categories.register(name, parent.as_deref());
        }
        self.told = self.intake.categories.iter().count();
    }
}

impl Closed {
    fn wire(error: impl Into<WireError>, line: &[u8]) -> Self {
        let shown = line.get(..SHOWN).unwrap_or(line).escape_ascii();
        let more = if line.len() > SHOWN { "…" } else { "" };
        Self::Wire(error.into(), format!("{shown}{more}"))
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Wire(error, _) => match error.kind() {
                WireErrorKind::NoHandshake | WireErrorKind::OtherVersion => "handshake",
                WireErrorKind::UnknownCommand => "unknown_command",
                WireErrorKind::BadId => "bad_id",
                WireErrorKind::BadLevel => "bad_level",
                WireErrorKind::Event(_) => "bad_event",
                WireErrorKind::Category(_) | WireErrorKind::MissingCategory => "bad_category",
                WireErrorKind::DuplicateId(_) => "duplicate_id",
                WireErrorKind::UnknownId(_)
                | WireErrorKind::UnknownParent(_)
                | WireErrorKind::UnknownGlobal(_) => "unknown_id",
                WireErrorKind::ChangedParent => "changed_parent",
                WireErrorKind::LineTooLong => "line_too_long",
                WireErrorKind::TooManyEvents | WireErrorKind::TooDeep => "too_many_events",
                _ => "other",
            },
        }
    }
}
