//! Sessions: what Dovecot does not say when one ends.
//!
//! The processes of imap, pop3, lmtp and submission have a root event for each
//! session: it has no parent and their category (that of submission in 2.3 the
//! category of its server). What is sent beneath it is
//! counted and summed; when the root ends, or its connection closes, an event
//! [`FINISHED`] goes through the metrics like any other. Dovecot knows nothing
//! of it, so its clients are asked for the [commands](wanted) that it needs.
//!
//! All of this costs time, so it is done only while some metric
//! [asks for it](SessionRules::of).

mod tracker;

use fantail_config::Settings;
use fantail_event::Dialect;
use fantail_filter::{Filter, Mentions};
use fantail_syntax::ParseOptions;

pub(crate) use self::tracker::{Around, Tracker};

/// The name of the event at the end of a session.
pub(crate) const FINISHED: &[u8] = b"fantail_session_finished";

/// The events that are counted as commands.
const COMMANDS: [&[u8]; 3] = [
    b"imap_command_finished",
    b"pop3_command_finished",
    b"smtp_server_command_finished",
];

/// The kinds of sessions, by the category of their root.
pub(crate) const SERVICES: [&str; 4] = ["imap", "lmtp", "pop3", SUBMISSION];

const SUBMISSION: &str = "submission";

/// How many sessions and commands there are now, in the order of
/// [`SERVICES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Running {
    pub(crate) sessions: [u64; SERVICES.len()],
    pub(crate) commands: [u64; SERVICES.len()],
}

impl Running {
    /// Takes what one connection has now for what it had before.
    pub(crate) fn replace(&mut self, before: Self, now: Self) {
        let change = |mine: &mut u64, before: u64, now: u64| *mine = *mine + now - before;
        for at in 0..SERVICES.len() {
            change(
                &mut self.sessions[at],
                before.sessions[at],
                now.sessions[at],
            );
            change(
                &mut self.commands[at],
                before.commands[at],
                now.commands[at],
            );
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = self.sessions.iter_mut().zip(&other.sessions);
        let more = self.commands.iter_mut().zip(&other.commands);
        pairs.chain(more).for_each(|(mine, its)| *mine += its);
    }
}

/// What is gathered of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SessionRules {
    /// The fields that are summed up.
    pub(crate) sums: Vec<Vec<u8>>,
}

impl SessionRules {
    /// The rules, if some metric names the event. `event=*` alone does not
    /// ask for it: it would make every process send all of its commands.
    pub(crate) fn of(settings: &Settings, sums: &[Vec<u8>]) -> Option<Self> {
        let named = settings.metrics.iter().any(|metric| {
            let mentions = Mentions::of(&metric.filter);
            let mut names = mentions.names().iter();
            names.any(|name| name.literal() == Some(FINISHED))
        });
        named.then(|| Self {
            sums: sums.to_vec(),
        })
    }
}

/// The filter for the events that sessions are made of.
pub(crate) fn wanted(dialect: Dialect) -> Vec<u8> {
    let names = COMMANDS.map(|name| [b"event=", name].concat());
    let text = names.join(&b" OR "[..]);
    let options = ParseOptions::new(dialect);
    Filter::parse(&text, &options).map_or_else(|_| text, |filter| filter.exact().to_vec())
}
