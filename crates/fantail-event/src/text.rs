//! The text form of an event: what Dovecot's processes send.
//!
//! Arguments: `created-sec`, `created-usec`, then any of `s<file> <line>`,
//! `a`, `l<sec> <usec>`, `n<name>`, `c<category>`, `I<key> <integer>`,
//! `S<key> <text>`, `T<key> <sec> <usec>`, `P<key> <ip>`,
//! `L<key> <count> <element>…`. An argument with another first byte is passed
//! over, as Dovecot does. Between arguments stands a TAB, and each is
//! [escaped](crate::escape).

use alloc::{borrow::Cow, string::ToString, vec::Vec};

use crate::{
    Bytes, CategoryTree, Dialect, Event, Ip, Source, TextError, TextErrorKind, Timestamp, Value,
    digits, escape,
};

/// An event may have this many fields, and this many categories.
///
/// Dovecot's own have some 60 fields at most. Fields are found by looking
/// through them, so that an event with very many would cost time beyond
/// measure.
pub const MAX_FIELDS: usize = 1024;

/// Reads an event from its arguments, which are still escaped.
///
/// 2.3 knows no `P` argument: there it is passed over with its value.
///
/// # Errors
/// A value is missing or malformed, a category is not in `categories`, or
/// there are more than [`MAX_FIELDS`] fields or categories.
pub fn parse<'a>(
    arguments: impl Iterator<Item = &'a [u8]>,
    categories: &CategoryTree,
    dialect: Dialect,
) -> Result<Event<'a>, TextError> {
    let mut reader = Reader {
        arguments,
        taken: 0,
    };
    let created = reader.time()?;
    let mut event = Event::new(created);
    while let Some(argument) = reader.next() {
        let Some((&code, _)) = argument.split_first() else {
            continue;
        };
        let rest = tail(argument);
        match code {
            b's' => {
                event.source = Some(Source {
                    file: rest,
                    line: reader.line()?,
                });
            }
            b'a' => event.always_log_source = true,
            b'l' => event.sent = Some(reader.time_after(&rest)?),
            b'n' => event.name = Some(rest),
            b'c' if !categories.contains(&rest) => {
                return Err(reader.error(TextErrorKind::UnknownCategory));
            }
            b'c' if event.categories.contains(&rest) => {}
            b'c' => {
                event.categories.push(rest);
                reader.check_number(event.categories.len())?;
            }
            b'P' if dialect == Dialect::V2_3 => _ = reader.value()?,
            b'I' | b'S' | b'T' | b'P' | b'L' if rest.is_empty() => {
                return Err(reader.error(TextErrorKind::MissingKey));
            }
            b'I' | b'S' | b'T' | b'P' | b'L' => {
                let value = reader.field_value(code)?;
                event.set(rest, value);
                reader.check_number(event.fields().len())?;
            }
            _ => {}
        }
    }
    Ok(event)
}

/// Everything after the first byte.
fn tail(argument: Bytes<'_>) -> Bytes<'_> {
    match argument {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(1..).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.remove(0);
            Cow::Owned(bytes)
        }
    }
}

struct Reader<I> {
    arguments: I,
    taken: usize,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Reader<I> {
    fn next(&mut self) -> Option<Bytes<'a>> {
        let argument = self.arguments.next()?;
        self.taken += 1;
        Some(escape::unescape(argument))
    }

    fn error(&self, kind: TextErrorKind) -> TextError {
        TextError::new(kind, self.taken.saturating_sub(1))
    }

    fn check_number(&self, number: usize) -> Result<(), TextError> {
        if number > MAX_FIELDS {
            return Err(self.error(TextErrorKind::TooManyFields));
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Bytes<'a>, TextError> {
        let missing = TextError::new(TextErrorKind::MissingValue, self.taken);
        self.next().ok_or(missing)
    }

    fn time(&mut self) -> Result<Timestamp, TextError> {
        let seconds = self.value()?;
        self.time_after(&seconds)
    }

    fn time_after(&mut self, seconds: &[u8]) -> Result<Timestamp, TextError> {
        let seconds = integer(seconds).ok_or(self.error(TextErrorKind::BadSeconds))?;
        let micros = self.value()?;
        integer(&micros)
            .and_then(|micros| u32::try_from(micros).ok())
            .and_then(|micros| Timestamp::new(seconds, micros))
            .ok_or(self.error(TextErrorKind::BadMicroseconds))
    }

    fn line(&mut self) -> Result<u32, TextError> {
        let line = self.value()?;
        integer(&line)
            .and_then(|line| u32::try_from(line).ok())
            .ok_or(self.error(TextErrorKind::BadLine))
    }

    fn field_value(&mut self, code: u8) -> Result<Value<'a>, TextError> {
        Ok(match code {
            b'I' => {
                let number = self.value()?;
                Value::Int(integer(&number).ok_or(self.error(TextErrorKind::BadInteger))?)
            }
            b'T' => Value::Time(self.time()?),
            b'P' => {
                let ip = self.value()?;
                Value::Ip(Ip::parse_sent(&ip).ok_or(self.error(TextErrorKind::BadIp))?)
            }
            b'L' => Value::List(self.list()?),
            _ => Value::Str(self.value()?),
        })
    }

