//! The commands of one client, and its live events.

use std::collections::{BTreeMap, BTreeSet};

use fantail_event::{Dialect, Level, TextErrorKind};
use fantail_wire::{Limits, WireErrorKind};

use crate::{
    Categories, Event, MAX_FIELDS, ParseError, Sent, Value,
    parse::{parse, unescape, unsigned},
    set,
};

/// What one line leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The event that the line sends (`EVENT`, `BEGIN`).
    pub sent: Option<Sent>,
    /// Whether that event is live from now on (`BEGIN`).
    pub begun: bool,
    /// What the line says of a live event (`UPDATE`).
    pub update: Option<Event>,
    /// The event that the line ends, as it was at last (`END`).
    pub ended: Option<Event>,
    /// Why the line is refused; the connection ends then.
    pub refused: Option<Refusal>,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The command is wrong.
    Command(WireErrorKind),
    /// The event in the command is wrong.
    Event {
        /// What is wrong.
        kind: TextErrorKind,
        /// The number of the event's argument, from 0.
        argument: usize,
    },
}

impl From<WireErrorKind> for Refusal {
    fn from(kind: WireErrorKind) -> Self {
        match kind {
            WireErrorKind::Event(error) => Self::Event {
                kind: error.kind(),
                argument: error.argument(),
            },
            kind => Self::Command(kind),
        }
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Event {
            kind: error.kind,
            argument: error.argument,
        }
    }
}

/// One client's connection.
#[derive(Debug, Clone)]
pub struct Connection {
    dialect: Dialect,
    limits: Limits,
    greeted: bool,
    /// Positions in `events`, by the ids of events that have not ended.
    ids: BTreeMap<u64, usize>,
    /// All events that ever began.
    events: Vec<Live>,
    /// The names of the categories that the client registered.
    registered: BTreeSet<Vec<u8>>,
}

#[derive(Debug, Clone)]
struct Live {
    event: Event,
    /// The parent's position.
    parent: Option<usize>,
}

