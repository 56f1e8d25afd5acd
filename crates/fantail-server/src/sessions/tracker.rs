//! The sessions of one connection.
//!
//! It is told of each line that the connection has accepted, so ids and
//! parents are known to be right, and their number is within the limits.

use std::{borrow::Cow, collections::HashMap};

use fantail_event::{CategoryTree, Dialect, Event, Timestamp, Value};
use fantail_wire::Command;

use super::{COMMANDS, FINISHED, Running, SERVICES, SUBMISSION, SessionRules};

/// A field of a command's event.
const COMMAND: &[u8] = b"cmd_name";

/// The sessions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// The living events of sessions.
    events: HashMap<u64, Part>,
    sessions: HashMap<u64, Session>,
    /// The number of the next session.
    next: u64,
    running: Running,
}

/// A living event within a session.
#[derive(Debug, Clone, Copy)]
struct Part {
    session: u64,
    is_root: bool,
    is_command: bool,
}

#[derive(Debug)]
struct Session {
    /// Its place among the [`SERVICES`].
    service: usize,
    /// The root, with what was added to it later.
    root: Event<'static>,
    commands: u64,
    /// Commands that have begun and not ended.
    running: u64,
    sums: Vec<Option<i64>>,
}

/// What a tracker knows of its surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) rules: &'a SessionRules,
    pub(crate) categories: &'a CategoryTree,
    pub(crate) dialect: Dialect,
    pub(crate) now: Timestamp,
}

