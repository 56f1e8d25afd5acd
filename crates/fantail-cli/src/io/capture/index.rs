//! The index of a capture: the lines of each connection.
//!
//! A connection is played from its first line to its last, but lines of
//! connections are interleaved. For each connection, the index stores the runs
//! of adjacent lines, in a few bytes each.

use std::collections::HashMap;

/// The connections of a capture, in the order of their first lines.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) connections: Vec<IndexedConnection>,
    open: HashMap<Vec<u8>, usize>,
    /// The connection of the last line, and the end of the line.
    last: Option<(usize, u64)>,
}

/// The positions of one client's lines.
#[derive(Debug)]
pub(super) struct IndexedConnection {
    pub(super) name: Vec<u8>,
    /// The time when the client closed the connection, in microseconds since
    /// 1970.
    pub(super) closed: Option<i64>,
    /// All runs except the last: the distance to the previous run in bytes and
    /// lines, and the number of lines; each as a LEB128 number.
    runs: Vec<u8>,
    /// The end of the last run but one.
    end: Position,
    run: Run,
}

/// A position in a capture.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Position {
    byte: u64,
    line: u64,
}

/// A run of adjacent lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The offset of the first line in bytes.
    pub(super) start: u64,
    /// The number of the first line, from 1.
    pub(super) number: u64,
    /// The number of lines.
    pub(super) lines: u64,
    /// The length of all lines in bytes.
    bytes: u64,
}

impl Index {
    /// Adds a line of a connection; `start` and `length` are in bytes.
    pub(super) fn add(&mut self, name: &[u8], start: u64, length: u64, number: u64) {
        let end = start + length;
        if let Some((at, before)) = self.last
            && before == start
            && let Some(connection) = self.connections.get_mut(at)
            && connection.name == name
        {
            connection.run.lines += 1;
            connection.run.bytes += length;
            self.last = Some((at, end));
            return;
        }
        let run = Run {
            start,
            number,
            lines: 1,
            bytes: length,
        };
        let at = match self.open.get(name) {
            Some(at) => *at,
            None => {
                let at = self.connections.len();
                self.connections.push(IndexedConnection::new(name));
                self.open.insert(name.to_vec(), at);
                at
            }
        };
        if let Some(connection) = self.connections.get_mut(at) {
            connection.begin(run);
        }
        self.last = Some((at, end));
    }

    /// Sets the time when a client closed its connection.
    pub(super) fn close(&mut self, name: &[u8], micros: i64) {
        let at = self.open.remove(name);
        if let Some(connection) = at.and_then(|at| self.connections.get_mut(at)) {
            connection.closed = Some(micros);
        }
        self.last = None;
    }
}

impl IndexedConnection {
    fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            closed: None,
            runs: Vec::new(),
            end: Position::default(),
            run: Run {
                start: 0,
                number: 0,
                lines: 0,
                bytes: 0,
            },
        }
    }

    /// Encodes the last run, and begins another.
    fn begin(&mut self, next: Run) {
        if self.run.lines > 0 {
            write_number(self.run.start - self.end.byte, &mut self.runs);
            write_number(self.run.number - self.end.line, &mut self.runs);
            write_number(self.run.lines, &mut self.runs);
            write_number(self.run.bytes, &mut self.runs);
            self.end = self.run.end();
        }
        self.run = next;
    }

    /// Returns the runs, in order.
    pub(super) fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        let mut rest = self.runs.as_slice();
        let mut end = Position::default();
        let written = std::iter::from_fn(move || {
            let run = Run {
                start: end.byte + read_number(&mut rest)?,
                number: end.line + read_number(&mut rest)?,
                lines: read_number(&mut rest)?,
                bytes: read_number(&mut rest)?,
            };
            end = run.end();
            Some(run)
        });
        written.chain([self.run])
    }
}

impl Run {
    fn end(self) -> Position {
        Position {
            byte: self.start + self.bytes,
            line: self.number + self.lines,
        }
    }
}

fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the runs of each connection, as `start+lines@number`.
    #[track_caller]
    fn check(lines: &[(&str, u64)], expected: &[(&str, &str)]) {
        let mut index = Index::default();
        let (mut start, mut number) = (0, 1);
        for (name, length) in lines {
            match name.strip_prefix('!') {
                Some(name) => index.close(name.as_bytes(), 5),
                None => index.add(name.as_bytes(), start, *length, number),
            }
            start += length;
            number += 1;
        }
        let found = index.connections.iter().map(|connection| {
            let runs = connection.runs();
            let runs = runs.map(|run| format!("{}+{}@{}", run.start, run.lines, run.number));
            let name = String::from_utf8_lossy(&connection.name).into_owned();
            (name, runs.collect::<Vec<_>>().join(" "))
        });
        let expected = expected.iter();
        let expected = expected.map(|(name, runs)| ((*name).to_owned(), (*runs).to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn lines_that_follow_each_other_are_one_run() {
        check(&[("a", 10), ("a", 20), ("a", 5)], &[("a", "0+3@1")]);
    }

    #[test]
    fn connections_between_each_other_have_several() {
        check(
            &[
                ("a", 1000),
                ("b", 10),
                ("a", 20),
                ("a", 5),
                ("b", 7),
                ("a", 1),
            ],
            &[("a", "0+1@1 1010+2@3 1042+1@6"), ("b", "1000+1@2 1035+1@5")],
        );
    }

    #[test]
    fn a_name_that_comes_back_is_another_connection() {
        check(
            &[("a", 1), ("!a", 1), ("a", 1)],
            &[("a", "0+1@1"), ("a", "2+1@3")],
        );
    }
}
