//! The state of one client's connection.

use fantail_event::{
    CategoryTree, Dialect, Event, Level, RawEvent, RawSending, Scan, SentEvent, Value,
};
use smallvec::SmallVec;

use crate::{
    Command, Handshake, WireError, WireErrorKind,
    command::EventArguments,
    live::{Chain, DURATION, LiveEvents},
};

/// What one connection may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Events that live at one time; 100,000 by default.
    pub live_events: usize,
    /// Bytes that they take, about; 64 MiB by default.
    pub live_bytes: usize,
    /// Ancestors of one event; 255 by default.
    pub ancestors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            live_events: 100_000,
            live_bytes: 64 << 20,
            ancestors: 255,
        }
    }
}

/// One client's connection: its handshake and the events that live on it.
///
/// An error ends the connection: the caller reports it with the line, drops
/// the `Connection`, and reads no further.
#[derive(Debug)]
pub struct Connection {
    dialect: Dialect,
    limits: Limits,
    greeted: bool,
    live: LiveEvents,
}

impl Connection {
    /// A connection that waits for the handshake.
    #[must_use]
    pub fn new(dialect: Dialect, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            greeted: false,
            live: LiveEvents::default(),
        }
    }

    /// How many events are kept for this connection.
    #[must_use]
    pub fn live_events(&self) -> usize {
        self.live.occupied()
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn live_bytes(&self) -> usize {
        self.live.bytes()
    }

    /// Takes one line without its LF. `sent` gets the event of a BEGIN or an
    /// EVENT, with its `duration` field added as Dovecot's stats process does.
    ///
    /// An empty line changes nothing.
    ///
    /// # Errors
    /// The line is none that Dovecot would accept, or a limit is reached.
    pub fn handle(
        &mut self,
        line: &[u8],
        categories: &mut CategoryTree,
        sent: impl FnOnce(&SentEvent<'_>),
    ) -> Result<(), WireError> {
        if !self.greeted {
            return self.greet(line);
        }
        if line.is_empty() {
            return Ok(());
        }
        match Command::parse(line)? {
            Command::Event {
                global,
                parent,
                level,
                event,
            } => {
                let global = self.live.resolve(global, WireErrorKind::UnknownGlobal)?;
                let parent = self.live.resolve(parent, WireErrorKind::UnknownParent)?;
                let event = event.parse(categories, self.dialect)?;
                self.lend([global, parent], level, event, categories, sent);
                Ok(())
            }
            Command::Begin {
                id,
                parent,
                level,
                event,
            } => {
                let parent = self.new_child(id, parent)?;
                let read = event.parse(categories, self.dialect)?;
                self.lend([None, parent], level, read, categories, sent);
                let mut scan = Scan::new();
                let event = scan.read(event.0, categories, self.dialect)?;
                let kept = Box::default();
                self.live.insert(id, parent, kept, event, &self.limits)
            }
            Command::Update { id, parent, event } => {
                self.update(id, parent, event, categories, &mut Scan::new())
            }
            Command::End { id } => self.live.end(id, &mut Scan::new()),
            Command::Category { name, parent } => {
                Ok(categories.register(&name, parent.as_deref())?)
            }
        }
    }

    /// As [`handle`](Self::handle), without a vector of fields for each event:
    /// `scan` is work space that all connections of a thread can share. The
    /// same lines are accepted, the same events sent. With the same
    /// `categories` each time, nothing is allocated for an `EVENT`.
    ///
    /// # Errors
    /// As for [`handle`](Self::handle).
    pub fn handle_raw(
        &mut self,
        line: &[u8],
        categories: &mut CategoryTree,
        scan: &mut Scan,
        sent: impl FnOnce(&RawSending<'_>),
    ) -> Result<(), WireError> {
        if !self.greeted {
            return self.greet(line);
        }
        if line.is_empty() {
            return Ok(());
        }
        match Command::read(line)? {
            Command::Event {
                global,
                parent,
                level,
                event,
            } => {
                let global = self.live.resolve(global, WireErrorKind::UnknownGlobal)?;
                let parent = self.live.resolve(parent, WireErrorKind::UnknownParent)?;
                let event = scan.read(event.0, categories, self.dialect)?;
                self.lend_raw([global, parent], level, event, categories, sent);
                Ok(())
            }
            Command::Begin {
                id,
                parent,
                level,
                event,
            } => {
                let parent = self.new_child(id, parent)?;
                let kept = scan.spare();
                let event = scan.read(event.0, categories, self.dialect)?;
                self.lend_raw([None, parent], level, event, categories, sent);
                self.live.insert(id, parent, kept, event, &self.limits)
            }
            Command::Update { id, parent, event } => {
                self.update(id, parent, event, categories, scan)
            }
            Command::End { id } => self.live.end(id, scan),
            Command::Category { name, parent } => {
                Ok(categories.register(&name, parent.as_deref())?)
            }
        }
    }

    fn update(
        &mut self,
        id: u64,
        parent: u64,
        event: EventArguments<'_>,
        categories: &CategoryTree,
        scan: &mut Scan,
    ) -> Result<(), WireError> {
        let event = scan.read(event.0, categories, self.dialect)?;
        self.live.update(id, parent, event, &self.limits)
    }

    fn greet(&mut self, line: &[u8]) -> Result<(), WireError> {
        Handshake::parse(line)?;
        self.greeted = true;
        Ok(())
    }

    /// The parent of an event that begins.
    fn new_child(&self, id: u64, parent: u64) -> Result<Option<usize>, WireError> {
        if self.live.contains(id) {
            return Err(WireErrorKind::DuplicateId(id).into());
        }
        self.live.resolve(parent, WireErrorKind::UnknownParent)
    }

    fn lend(
        &self,
        [global, parent]: [Option<usize>; 2],
        level: Level,
        mut event: Event<'_>,
        categories: &CategoryTree,
        sent: impl FnOnce(&SentEvent<'_>),
    ) {
        let duration = event.duration_micros();
        event.set(DURATION, Value::Int(duration));
        let events = |at| -> SmallVec<[&Event<'_>; 8]> {
            let mut chain = Chain::new();
            self.live.chain(at, &mut chain);
            let events = chain.iter().map(|kept| kept.event(categories));
            events.collect()
        };
        sent(&SentEvent {
            level,
            event: &event,
            parents: &events(parent),
            global: &events(global),
            categories,
        });
    }

    fn lend_raw(
        &self,
        [global, parent]: [Option<usize>; 2],
        level: Level,
        event: RawEvent<'_>,
        categories: &CategoryTree,
        sent: impl FnOnce(&RawSending<'_>),
    ) {
        let (mut parents, mut globals) = (Chain::new(), Chain::new());
        self.live.chain(parent, &mut parents);
        self.live.chain(global, &mut globals);
        sent(&RawSending {
            level,
            event,
            parents: &parents,
            global: &globals,
            categories,
        });
    }
}
