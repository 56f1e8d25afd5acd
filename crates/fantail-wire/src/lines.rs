//! Splits a stream of bytes into lines of bounded length.

use std::fmt;

/// The longest line of a stats-writer client, LF not counted.
pub const MAX_WRITER_LINE_BYTES: usize = 128 * 1024 - 1;

/// A buffer that returns complete lines.
///
/// It holds at most one unfinished line of the allowed length and the bytes that
/// were pushed last.
///
/// ```
/// use fantail_wire::lines::{LineBuffer, LineTooLong};
///
/// let mut lines = LineBuffer::new(8);
/// lines.push(b"one\ntw");
/// assert_eq!(lines.next_line(), Ok(Some(&b"one"[..])));
/// assert_eq!(lines.next_line(), Ok(None));
/// lines.push(b"o and more");
/// let error: LineTooLong = lines.next_line().unwrap_err();
/// assert_eq!(error.limit, 8);
/// ```
#[derive(Debug)]
pub struct LineBuffer {
    limit: usize,
    bytes: Vec<u8>,
    start: usize,
}

/// A line is longer than the limit of its [`LineBuffer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineTooLong {
    /// The longest line allowed, in bytes.
    pub limit: usize,
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a line is longer than {} bytes", self.limit)
    }
}

impl std::error::Error for LineTooLong {}

impl LineBuffer {
    /// Creates an empty buffer for lines of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// Appends bytes that were read.
    pub fn push(&mut self, read: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(read);
    }

    /// Returns the next complete line without its LF; `None` until more is pushed.
    ///
    /// # Errors
    /// The line is longer than the limit. Later calls return the same error.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, LineTooLong> {
        let rest = &self.bytes[self.start..];
        match memchr::memchr(b'\n', rest) {
            Some(length) if length <= self.limit => {
                let line = self.start..self.start + length;
                self.start = line.end + 1;
                Ok(Some(&self.bytes[line]))
            }
            None if rest.len() <= self.limit => Ok(None),
            _ => Err(LineTooLong { limit: self.limit }),
        }
    }

    /// Returns the bytes after the last complete line.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: &[&str], limit: usize, expected: Result<&[&str], LineTooLong>) {
        let mut buffer = LineBuffer::new(limit);
        let mut lines = Vec::new();
        let mut outcome = Ok(());
        'reads: for read in reads {
            buffer.push(read.as_bytes());
            loop {
                match buffer.next_line() {
                    Ok(Some(line)) => lines.push(String::from_utf8_lossy(line).into_owned()),
                    Ok(None) => break,
                    Err(error) => {
                        outcome = Err(error);
                        break 'reads;
                    }
                }
            }
        }
        assert_eq!(
            outcome.map(|()| lines),
            expected.map(|e| e.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn lines_come_whole_however_they_were_read() {
        check(&["a\nb\n", "c", "d\n"], 9, Ok(&["a", "b", "cd"]));
        check(&["", "\n\n", "x"], 9, Ok(&["", ""]));
    }

    #[test]
    fn a_line_may_have_the_limit_and_no_more() {
        check(&["abc\n"], 3, Ok(&["abc"]));
        check(&["ab", "cd\n"], 3, Err(LineTooLong { limit: 3 }));
        check(&["abcd"], 3, Err(LineTooLong { limit: 3 }));
    }
}