impl Tracker {
    /// Takes a line; `finished` gets the event of a session that ended.
    pub(crate) fn take(
        &mut self,
        line: &[u8],
        around: Around<'_>,
        finished: impl FnOnce(&Event<'_>),
    ) {
        let Ok(command) = Command::parse(line) else {
            return;
        };
        match command {
            Command::Begin {
                id, parent, event, ..
            } => {
                let known = self.events.get(&parent).copied();
                if parent != 0 && known.is_none() {
                    return;
                }
                if let Ok(event) = event.parse(around.categories, around.dialect) {
                    self.begin(id, known, event, around.rules);
                }
            }
            Command::Update { id, event, .. } => {
                let Some(part) = self.events.get(&id).copied() else {
                    return;
                };
                if let Ok(event) = event.parse(around.categories, around.dialect) {
                    self.update(part, event);
                }
            }
            Command::Event { parent, event, .. } => {
                let session = self.events.get(&parent).map(|part| part.session);
                let session = session.and_then(|number| self.sessions.get_mut(&number));
                let Some(session) = session else { return };
                if let Ok(event) = event.parse(around.categories, around.dialect) {
                    session.count(&event, around.rules);
                }
            }
            Command::End { id } => {
                if let Some(session) = self.end(id) {
                    finished(&session.finish(around));
                }
            }
            Command::Category { .. } => {}
        }
    }

    fn begin(&mut self, id: u64, parent: Option<Part>, event: Event<'_>, rules: &SessionRules) {
        let Some(parent) = parent else {
            let Some(service) = service(&event) else {
                return;
            };
            let session = Session {
                service,
                root: event.into_owned(),
                commands: 0,
                running: 0,
                sums: vec![None; rules.sums.len()],
            };
            self.sessions.insert(self.next, session);
            self.running.sessions[service] += 1;
            let part = Part {
                session: self.next,
                is_root: true,
                is_command: false,
            };
            self.events.insert(id, part);
            self.next += 1;
            return;
        };
        let mut part = Part {
            is_root: false,
            is_command: event.own_field(COMMAND).is_some(),
            ..parent
        };
        match self.sessions.get_mut(&parent.session) {
            Some(session) => {
                let more = u64::from(part.is_command);
                session.running += more;
                self.running.commands[session.service] += more;
                session.learn(event);
            }
            None => part.is_command = false,
        }
        self.events.insert(id, part);
    }

    fn update(&mut self, part: Part, event: Event<'_>) {
        let Some(session) = self.sessions.get_mut(&part.session) else {
            return;
        };
        if part.is_root {
            session.root.merge(event.into_owned());
        } else {
            session.learn(event);
        }
    }

    /// Forgets an event; the session whose root it was.
    fn end(&mut self, id: u64) -> Option<Session> {
        let part = self.events.remove(&id)?;
        if part.is_root {
            return self.forget(part.session);
        }
        let session = self.sessions.get_mut(&part.session)?;
        let less = u64::from(part.is_command);
        session.running -= less;
        self.running.commands[session.service] -= less;
        None
    }

    /// The connection is closed: all its sessions end, in the order in which
    /// they began.
    pub(crate) fn close(&mut self, around: Around<'_>) -> Vec<Event<'static>> {
        self.events.clear();
        let mut numbers: Vec<u64> = self.sessions.keys().copied().collect();
        numbers.sort_unstable();
        let sessions = numbers.into_iter().filter_map(|number| self.forget(number));
        sessions.map(|session| session.finish(around)).collect()
    }

    fn forget(&mut self, number: u64) -> Option<Session> {
        let session = self.sessions.remove(&number)?;
        self.running.sessions[session.service] -= 1;
        self.running.commands[session.service] -= session.running;
        Some(session)
    }

    /// Forgets all sessions: nobody asks for them any more, and their ends
    /// will not be seen.
    pub(crate) fn clear(&mut self) {
        self.events = HashMap::new();
        self.sessions = HashMap::new();
        self.running = Running::default();
    }

    /// Whether there is anything to forget.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.sessions.is_empty()
    }

    /// What is open now.
    pub(crate) const fn running(&self) -> Running {
        self.running
    }
}

/// Which kind of session an event without a parent is the root of.
fn service(event: &Event<'_>) -> Option<usize> {
    let is = |name: &str| event.categories.iter().any(|own| **own == *name.as_bytes());
    SERVICES.iter().position(|name| match *name {
        // Dovecot 2.3 has no event of its own for it: the root is that of the
        // SMTP server in its process.
        SUBMISSION => is(SUBMISSION) || (is("smtp-server") && is("service:submission")),
        name => is(name),
    })
}

impl Session {
    /// LMTP's root knows nothing of its client; the events below it do. The
    /// first that names a session is the connection's.
    fn learn(&mut self, event: Event<'_>) {
        const SESSION: &[u8] = b"session";
        if self.root.own_field(SESSION).is_some() || event.own_field(SESSION).is_none() {
            return;
        }
        for field in event.into_owned().fields() {
            if self.root.own_field(&field.key).is_none() {
                self.root.set(field.key.clone(), field.value.clone());
            }
        }
    }

    fn count(&mut self, event: &Event<'_>, rules: &SessionRules) {
        let name = event.name.as_deref();
        if !COMMANDS.iter().any(|command| name == Some(command)) {
            return;
        }
        self.commands += 1;
        for (sum, field) in self.sums.iter_mut().zip(&rules.sums) {
            if let Some(Value::Int(number)) = event.own_field(field) {
                *sum = Some(sum.unwrap_or(0).saturating_add(*number));
            }
        }
    }

    /// The event of its end.
    fn finish(self, around: Around<'_>) -> Event<'static> {
        let mut event = self.root;
        event.name = Some(Cow::Borrowed(FINISHED));
        event.sent = Some(around.now);
        let service = SERVICES.get(self.service).copied().unwrap_or_default();
        event.set(
            &b"service"[..],
            Value::Str(Cow::Borrowed(service.as_bytes())),
        );
        let commands = i64::try_from(self.commands).unwrap_or(i64::MAX);
        event.set(&b"commands"[..], Value::Int(commands));
        for (sum, field) in self.sums.into_iter().zip(&around.rules.sums) {
            if let Some(sum) = sum {
                event.set(field.clone(), Value::Int(sum));
            }
        }
        let duration = event.duration_micros();
        event.set(&b"duration"[..], Value::Int(duration));
        event
    }
}
