//! The stream, which keeps the last message of each subject, and the network before it.

use std::{collections::BTreeMap, time::Duration};

use fantail_fleet::counts::{Message, Outgoing, RunId};

use super::{is_planted, now, one_in};
use crate::{fault::Fault, world::with};

/// Once in this many times, a message or its acknowledgement has an accident.
const TROUBLES: u32 = 12;

/// The time after which the broker has written a message to its disk.
const SYNC_AGE: Duration = Duration::from_secs(120);

/// The time after which the network gives up a message.
const MAX_DELAY: Duration = Duration::from_secs(250);

/// What a host learns of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored with this sequence.
    Stored(u64),
    /// The subject's last message has this sequence, and not the expected one.
    Refused(u64),
    /// Nothing: it may be stored.
    Unknown,
}

/// A message on its way.
#[derive(Debug, Clone)]
struct Sent {
    subject: String,
    expected: u64,
    bytes: Vec<u8>,
}

/// A message in the stream.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    /// The time at which it was stored.
    pub(super) at: Duration,
    pub(super) bytes: Vec<u8>,
}

/// What the stream has lost.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// The runs that lose heads or values.
    pub(super) runs: Vec<RunId>,
    /// Whether it loses the head of the fold.
    pub(super) has_fold: bool,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    stored: BTreeMap<String, Stored>,
    pub(super) sequence: u64,
    /// Messages with the time at which they were sent.
    delayed: Vec<(Duration, Sent)>,
    is_calm: bool,
}

impl Stream {
    /// Sends a message through the network.
    pub(super) fn send(&mut self, message: &Outgoing, expected: u64) -> Outcome {
        let sent = Sent {
            subject: message.subject.clone(),
            expected,
            bytes: message.bytes.clone(),
        };
        let troubles = if self.is_calm { 0 } else { TROUBLES };
        if one_in(troubles) {
            return Outcome::Unknown;
        }
        if one_in(troubles) {
            self.delayed.push((now(), sent));
            return Outcome::Unknown;
        }
        let outcome = self.store(sent.clone());
        if one_in(troubles) {
            // Repeated by the network.
            self.store(sent);
        }
        match one_in(troubles) {
            true => Outcome::Unknown,
            false => outcome,
        }
    }

    fn store(&mut self, sent: Sent) -> Outcome {
        let last = self.last_sequence(&sent.subject);
        if last != sent.expected && !is_planted(Fault::LateMessagesReplaceNewer) {
            return Outcome::Refused(last);
        }
        self.sequence += 1;
        let (subject, sequence, bytes) = (sent.subject, self.sequence, sent.bytes);
        with(|world| world.note(|| format!("{sequence} is {subject}")));
        let stored = Stored {
            sequence,
            at: now(),
            bytes,
        };
        self.stored.insert(subject, stored);
        Outcome::Stored(sequence)
    }

    /// Returns the sequence of a subject's last message, 0 without one.
    pub(super) fn last_sequence(&self, subject: &str) -> u64 {
        self.stored.get(subject).map_or(0, |stored| stored.sequence)
    }

    /// Removes the messages of a subject with wildcards; returns whether it is known.
    pub(super) fn purge(&mut self, filter: &str) -> bool {
        let troubles = if self.is_calm { 0 } else { TROUBLES };
        if one_in(troubles) {
            return false;
        }
        with(|world| world.note(|| format!("{filter} is removed")));
        self.stored.retain(|subject, _| !matches(filter, subject));
        !one_in(troubles)
    }

    /// Returns the number of subjects with wildcards that have a message.
    pub(super) fn subjects(&self, filter: &str) -> usize {
        let subjects = self.stored.keys();
        subjects.filter(|subject| matches(filter, subject)).count()
    }

    /// A delayed message arrives.
    pub(super) fn arrive(&mut self) {
        let is_fresh = |sent: &Duration| now().saturating_sub(*sent) < MAX_DELAY;
        self.delayed.retain(|(sent, _)| is_fresh(sent));
        if self.delayed.is_empty() {
            return;
        }
        let at = with(|world| world.random.usize(..self.delayed.len()));
        let (_, late) = self.delayed.swap_remove(at);
        self.store(late);
    }

    /// Loses the last messages, of those that are not on the disk. What is on its way is
    /// lost with the connections.
    pub(super) fn lose(&mut self) -> Lost {
        let all = self.stored.values();
        let synced = all.filter(|stored| now().saturating_sub(stored.at) > SYNC_AGE);
        let synced = synced.map(|stored| stored.sequence).max().unwrap_or(0);
        let keeps = self
            .sequence
            .saturating_sub(with(|world| world.random.u64(1..12)));
        let keeps = keeps.max(synced);
        let mut lost = Lost::default();
        self.stored.retain(|_, stored| {
            let is_kept = stored.sequence <= keeps;
            if !is_kept && let Ok(message) = Message::read(&stored.bytes, usize::MAX) {
                match message {
                    Message::Fold(_) => lost.has_fold = true,
                    Message::Head(_) | Message::Part(_) => lost.runs.push(message.source().2),
                    Message::Claim(_) => {}
                }
            }
            is_kept
        });
        self.sequence = keeps;
        self.delayed.clear();
        lost
    }

    /// From now on, nothing is lost, repeated or delayed.
    pub(super) fn calm(&mut self) {
        self.is_calm = true;
        self.delayed.clear();
    }

    /// Returns the messages after a sequence, in order.
    pub(super) fn after(&self, sequence: u64) -> Vec<&Stored> {
        let all = self.stored.values();
        let new = all.filter(|stored| stored.sequence > sequence);
        let mut new: Vec<_> = new.collect();
        new.sort_unstable_by_key(|stored| stored.sequence);
        new
    }
}

/// Whether a subject has the tokens of a filter: `*` is any token, `>` all that follow.
fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}
