//! Recorded traffic: what clients sent, line by line.
//!
//! A line of a capture is `<connection> TAB <µs since 1970> TAB <line>`,
//! where `<line>` is what the client sent, or `<close>` when it went away.

use std::{collections::HashMap, fmt};

/// A capture, its lines sorted by connection.
#[derive(Debug, Default)]
pub struct Capture<'a> {
    /// The connections in the order in which they began.
    pub connections: Vec<RecordedConnection<'a>>,
    /// The lines that could not be read.
    pub errors: Vec<CaptureError>,
}

/// What one client sent.
#[derive(Debug)]
pub struct RecordedConnection<'a> {
    /// Its name in the capture.
    pub name: &'a [u8],
    /// Its lines.
    pub lines: Vec<RecordedLine<'a>>,
    /// When it went away, in microseconds since 1970; `None` if the recording
    /// ends before.
    pub closed: Option<i64>,
}

/// One line of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedLine<'a> {
    /// The capture's line number, from 1.
    pub number: usize,
    /// When it came, in microseconds since 1970.
    pub micros: i64,
    /// What the client sent, without LF.
    pub line: &'a [u8],
}

/// A line of a capture that is not of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureError {
    line: usize,
    kind: CaptureErrorKind,
}

/// What is wrong with a line of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// There are fewer than three parts between TABs.
    MissingPart,
    /// The time is not a number.
    BadTime,
    /// The file ends within the line.
    Truncated,
}

impl CaptureError {
    /// The capture's line number, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> CaptureErrorKind {
        self.kind
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CaptureErrorKind::MissingPart => {
                "a line of a capture is a connection, a time and what the client sent, TABs between"
            }
            CaptureErrorKind::BadTime => "the time is not a number of microseconds since 1970",
            CaptureErrorKind::Truncated => "the file ends within the line",
        })
    }
}

impl std::error::Error for CaptureError {}

impl<'a> Capture<'a> {
    /// Sorts the lines of a capture by connection. What cannot be read is
    /// kept as an error, and the rest is read all the same.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Self {
        let mut capture = Self::default();
        let mut open: HashMap<&[u8], usize> = HashMap::new();
        let mut rest = bytes;
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let (line, whole) = match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    let line = &rest[..end];
                    rest = &rest[end + 1..];
                    (line, true)
                }
                None => (std::mem::take(&mut rest), false),
            };
            match record(line, number, whole) {
                Ok((name, recorded)) => capture.add(&mut open, name, recorded),
                Err(kind) => capture.errors.push(CaptureError { line: number, kind }),
            }
        }
        capture
    }

    fn add(&mut self, open: &mut HashMap<&'a [u8], usize>, name: &'a [u8], line: RecordedLine<'a>) {
        if line.line == b"<close>" {
            let at = open.remove(name);
            if let Some(connection) = at.and_then(|at| self.connections.get_mut(at)) {
                connection.closed = Some(line.micros);
            }
            return;
        }
        let at = *open.entry(name).or_insert_with(|| {
            self.connections.push(RecordedConnection {
                name,
                lines: Vec::new(),
                closed: None,
            });
            self.connections.len() - 1
        });
        if let Some(connection) = self.connections.get_mut(at) {
            connection.lines.push(line);
        }
    }
}

fn record(
    line: &[u8],
    number: usize,
    whole: bool,
) -> Result<(&[u8], RecordedLine<'_>), CaptureErrorKind> {
    if !whole {
        return Err(CaptureErrorKind::Truncated);
    }
    let mut parts = line.splitn(3, |&b| b == b'\t');
    let (Some(name), Some(time), Some(line)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(CaptureErrorKind::MissingPart);
    };
    let micros = fantail_event::text::integer(time).ok_or(CaptureErrorKind::BadTime)?;
    Ok((
        name,
        RecordedLine {
            number,
            micros,
            line,
        },
    ))
}