impl Connection {
    /// Creates a connection that waits for the handshake. Of the limits,
    /// `live_bytes` has no effect.
    #[must_use]
    pub fn new(dialect: Dialect, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            greeted: false,
            ids: BTreeMap::new(),
            events: Vec::new(),
            registered: BTreeSet::new(),
        }
    }

    /// Takes one line without its LF.
    pub fn line(&mut self, line: &[u8], categories: &mut Categories) -> Answer {
        match self.command(line, categories) {
            Ok(answer) => answer,
            Err(refused) => Answer {
                refused: Some(refused),
                ..Answer::default()
            },
        }
    }

    /// Ends the connection; returns its live events as they were at last, in the
    /// order of their ids.
    #[must_use]
    pub fn close(self) -> Vec<Event> {
        let live = self.ids.values();
        live.map(|at| self.events[*at].event.clone()).collect()
    }

    /// Returns the number of events that have not ended or have descendants
    /// that have not.
    #[must_use]
    pub fn live_events(&self) -> usize {
        let mut needed = BTreeSet::new();
        for at in self.ids.values() {
            let mut next = Some(*at);
            while let Some(at) = next {
                needed.insert(at);
                next = self.events[at].parent;
            }
        }
        needed.len()
    }

    fn command(&mut self, line: &[u8], categories: &mut Categories) -> Result<Answer, Refusal> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut words = line.split(|byte| *byte == b'\t');
        if !self.greeted {
            return self.greet(&words.collect::<Vec<_>>());
        }
        let command = words.next().unwrap_or_default();
        let mut answer = Answer::default();
        match command {
            b"" if line.is_empty() => return Err(WireErrorKind::EmptyLine.into()),
            b"CATEGORY" => {
                let [name, parent] = [(), ()].map(|()| words.next().map(unescape));
                let name = name.ok_or(WireErrorKind::MissingCategory)?;
                self.register(name, parent.as_deref(), categories)?;
            }
            b"BEGIN" => {
                let id = number(words.next())?;
                let parent = number(words.next())?;
                let level = level(words.next())?;
                if self.ids.contains_key(&id) {
                    return Err(WireErrorKind::DuplicateId(id).into());
                }
                let parent = self.find(parent, WireErrorKind::UnknownParent)?;
                let event = self.sent_event(words, categories)?;
                self.begin(id, event.clone(), parent)?;
                answer.begun = true;
                answer.sent = Some(Sent {
                    level,
                    event,
                    parents: self.with_ancestors(parent),
                    global: Vec::new(),
                });
            }
            b"UPDATE" => {
                let id = number(words.next())?;
                let parent = number(words.next())?;
                let update = parse(&rest(words), categories, self.dialect)?;
                self.update(id, parent, update.clone())?;
                answer.update = Some(update);
            }
            b"EVENT" => {
                let global = number(words.next())?;
                let parent = number(words.next())?;
                let level = level(words.next())?;
                let global = self.find(global, WireErrorKind::UnknownGlobal)?;
                let parent = self.find(parent, WireErrorKind::UnknownParent)?;
                answer.sent = Some(Sent {
                    level,
                    event: self.sent_event(words, categories)?,
                    parents: self.with_ancestors(parent),
                    global: self.with_ancestors(global),
                });
            }
            b"END" => {
                let id = number(words.next())?;
                let at = self.ids.remove(&id).ok_or(WireErrorKind::UnknownId(id))?;
                answer.ended = Some(self.events[at].event.clone());
            }
            _ => return Err(WireErrorKind::UnknownCommand.into()),
        }
        Ok(answer)
    }

    fn register(
        &mut self,
        name: Vec<u8>,
        parent: Option<&[u8]>,
        categories: &mut Categories,
    ) -> Result<(), Refusal> {
        let registered = categories.register(&name, parent);
        registered.map_err(|kind| WireErrorKind::Category(kind.into()))?;
        self.registered.insert(name);
        match self.registered.len() > self.limits.categories {
            true => Err(WireErrorKind::TooManyCategories.into()),
            false => Ok(()),
        }
    }

    /// The first line: `VERSION stats-client 4 <minor>`.
    fn greet(&mut self, words: &[&[u8]]) -> Result<Answer, Refusal> {
        let [b"VERSION", b"stats-client", major, minor] = words else {
            return Err(WireErrorKind::NoHandshake.into());
        };
        let (Some(major), Some(minor)) = (unsigned(major), unsigned(minor)) else {
            return Err(WireErrorKind::NoHandshake.into());
        };
        if major > u64::from(u32::MAX) || minor > u64::from(u32::MAX) {
            return Err(WireErrorKind::NoHandshake.into());
        }
        if major != 4 {
            return Err(WireErrorKind::OtherVersion.into());
        }
        self.greeted = true;
        Ok(Answer::default())
    }

    /// Parses an event that is sent: it gets a field `duration`, or its own
    /// field of that name is replaced.
    fn sent_event<'a>(
        &self,
        words: impl Iterator<Item = &'a [u8]>,
        categories: &Categories,
    ) -> Result<Event, ParseError> {
        let mut event = parse(&rest(words), categories, self.dialect)?;
        let duration = Value::Int(event.duration_micros());
        set(&mut event.fields, b"duration", duration);
        Ok(event)
    }

    /// Makes a sent event live; one that a limit refuses is not sent.
    fn begin(&mut self, id: u64, event: Event, parent: Option<usize>) -> Result<(), Refusal> {
        if self.with_ancestors(parent).len() > self.limits.ancestors {
            return Err(WireErrorKind::TooDeep.into());
        }
        if self.live_events() >= self.limits.live_events {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        self.ids.insert(id, self.events.len());
        self.events.push(Live { event, parent });
        Ok(())
    }

    fn update(&mut self, id: u64, parent: u64, update: Event) -> Result<(), Refusal> {
        let at = *self.ids.get(&id).ok_or(WireErrorKind::UnknownId(id))?;
        // An unknown parent counts as none.
        let parent = self.ids.get(&parent).copied().filter(|_| parent != 0);
        let live = &mut self.events[at];
        if live.parent != parent {
            return Err(WireErrorKind::ChangedParent.into());
        }
        live.event.update(update);
        if live.event.fields.len() > MAX_FIELDS {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        Ok(())
    }

    /// Returns the position of a live event; `None` for the id 0.
    fn find(&self, id: u64, unknown: fn(u64) -> WireErrorKind) -> Result<Option<usize>, Refusal> {
        if id == 0 {
            return Ok(None);
        }
        match self.ids.get(&id) {
            Some(at) => Ok(Some(*at)),
            None => Err(unknown(id).into()),
        }
    }

    /// Returns an event and its ancestors, nearest first.
    fn with_ancestors(&self, at: Option<usize>) -> Vec<Event> {
        let mut found = Vec::new();
        let mut next = at;
        while let Some(at) = next {
            found.push(self.events[at].event.clone());
            next = self.events[at].parent;
        }
        found
    }
}

/// The remaining words as they were.
fn rest<'a>(words: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    words.collect::<Vec<_>>().join(&b'\t')
}

fn number(word: Option<&[u8]>) -> Result<u64, Refusal> {
    let number = word.and_then(unsigned);
    number.ok_or_else(|| WireErrorKind::BadId.into())
}

fn level(word: Option<&[u8]>) -> Result<Level, Refusal> {
    let level = word.and_then(unsigned).and_then(Level::from_wire);
    level.ok_or_else(|| WireErrorKind::BadLevel.into())
}
