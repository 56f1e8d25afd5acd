//! `log`: a line for each payload.
//!
//! What a target took before it failed (a file on a disk that ran full) is not
//! sent again, but for a line that it cut off: that is closed, and comes whole
//! after it.

use std::io::{self, Stderr, Write};

use rustix::fs::FileType;

use crate::{
    Delivery, MessageSettings, Payloads, Shortened, Transport, TransportError,
    transport::message::Messages,
};

/// Up to so many bytes written at once to a pipe come out in one piece
/// (`PIPE_BUF`), whoever else writes there.
const AT_ONCE: usize = 4096;

/// What is written to a file comes out in one piece, however much it is; more
/// than this saves nothing.
const AT_ONCE_TO_FILE: usize = 64 * 1024;

/// Writes each payload and a LF to a writer: standard error, a buffer, a pipe.
#[derive(Debug)]
pub struct LogTransport<W> {
    writer: W,
    messages: Messages,
    /// How many bytes of several lines are written at once at most.
    at_once: usize,
    /// Lines that are written next, and, of those of a delivery, where each
    /// ends.
    lines: Vec<u8>,
    ends: Vec<usize>,
    /// What was written ends in the middle of a line.
    torn: bool,
}

impl LogTransport<Stderr> {
    /// A log on standard error. If that is a file, more is written to it at
    /// once than to a pipe or a terminal.
    #[must_use]
    pub fn on_standard_error(settings: MessageSettings) -> Self {
        let log = Self::with_messages(io::stderr(), settings);
        let known = rustix::fs::fstat(&log.writer);
        let is_file = |known: rustix::fs::Stat| FileType::from_raw_mode(known.st_mode).is_file();
        if known.is_ok_and(is_file) {
            log.at_once(AT_ONCE_TO_FILE)
        } else {
            log
        }
    }
}

impl<W: Write + Send> LogTransport<W> {
    /// A log that ends in `writer`, payloads as they are; wrap it in a
    /// `BufWriter` if writes cost.
    pub fn new(writer: W) -> Self {
        Self::with_messages(writer, MessageSettings::default())
    }

    /// A log that ends in `writer`, with rules for TABs and long lines.
    pub fn with_messages(writer: W, settings: MessageSettings) -> Self {
        Self {
            writer,
            messages: Messages::new(settings),
            at_once: AT_ONCE,
            lines: Vec::new(),
            ends: Vec::new(),
            torn: false,
        }
    }

    /// Sets how many bytes of several lines are written at once at most, for
    /// a writer that keeps more together than a pipe does (4,096 bytes). A
    /// longer line is written alone, and at once.
    #[must_use]
    pub fn at_once(mut self, bytes: usize) -> Self {
        self.at_once = bytes;
        self
    }

    /// The writer, with what was written so far.
    pub fn into_inner(self) -> W {
        self.writer
    }

    /// Writes so many bytes of lines, those that end there; whether to go on.
    fn settle(&mut self, bytes: usize, delivery: &mut Delivery) -> bool {
        let (written, error) = self.append(bytes);
        let whole = self.ends.partition_point(|end| *end <= written);
        delivery.arrived(whole);
        self.ends.clear();
        if error.is_some() {
            self.lines.clear();
        }
        self.lines.drain(..bytes.min(self.lines.len()));
        match error {
            None => true,
            Some(error) => {
                delivery.stopped(TransportError::writing(error));
                false
            }
        }
    }

    /// Writes so many bytes of the lines; returns how many are there, and why
    /// not all.
    fn append(&mut self, bytes: usize) -> (usize, Option<io::Error>) {
        if self.torn {
            match self.writer.write_all(b"\n") {
                Ok(()) => self.torn = false,
                Err(error) => return (0, Some(error)),
            }
        }
        let mut written = 0;
        while let Some(rest) = self
            .lines
            .get(written..bytes)
            .filter(|rest| !rest.is_empty())
        {
            let error = match self.writer.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    self.torn = self.lines.get(written - 1) != Some(&b'\n');
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return (written, Some(error));
        }
        (written, None)
    }

    fn push(&mut self, payload: &[u8]) {
        self.messages.write(payload, 0, &mut self.lines);
        self.lines.push(b'\n');
    }
}

impl<W: Write + Send> Transport for LogTransport<W> {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.push(payload);
        // One write a line: other processes write there too.
        let (_, error) = self.append(self.lines.len());
        self.lines.clear();
        error.map_or(Ok(()), |error| Err(TransportError::writing(error)))
    }

    fn shortened(&self) -> Shortened {
        self.messages.shortened().clone()
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        self.writer.flush().map_err(TransportError::writing)
    }

    /// As many whole lines a write as stay together.
    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let mut delivery = Delivery::new();
        for payload in payloads.iter() {
            let before = self.lines.len();
            self.push(payload);
            let too_much = self.lines.len() > self.at_once && before > 0;
            if too_much && !self.settle(before, &mut delivery) {
                return delivery;
            }
            self.ends.push(self.lines.len());
        }
        if self.settle(self.lines.len(), &mut delivery)
            && let Err(error) = self.flush()
        {
            // Nobody knows what of it arrived.
            delivery = Delivery::new();
            delivery.stopped(error);
        }
        delivery
    }
}
