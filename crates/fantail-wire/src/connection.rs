//! The state of one client's connection.

use fantail_event::{CategoryTree, Dialect, Event, Level, SentEvent, Value};

use crate::{
    Command, Handshake, WireError, WireErrorKind, command::EventArguments, live::LiveEvents,
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
            Handshake::parse(line)?;
            self.greeted = true;
            return Ok(());
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
            } => self.event([global, parent], level, event, categories, sent),
            Command::Begin {
                id,
                parent,
                level,
                event,
            } => self.begin([id, parent], level, event, categories, sent),
            Command::Update { id, parent, event } => {
                let event = event.parse(categories, self.dialect)?.into_owned();
                self.live.update(id, parent, event, &self.limits)
            }
            Command::End { id } => self.live.end(id),
            Command::Category { name, parent } => {
                Ok(categories.register(&name, parent.as_deref())?)
            }
        }
    }

    fn event(
        &self,
        [global, parent]: [u64; 2],
        level: Level,
        event: EventArguments<'_>,
        categories: &CategoryTree,
        sent: impl FnOnce(&SentEvent<'_>),
    ) -> Result<(), WireError> {
        let global = self.live.resolve(global, WireErrorKind::UnknownGlobal)?;
        let parent = self.live.resolve(parent, WireErrorKind::UnknownParent)?;
        let mut event = event.parse(categories, self.dialect)?;
        add_duration(&mut event);
        sent(&SentEvent {
            level,
            event: &event,
            parents: &self.live.chain(parent),
            global: &self.live.chain(global),
            categories,
        });
        Ok(())
    }

    fn begin(
        &mut self,
        [id, parent]: [u64; 2],
        level: Level,
        event: EventArguments<'_>,
        categories: &CategoryTree,
        sent: impl FnOnce(&SentEvent<'_>),
    ) -> Result<(), WireError> {
        if self.live.contains(id) {
            return Err(WireErrorKind::DuplicateId(id).into());
        }
        let parent = self.live.resolve(parent, WireErrorKind::UnknownParent)?;
        let mut event = event.parse(categories, self.dialect)?;
        add_duration(&mut event);
        sent(&SentEvent {
            level,
            event: &event,
            parents: &self.live.chain(parent),
            global: &[],
            categories,
        });
        self.live
            .insert(id, parent, event.into_owned(), &self.limits)
    }
}

fn add_duration(event: &mut Event<'_>) {
    let duration = event.duration_micros();
    event.set(b"duration".as_slice(), Value::Int(duration));
}
