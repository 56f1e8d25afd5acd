//! Reading messages: which of their events are new.

use std::{collections::BTreeMap, error::Error, fmt};

use super::{head::BatchHead, source::Source, subject};

/// What tells a message that is refused from others.
const REFUSED: &str = "refused";

/// Limits of a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectorLimits {
    /// Subjects of all hosts, by default 100,000.
    pub subjects: usize,
    /// Subjects of a host, by default 64.
    pub subjects_of_host: usize,
}

impl Default for CollectorLimits {
    fn default() -> Self {
        Self {
            subjects: 100_000,
            subjects_of_host: 64,
        }
    }
}

/// What became of events and messages, since the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CollectorCounts {
    /// Events that were new.
    pub events: u64,
    /// Events that were in an earlier message.
    pub repeated: u64,
    /// Events that queues of hosts dropped, as they report.
    pub dropped: u64,
    /// Numbers of events that no message had: dropped after they got a number, or lost by
    /// the broker. They are known some time later.
    pub missing: u64,
    /// Messages that the stream removed before they were read.
    pub skipped: u64,
    /// Messages without a good head, of other subjects, or over a limit.
    pub refused: u64,
}

/// A message of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamMessage<'a> {
    /// Its subject.
    pub subject: &'a str,
    /// Its sequence.
    pub sequence: u64,
    /// When the broker stored it: tells it from a later one with its sequence, after the
    /// broker lost its last messages. Any unit.
    pub stored_at: u64,
    /// Its header [`HEADER`](super::HEADER).
    pub head: Option<&'a str>,
    /// Its lines.
    pub body: &'a [u8],
}

/// What a message brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Its new events.
    pub events: u64,
    /// Events that its queue dropped since the last message.
    pub dropped: u64,
    /// Messages before it that the stream removed before they were read.
    pub skipped: u64,
    /// Whether it was refused.
    pub is_refused: bool,
}

/// The stream has another message where the collector stopped: the broker lost its last
/// messages. [`Collector::resume`] returns where to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewound(pub(super) ());

impl fmt::Display for Rewound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream lost messages that were read; it is read from its start")
    }
}

impl Error for Rewound {}

/// The state of reading a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collector {
    pub(super) limits: CollectorLimits,
    /// The name and the creation of the stream.
    pub(super) stream: String,
    /// The sequence of the last message, and what tells it from others.
    pub(super) sequence: u64,
    pub(super) last: String,
    pub(super) counts: CollectorCounts,
    pub(super) sources: BTreeMap<String, Source>,
    /// The next message may be the last one again.
    resumes: bool,
}

impl Collector {
    /// Returns a collector that has read nothing.
    #[must_use]
    pub fn new(limits: CollectorLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Returns what became of events and messages.
    #[must_use]
    pub const fn counts(&self) -> &CollectorCounts {
        &self.counts
    }

    /// Returns the sequence of the last message, 0 before the first one.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the sequence to read from, after a connection was made. `stream` tells the
    /// stream from another one of its name: the time of its creation. `last` is the
    /// sequence of its last message.
    ///
    /// The first message is the last one that was read, to see that it is still the same.
    pub fn resume(&mut self, stream: &str, last: u64) -> u64 {
        let stream = &*stream.replace(char::is_control, " ");
        if self.stream != stream || last < self.sequence {
            // What is there now may have been stored after a loss of its last messages: all
            // is read again.
            self.sequence = 0;
            self.last.clear();
            self.stream = stream.to_owned();
        }
        self.resumes = !self.last.is_empty();
        match self.resumes {
            true => self.sequence,
            false => self.sequence + 1,
        }
    }

    /// Takes a message: appends the lines of its new events to `lines`.
    ///
    /// # Errors
    /// The stream has another message where it was read before; nothing is taken.
    pub fn take(
        &mut self,
        message: &StreamMessage<'_>,
        lines: &mut Vec<u8>,
    ) -> Result<Taken, Rewound> {
        let StreamMessage {
            subject,
            sequence,
            stored_at,
            head,
            body,
        } = *message;
        let head = head.and_then(|head| head.parse::<BatchHead>().ok());
        let head = head.filter(|_| subject::host_of(subject).is_some());
        let this = head.map_or_else(|| REFUSED.to_owned(), |head| format!("{subject} {head}"));
        let this = format!("{stored_at} {this}");
        if std::mem::take(&mut self.resumes) && sequence == self.sequence {
            if this == self.last {
                return Ok(Taken::default());
            }
            self.sequence = 0;
            self.last.clear();
            return Err(Rewound(()));
        }
        let skipped = match self.sequence {
            0 => 0,
            before => sequence.saturating_sub(before).saturating_sub(1),
        };
        self.counts.skipped += skipped;
        self.sequence = sequence;
        self.last = this;
        let taken = head.and_then(|head| self.read(subject, &head, body, lines));
        self.counts.refused += u64::from(taken.is_none());
        Ok(taken.map_or(
            Taken {
                skipped,
                is_refused: true,
                ..Taken::default()
            },
            |taken| Taken { skipped, ..taken },
        ))
    }

    /// Reads a message; `None` if it is refused.
    fn read(
        &mut self,
        subject: &str,
        head: &BatchHead,
        body: &[u8],
        lines: &mut Vec<u8>,
    ) -> Option<Taken> {
        let ends = body.iter().filter(|byte| **byte == b'\n').count();
        if ends as u64 != head.count || body.last() != Some(&b'\n') {
            return None;
        }
        let (new, dropped, missing) = self.source(subject)?.add(head);
        let (mut at, mut rest, mut events) = (head.first, body.split_inclusive(is_end), 0);
        for numbers in new {
            let before = usize::try_from(numbers.start - at).unwrap_or(usize::MAX);
            let wanted = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
            for line in rest.by_ref().skip(before).take(wanted) {
                lines.extend_from_slice(line);
                events += 1;
            }
            at = numbers.end;
        }
        let counts = &mut self.counts;
        counts.events += events;
        counts.repeated += head.count - events;
        counts.dropped = counts.dropped.saturating_add(dropped);
        counts.missing = counts.missing.saturating_add(missing);
        Some(Taken {
            events,
            dropped,
            ..Taken::default()
        })
    }

    /// Returns the source of a subject; `None` for other subjects, and over a limit.
    fn source(&mut self, subject: &str) -> Option<&mut Source> {
        let host = subject::host_of(subject)?;
        if !self.sources.contains_key(subject) {
            let of_host = self.sources.range(host.to_owned()..);
            let of_host = of_host.take_while(|(one, _)| one.starts_with(host)).count();
            let is_full = self.sources.len() >= self.limits.subjects;
            if is_full || of_host >= self.limits.subjects_of_host {
                return None;
            }
        }
        Some(self.sources.entry(subject.to_owned()).or_default())
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature of a predicate"
)]
fn is_end(byte: &u8) -> bool {
    *byte == b'\n'
}
