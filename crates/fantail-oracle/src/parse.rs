//! The text form of an event.

use fantail_event::{Dialect, Ip, TextErrorKind, Timestamp};

use crate::{Categories, Event, Value, set};

/// The number of fields, and of categories, that one event may have.
pub const MAX_FIELDS: usize = 1024;

/// Why a text is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: TextErrorKind,
    /// The number of the argument, from 0.
    pub argument: usize,
}

/// Parses an event.
///
/// # Errors
/// A value is missing or malformed, a category is not registered, or there are
/// more than [`MAX_FIELDS`] fields or categories.
pub fn parse(text: &[u8], categories: &Categories, dialect: Dialect) -> Result<Event, ParseError> {
    let mut arguments = Arguments {
        all: text.split(|byte| *byte == b'\t').map(unescape).collect(),
        taken: 0,
    };
    let mut event = Event {
        created: arguments.time()?,
        ..Event::default()
    };
    while let Some(argument) = arguments.next() {
        let Some((code, rest)) = argument.split_first() else {
            continue;
        };
        match code {
            b's' => event.source = Some((rest.to_vec(), arguments.line()?)),
            b'a' => event.always_log_source = true,
            b'l' => event.sent = Some(arguments.time_from(rest)?),
            b'n' => event.name = Some(rest.to_vec()),
            b'c' => {
                if !categories.contains(rest) {
                    return Err(arguments.error(TextErrorKind::UnknownCategory));
                }
                if !event.categories.iter().any(|known| known == rest) {
                    event.categories.push(rest.to_vec());
                }
            }
            // Dovecot 2.3 does not know addresses: it skips key and value.
            b'P' if dialect == Dialect::V2_3 => {
                arguments.value()?;
            }
            b'I' | b'S' | b'T' | b'P' | b'L' => {
                if rest.is_empty() {
                    return Err(arguments.error(TextErrorKind::MissingKey));
                }
                let value = match code {
                    b'I' => Value::Int(arguments.int(TextErrorKind::BadInteger)?),
                    b'S' => Value::Str(arguments.value()?),
                    b'T' => Value::Time(arguments.time()?),
                    b'P' => Value::Ip(arguments.ip()?),
                    _ => Value::List(arguments.list()?),
                };
                set(&mut event.fields, rest, value);
            }
            _ => {}
        }
        if event.fields.len() > MAX_FIELDS || event.categories.len() > MAX_FIELDS {
            return Err(arguments.error(TextErrorKind::TooManyFields));
        }
    }
    Ok(event)
}

/// The unescaped arguments of an event, taken one after another.
struct Arguments {
    all: Vec<Vec<u8>>,
    taken: usize,
}

impl Arguments {
    fn next(&mut self) -> Option<Vec<u8>> {
        let argument = self.all.get(self.taken)?.clone();
        self.taken += 1;
        Some(argument)
    }

    /// An error of the argument that was taken last.
    fn error(&self, kind: TextErrorKind) -> ParseError {
        ParseError {
            kind,
            argument: self.taken - 1,
        }
    }

    fn value(&mut self) -> Result<Vec<u8>, ParseError> {
        let missing = ParseError {
            kind: TextErrorKind::MissingValue,
            argument: self.taken,
        };
        self.next().ok_or(missing)
    }

    fn int(&mut self, wrong: TextErrorKind) -> Result<i64, ParseError> {
        let text = self.value()?;
        signed(&text).ok_or_else(|| self.error(wrong))
    }

    fn line(&mut self) -> Result<u32, ParseError> {
        let line = self.int(TextErrorKind::BadLine)?;
        u32::try_from(line).map_err(|_| self.error(TextErrorKind::BadLine))
    }

    fn time(&mut self) -> Result<Timestamp, ParseError> {
        let seconds = self.value()?;
        self.time_from(&seconds)
    }

    /// Takes the microseconds of a time whose seconds are known.
    fn time_from(&mut self, seconds: &[u8]) -> Result<Timestamp, ParseError> {
        let seconds = signed(seconds).ok_or_else(|| self.error(TextErrorKind::BadSeconds))?;
        let micros = self.int(TextErrorKind::BadMicroseconds)?;
        let micros = u32::try_from(micros).ok();
        let time = micros.and_then(|micros| Timestamp::new(seconds, micros));
        time.ok_or_else(|| self.error(TextErrorKind::BadMicroseconds))
    }

    fn ip(&mut self) -> Result<Ip, ParseError> {
        let text = self.value()?;
        Ip::parse_sent(&text).ok_or_else(|| self.error(TextErrorKind::BadIp))
    }

    /// Takes a count and its elements; the last one may be missing.
    fn list(&mut self) -> Result<Vec<Vec<u8>>, ParseError> {
        let count = self.int(TextErrorKind::BadCount)?;
        let count = u32::try_from(count).map_err(|_| self.error(TextErrorKind::BadCount))?;
        let mut list = Vec::new();
        let elements = self.all.len() - self.taken;
        if u64::from(count) > elements as u64 + 1 {
            // All elements are taken before one is missed.
            self.taken = self.all.len() + 1;
            return Err(self.error(TextErrorKind::MissingValue));
        }
        for _ in 0..count {
            list.extend(self.next());
        }
        Ok(list)
    }
}

/// Undoes tab-escaping.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != 1 {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'0') => out.push(0),
            Some(b'1') => out.push(1),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// Parses a 64-bit number: digits, a minus sign before them at most.
fn signed(text: &[u8]) -> Option<i64> {
    if text.starts_with(b"+") {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Parses a 64-bit number without a sign.
pub(crate) fn unsigned(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"+") {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
