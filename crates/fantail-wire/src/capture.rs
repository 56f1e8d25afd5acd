//! Captures: recorded lines of clients.
//!
//! A line of a capture is `<connection> TAB <µs since 1970> TAB <line>`. `<line>` is
//! the client's line, or `<close>` for the end of the connection.

use std::{collections::HashMap, fmt};

/// A capture, sorted by connection.
///
/// ```
/// use fantail_wire::capture::Capture;
///
/// let capture = Capture::parse(b"no capture\n");
/// assert!(capture.connections.is_empty());
/// assert_eq!(capture.errors[0].line(), 1);
/// ```
#[derive(Debug, Default)]
pub struct Capture<'a> {
    /// The connections in the order of their first lines.
    pub connections: Vec<RecordedConnection<'a>>,
    /// The lines that are malformed.
    pub errors: Vec<CaptureError>,
}

/// One connection of a capture.
#[derive(Debug)]
pub struct RecordedConnection<'a> {
    /// Its name in the capture.
    pub name: &'a [u8],
    /// The client's lines.
    pub lines: Vec<RecordedLine<'a>>,
    /// The end of the connection in microseconds since 1970; `None` if the capture
    /// ends before.
    pub closed: Option<i64>,
}

/// One recorded line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedLine<'a> {
    /// The line number in the capture, from 1.
    pub number: usize,
    /// The time of receipt, in microseconds since 1970.
    pub micros: i64,
    /// The client's line without its LF.
    pub line: &'a [u8],
}

/// A malformed line of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureError {
    line: usize,
    kind: CaptureErrorKind,
}

/// The kind of an error in a line of a capture.
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
    /// Returns the line number in the capture, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(&self) -> CaptureErrorKind {
        self.kind
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CaptureErrorKind::MissingPart => {
                "expected a connection, a time and a line separated by TABs"
            }
            CaptureErrorKind::BadTime => "the time is not a number of microseconds since 1970",
            CaptureErrorKind::Truncated => "the file ends within the line; its LF is missing",
        })
    }
}

impl std::error::Error for CaptureError {}

impl<'a> Capture<'a> {
    /// Sorts the lines of a capture by connection. Malformed lines are collected in
    /// [`errors`](Self::errors).
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
            match RecordedLine::parse(line, number, whole) {
                Ok((name, recorded)) => capture.add(&mut open, name, recorded),
                Err(error) => capture.errors.push(error),
            }
        }
        capture
    }

    fn add(&mut self, open: &mut HashMap<&'a [u8], usize>, name: &'a [u8], line: RecordedLine<'a>) {
        if line.is_close() {
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

impl<'a> RecordedLine<'a> {
    /// Reads a line of a capture, without its LF, and the name of its
    /// connection; `whole` says whether there was an LF.
    ///
    /// # Errors
    /// The line is not of the form of a capture's lines.
    ///
    /// ```
    /// use fantail_wire::capture::RecordedLine;
    ///
    /// let (name, line) = RecordedLine::parse(b"7\t1000\tEND\t3", 1, true)?;
    /// assert_eq!((name, line.micros, line.line), (&b"7"[..], 1000, &b"END\t3"[..]));
    /// # Ok::<_, fantail_wire::capture::CaptureError>(())
    /// ```
    pub fn parse(
        line: &'a [u8],
        number: usize,
        whole: bool,
    ) -> Result<(&'a [u8], Self), CaptureError> {
        let refused = |kind| CaptureError { line: number, kind };
        if !whole {
            return Err(refused(CaptureErrorKind::Truncated));
        }
        let mut parts = line.splitn(3, |&b| b == b'\t');
        let (Some(name), Some(time), Some(line)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(refused(CaptureErrorKind::MissingPart));
        };
        let micros = fantail_event::text::integer(time);
        let micros = micros.ok_or_else(|| refused(CaptureErrorKind::BadTime))?;
        Ok((
            name,
            Self {
                number,
                micros,
                line,
            },
        ))
    }

    /// Returns whether the client closed its connection here.
    #[must_use]
    pub fn is_close(&self) -> bool {
        self.line == b"<close>"
    }
}
