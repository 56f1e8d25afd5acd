//! The stream, which keeps the last message of each subject, and the network before it.

use std::collections::BTreeMap;

use fantail_fleet::counts::{Message, Outgoing, RunId};

use super::{is_planted, one_in};
use crate::{fault::Fault, world::with};

/// Once in this many times, a message or its acknowledgement has an accident.
const TROUBLES: u32 = 12;

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

#[derive(Debug, Default)]
pub(super) struct Stream {
    stored: BTreeMap<String, (u64, Vec<u8>)>,
    pub(super) sequence: u64,
    delayed: Vec<Sent>,
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
            self.delayed.push(sent);
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
        let last = self.stored.get(&sent.subject);
        let last = last.map_or(0, |(sequence, _)| *sequence);
        if last != sent.expected && !is_planted(Fault::LateMessagesReplaceNewer) {
            return Outcome::Refused(last);
        }
        self.sequence += 1;
        let (subject, sequence) = (sent.subject, self.sequence);
        with(|world| world.note(|| format!("{sequence} is {subject}")));
        self.stored.insert(subject, (sequence, sent.bytes));
        Outcome::Stored(sequence)
    }

    /// A delayed message arrives.
    pub(super) fn arrive(&mut self) {
        if self.delayed.is_empty() {
            return;
        }
        let at = with(|world| world.random.usize(..self.delayed.len()));
        let late = self.delayed.swap_remove(at);
        self.store(late);
    }

    /// Loses the last messages; returns the runs that lose any.
    pub(super) fn lose(&mut self) -> Vec<RunId> {
        let keeps = self
            .sequence
            .saturating_sub(with(|world| world.random.u64(1..12)));
        let mut lost = Vec::new();
        self.stored.retain(|_, (sequence, bytes)| {
            let is_kept = *sequence <= keeps;
            if !is_kept && let Ok(message) = Message::read(bytes, usize::MAX) {
                lost.push(message.source().2);
            }
            is_kept
        });
        self.sequence = keeps;
        lost
    }

    /// From now on, nothing is lost, repeated or delayed.
    pub(super) fn calm(&mut self) {
        self.is_calm = true;
        self.delayed.clear();
    }

    /// Returns the messages after a sequence, in order.
    pub(super) fn after(&self, sequence: u64) -> Vec<&[u8]> {
        let all = self.stored.values();
        let new = all.filter(|(stored, _)| *stored > sequence);
        let mut new: Vec<_> = new.collect();
        new.sort_unstable_by_key(|(stored, _)| *stored);
        new.into_iter().map(|(_, bytes)| bytes.as_slice()).collect()
    }
}
