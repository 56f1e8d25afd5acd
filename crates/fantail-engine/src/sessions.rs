//! Sessions: the event that Dovecot does not send when one ends.
//!
//! The processes of imap, pop3, lmtp and submission have a root event for each
//! session: an event without parent in the category of their service. What is
//! sent below it is counted and summed; when the root ends, or its connection
//! closes, an event [`SESSION_FINISHED`] is derived, and goes through metrics,
//! exporters and observers like any other.
//!
//! | service | its root | commands |
//! | --- | --- | --- |
//! | `imap`, `lmtp` | category of that name | counted |
//! | `pop3` of 2.4 | category `pop3` | counted |
//! | `pop3` of 2.3 | category `service:pop3` and a field `user` | 2.3 sends none: the summary has no `commands` |
//! | `submission` | category `submission`; of 2.3 `smtp-server` and `service:submission` | counted |
//!
//! Tracking sessions costs time, so it is done only while a metric
//! [asks for it](SessionRules::of).

mod session;

use std::{hash::Hash, sync::Arc};

use fantail_config::Settings;
use fantail_event::{Dialect, Event, EventRef, LiveId, SentEvent, Timestamp};
use fantail_filter::{Filter, Test};
use fantail_syntax::ParseOptions;
use hashbrown::HashMap;

use self::session::{COMMANDS, Session, service_of};

/// The name of the event that is derived at the end of a session.
pub const SESSION_FINISHED: &[u8] = b"fantail_session_finished";

/// The services that have sessions.
pub const SESSION_SERVICES: [&str; 4] = ["imap", "lmtp", "pop3", "submission"];

/// The fields that a summary adds up if nothing else is said.
const DEFAULT_SUMS: [&[u8]; 4] = [b"bytes_in", b"bytes_out", b"net_in_bytes", b"net_out_bytes"];

/// A map of this capacity is never made smaller.
const MIN_CAPACITY: usize = 1024;

/// The numbers of current sessions and commands, in the order of
/// [`SESSION_SERVICES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunningSessions {
    /// Open sessions.
    pub sessions: [u64; SESSION_SERVICES.len()],
    /// Commands that began and did not end.
    pub commands: [u64; SESSION_SERVICES.len()],
}

impl std::ops::AddAssign for RunningSessions {
    fn add_assign(&mut self, other: Self) {
        let pairs = self.sessions.iter_mut().zip(other.sessions);
        let more = self.commands.iter_mut().zip(other.commands);
        pairs.chain(more).for_each(|(mine, its)| *mine += its);
    }
}

/// The contents of session summaries.
///
/// ```
/// use fantail_config::{LoadOptions, load_text};
/// use fantail_engine::{Engine, Plan, SESSION_FINISHED, SessionRules};
///
/// let text = "metric sessions {\n  filter = event=fantail_session_finished\n}\n";
/// let settings = load_text("a.conf", text, &LoadOptions::default()).accept()?.settings;
/// assert_eq!(SESSION_FINISHED, b"fantail_session_finished");
/// assert!(SessionRules::is_asked_for(&settings));
/// let mut rules = SessionRules::default();
/// rules.sums.push(b"bytes_out".to_vec());
/// let engine = Engine::with_plan(Plan::with_sessions(&settings, rules)?.into());
/// assert_eq!(engine.running_sessions().sessions, [0; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRules {
    /// The integer fields of commands that are added up; by default `bytes_in`,
    /// `bytes_out`, `net_in_bytes` and `net_out_bytes`.
    pub sums: Vec<Vec<u8>>,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            sums: DEFAULT_SUMS.iter().map(|field| field.to_vec()).collect(),
        }
    }
}

impl SessionRules {
    /// Returns whether a metric requires summaries by the name of their event.
    /// `event=*` does not: each of Dovecot's processes would send all its
    /// commands.
    #[must_use]
    pub fn is_asked_for(settings: &Settings) -> bool {
        settings.metrics.iter().any(|metric| {
            let mut comparisons = metric.filter.comparisons().iter();
            comparisons.any(|comparison| match comparison.test() {
                Test::Name(name) => name.literal() == Some(SESSION_FINISHED),
                _ => false,
            })
        })
    }
}

/// The categories by which services are known.
pub(crate) fn service_categories() -> impl Iterator<Item = &'static [u8]> {
    let services = SESSION_SERVICES.iter().map(|name| name.as_bytes());
    services.chain(session::OTHER_CATEGORIES)
}

/// The filter for the events that sessions are made of.
pub(crate) fn wanted(dialect: Dialect) -> Option<Filter> {
    let names = COMMANDS.map(|name| [b"event=", name].concat());
    let mut text = names.join(&b" OR "[..]);
    if dialect == Dialect::V2_3 {
        // The last event below the root of a POP3 session, which shows the root.
        text.extend_from_slice(b" OR (event=mail_user_session_finished AND category=service:pop3)");
    }
    let filter = Filter::parse(&text, &ParseOptions::new(dialect));
    debug_assert!(filter.is_ok(), "a filter of our own");
    filter.ok()
}