    fn list(&mut self) -> Result<Vec<Bytes<'a>>, TextError> {
        let count = self.value()?;
        let count = integer(&count)
            .and_then(|count| u32::try_from(count).ok())
            .ok_or(self.error(TextErrorKind::BadCount))?;
        // Grows with the elements that are there, never by the count alone.
        let mut list = Vec::new();
        for _ in 0..count {
            // 2.4 takes a list that ends early for what is there (2.3 dies).
            let Some(element) = self.next() else { break };
            list.push(element);
        }
        Ok(list)
    }
}

/// A decimal number, as Dovecot's own parser takes it: an optional `-`, then
/// digits only.
#[must_use]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= NEVER_TOO_LARGE {
        let mut number = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + i64::from(digit);
        }
        return Some(if negative { -number } else { number });
    }
    digits.iter().try_fold(0_i64, |number, byte| {
        let digit = i64::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        let shifted = number.checked_mul(10)?;
        if negative {
            shifted.checked_sub(digit)
        } else {
            shifted.checked_add(digit)
        }
    })
}

/// The decimal number before the first TAB, without a sign, and what follows
/// the TAB; `None` after the number if there is no TAB.
///
/// ```
/// use fantail_event::text::leading_number;
///
/// assert_eq!(leading_number(b"46\t0\tnlogin"), Some((46, Some(&b"0\tnlogin"[..]))));
/// assert_eq!(leading_number(b"46"), Some((46, None)));
/// assert_eq!(leading_number(b"-1\t0"), None);
/// ```
#[must_use]
#[inline]
pub fn leading_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    match digits::first(text) {
        Some((number, rest)) => Some((number, Some(rest))),
        None => other_leading_number(text),
    }
}

#[inline(never)]
fn other_leading_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    let end = text.iter().position(|byte| *byte == b'\t');
    let (digits, rest) = match end {
        Some(end) => (text.get(..end)?, text.get(end + 1..)),
        None => (text, None),
    };
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })?;
    Some((number, rest))
}

/// Numbers of so many digits fit.
const NEVER_TOO_LARGE: usize = 18;

/// Appends the text form of an event, TABs between the escaped arguments.
///
/// [`parse`] reads it back to the same event.
pub fn write(event: &Event<'_>, out: &mut Vec<u8>) {
    push_time(event.created, out);
    if let Some(source) = &event.source {
        push_coded(b's', &source.file, out);
        push_text(source.line.to_string().as_bytes(), out);
    }
    if event.always_log_source {
        out.extend_from_slice(b"\ta");
    }
    if let Some(sent) = event.sent {
        out.extend_from_slice(b"\tl");
        push_time(sent, out);
    }
    if let Some(name) = &event.name {
        push_coded(b'n', name, out);
    }
    for category in &event.categories {
        push_coded(b'c', category, out);
    }
    for field in event.fields() {
        push_field(&field.key, &field.value, out);
    }
}

fn push_field(key: &[u8], value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Str(text) => {
            push_coded(b'S', key, out);
            push_text(text, out);
        }
        Value::Int(number) => {
            push_coded(b'I', key, out);
            push_text(number.to_string().as_bytes(), out);
        }
        Value::Time(time) => {
            push_coded(b'T', key, out);
            out.push(b'\t');
            push_time(*time, out);
        }
        Value::Ip(ip) => {
            push_coded(b'P', key, out);
            push_text(ip.to_string().as_bytes(), out);
        }
        Value::List(list) => {
            push_coded(b'L', key, out);
            push_text(list.len().to_string().as_bytes(), out);
            for element in list {
                push_text(element, out);
            }
        }
    }
}

fn push_coded(code: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\t');
    out.push(code);
    escape::escape_into(text, out);
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\t');
    escape::escape_into(text, out);
}

fn push_time(time: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(time.seconds().to_string().as_bytes());
    push_text(time.subsec_micros().to_string().as_bytes(), out);
}
