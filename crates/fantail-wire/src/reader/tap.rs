//! The request and the lines of a tap, which fantail adds to the protocol.

use std::borrow::Cow;

use fantail_event::escape::{escape_into, unescape};

use super::{ReaderError, ReaderErrorKind, number};

/// The arguments of `FANTAIL-TAP`. The answer is a [`Reply`](super::Reply);
/// [`TapLine`]s follow `+`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TapParts<'a> {
    /// The filter.
    pub filter: Cow<'a, [u8]>,
    /// The format of the events.
    pub format: Cow<'a, [u8]>,
    /// The tap ends after this number of live events.
    pub events: u32,
    /// The tap ends after this number of seconds; with 0 it shows no live events.
    pub seconds: u32,
    /// The largest number of live events shown per second.
    pub rate: u32,
    /// Shows kept events first, from this time on, in microseconds since 1970.
    pub since: Option<i64>,
    /// The end of that time; without it, until now.
    pub until: Option<i64>,
    /// Counts the events that meet each term of the filter instead of showing them.
    pub explain: bool,
    /// A filter for further events that clients are asked for; empty for none.
    pub ask_for: Cow<'a, [u8]>,
}

impl<'a> TapParts<'a> {
    pub(super) fn parse(
        mut arguments: impl Iterator<Item = Cow<'a, [u8]>>,
    ) -> Result<Self, ReaderError> {
        let mut argument = || {
            let argument = arguments.next();
            argument.ok_or(ReaderError::from(ReaderErrorKind::TooFewArguments))
        };
        let mut parts = Self {
            filter: argument()?,
            format: argument()?,
            events: number(&argument()?)?,
            seconds: number(&argument()?)?,
            rate: number(&argument()?)?,
            ..Self::default()
        };
        for option in arguments {
            let split = option.iter().position(|byte| *byte == b'=');
            let (name, value) = option.split_at(split.unwrap_or(option.len()));
            let value = value.get(1..).unwrap_or_default();
            match name {
                b"since" => parts.since = Some(number(value)?),
                b"until" => parts.until = Some(number(value)?),
                b"explain" => parts.explain = value == b"yes",
                b"ask_for" => parts.ask_for = value.to_vec().into(),
                _ => {}
            }
        }
        Ok(parts)
    }

    pub(super) fn write(&self, mut push: impl FnMut(&[u8])) {
        push(&self.filter);
        push(&self.format);
        for number in [self.events, self.seconds, self.rate] {
            push(number.to_string().as_bytes());
        }
        for (name, time) in [("since", self.since), ("until", self.until)] {
            if let Some(time) = time {
                push(format!("{name}={time}").as_bytes());
            }
        }
        if self.explain {
            push(b"explain=yes");
        }
        if !self.ask_for.is_empty() {
            push(&[b"ask_for=", &*self.ask_for].concat());
        }
    }
}

/// A line of a tap after the `+` of its reply.
///
/// ```
/// use fantail_wire::reader::TapLine;
///
/// let mut line = Vec::new();
/// TapLine::End { skipped: 3 }.write(&mut line);
/// let line = line.strip_suffix(b"\n").unwrap();
/// assert_eq!(TapLine::parse(line), Some(TapLine::End { skipped: 3 }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TapLine<'a> {
    /// `PAST <time> <left out>`: kept events follow.
    Past {
        /// The time from which on events are kept, in microseconds since 1970.
        begins: i64,
        /// Events that were too large to be kept.
        left_out: u64,
    },
    /// `LIVE`: live events follow.
    Live,
    /// `E <event>`: an event in the requested format.
    Event(&'a [u8]),
    /// `SEEN <events>`: the number of events that were counted; a line for each term
    /// follows.
    Seen {
        /// How many events were seen.
        events: u64,
    },
    /// `TERM …`: a term of the filter and its counts.
    Term(TermCounts<'a>),
    /// `END <skipped>`: the tap has ended.
    End {
        /// Matching events that were not shown because of the rate limit.
        skipped: u64,
    },
}

/// How many events meet a term of a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermCounts<'a> {
    /// The number of terms around this one.
    pub depth: u32,
    /// The term, as it was written.
    pub text: Cow<'a, [u8]>,
    /// Events that meet it.
    pub held: u64,
    /// Of a term that must hold: events that meet it and all such terms before it.
    pub passed: Option<u64>,
    /// Of a term that must hold: events that meet all such terms but this one.
    pub missed: Option<u64>,
    /// The value that this term saw in the last of these.
    pub saw: Cow<'a, [u8]>,
}

impl<'a> TapLine<'a> {
    /// Parses a line without its LF; `None` for another line.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (kind, rest) = match line.iter().position(|byte| *byte == b'\t') {
            Some(at) => (line.get(..at)?, line.get(at + 1..)?),
            None => (line, &[][..]),
        };
        Some(match kind {
            b"E" => Self::Event(rest),
            b"PAST" => {
                let (begins, left_out) = rest.split_at(rest.iter().position(|b| *b == b'\t')?);
                Self::Past {
                    begins: number(begins).ok()?,
                    left_out: number(left_out.get(1..)?).ok()?,
                }
            }
            b"LIVE" => Self::Live,
            b"SEEN" => Self::Seen {
                events: number(rest).ok()?,
            },
            b"TERM" => Self::Term(TermCounts::parse(rest)?),
            b"END" => Self::End {
                skipped: number(rest).ok()?,
            },
            _ => return None,
        })
    }

    /// Appends the line with its LF. The event must not contain an LF.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Past { begins, left_out } => {
                out.extend_from_slice(format!("PAST\t{begins}\t{left_out}").as_bytes());
            }
            Self::Live => out.extend_from_slice(b"LIVE"),
            Self::Event(event) => {
                out.extend_from_slice(b"E\t");
                out.extend_from_slice(event);
            }
            Self::Seen { events } => out.extend_from_slice(format!("SEEN\t{events}").as_bytes()),
            Self::Term(counts) => counts.write(out),
            Self::End { skipped } => {
                out.extend_from_slice(format!("END\t{skipped}").as_bytes());
            }
        }
        out.push(b'\n');
    }
}

impl<'a> TermCounts<'a> {
    fn parse(rest: &'a [u8]) -> Option<Self> {
        let mut parts = rest.split(|byte| *byte == b'\t');
        let mut part = || parts.next();
        let optional = |part: &[u8]| match part {
            b"-" => Some(None),
            part => number(part).ok().map(Some),
        };
        Some(Self {
            depth: number(part()?).ok()?,
            held: number(part()?).ok()?,
            passed: optional(part()?)?,
            missed: optional(part()?)?,
            text: unescape(part()?),
            saw: unescape(part()?),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let optional = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        let (passed, missed) = (optional(self.passed), optional(self.missed));
        let head = format!("TERM\t{}\t{}\t{passed}\t{missed}\t", self.depth, self.held);
        out.extend_from_slice(head.as_bytes());
        escape_into(&self.text, out);
        out.push(b'\t');
        escape_into(&self.saw, out);
    }
}