/// The sessions of all connections that feed an engine.
#[derive(Debug)]
pub(crate) struct Sessions {
    rules: Option<Arc<SessionRules>>,
    /// The live events within sessions, by [`LiveId::position`].
    parts: HashMap<(u32, u32), Part>,
    /// Boxed: the table is moved as a whole when it grows, while a client waits.
    sessions: HashMap<u64, Box<Session>>,
    /// The number of the next session.
    next: u64,
    running: RunningSessions,
    /// Bytes that the sessions hold besides their table.
    client_bytes: usize,
}

/// A live event within a session.
#[derive(Debug, Clone, Copy)]
struct Part {
    session: u64,
    is_root: bool,
    is_command: bool,
}

impl Sessions {
    pub(crate) fn new(rules: Option<Arc<SessionRules>>) -> Self {
        Self {
            rules,
            parts: HashMap::new(),
            sessions: HashMap::new(),
            next: 0,
            running: RunningSessions::default(),
            client_bytes: 0,
        }
    }

    /// Changes the rules; sessions that began under other rules are forgotten.
    pub(crate) fn use_rules(&mut self, rules: Option<Arc<SessionRules>>) {
        if self.rules != rules {
            *self = Self::new(rules);
        }
    }

    /// Returns whether sessions are tracked.
    #[inline]
    pub(crate) const fn is_active(&self) -> bool {
        self.rules.is_some()
    }

    pub(crate) const fn running(&self) -> RunningSessions {
        self.running
    }

    /// The bytes that sessions hold.
    pub(crate) fn held_bytes(&self) -> usize {
        self.parts.allocation_size() + self.sessions.allocation_size() + self.client_bytes
    }

    /// An event was sent; it is live from now on if it has a number.
    pub(crate) fn sent(&mut self, event: &SentEvent<'_>, begun: Option<LiveId>) {
        let Some(rules) = self.rules.clone() else {
            return;
        };
        let parent = event.parents.first();
        let known = parent.and_then(|parent| self.parts.get(&parent.live?.position()));
        match (known.copied(), begun) {
            (Some(part), None) => {
                if let Some(session) = self.sessions.get_mut(&part.session) {
                    session.count(event.event, &rules);
                }
            }
            (Some(part), Some(id)) => self.begin_below(part, id, event.event),
            (None, Some(id)) if parent.is_none() => self.begin_root(id, event.event, &rules),
            (None, _) => {}
        }
    }

    fn begin_root(&mut self, id: LiveId, event: EventRef<'_>, rules: &SessionRules) {
        let Some(service) = service_of(event) else {
            return;
        };
        let session = Box::new(Session::new(service, rules));
        self.client_bytes += session.held_bytes();
        self.sessions.insert(self.next, session);
        self.running.sessions[service] += 1;
        let part = Part {
            session: self.next,
            is_root: true,
            is_command: false,
        };
        self.parts.insert(id.position(), part);
        self.next += 1;
    }

    fn begin_below(&mut self, parent: Part, id: LiveId, event: EventRef<'_>) {
        let mut part = Part {
            is_root: false,
            is_command: session::is_command(event),
            ..parent
        };
        match self.sessions.get_mut(&parent.session) {
            Some(session) => {
                let more = u64::from(part.is_command);
                session.running += more;
                self.running.commands[session.service] += more;
                self.client_bytes += session.learn(event);
            }
            // Its root has ended.
            None => part.is_command = false,
        }
        self.parts.insert(id.position(), part);
    }

    /// A live event was changed.
    pub(crate) fn updated(&mut self, id: LiveId, update: EventRef<'_>) {
        let Some(part) = self.parts.get(&id.position()).filter(|part| !part.is_root) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&part.session) {
            self.client_bytes += session.learn(update);
        }
    }

    /// A live event ended; returns the summary if it was the root of a session.
    pub(crate) fn ended(
        &mut self,
        id: LiveId,
        event: EventRef<'_>,
        dialect: Dialect,
        now: Timestamp,
    ) -> Option<Event> {
        let part = self.parts.remove(&id.position())?;
        shrink(&mut self.parts);
        if !part.is_root {
            let session = self.sessions.get_mut(&part.session)?;
            let less = u64::from(part.is_command);
            session.running -= less;
            self.running.commands[session.service] -= less;
            return None;
        }
        let session = self.sessions.remove(&part.session)?;
        self.client_bytes -= session.held_bytes();
        shrink(&mut self.sessions);
        self.running.sessions[session.service] -= 1;
        self.running.commands[session.service] -= session.running;
        let rules = self.rules.clone()?;
        session.finish(event, &rules, dialect, now)
    }
}

/// Gives up memory after many, so that it is no higher than before.
fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > MIN_CAPACITY.max(4 * map.len()) {
        map.shrink_to(2 * map.len());
    }
}
