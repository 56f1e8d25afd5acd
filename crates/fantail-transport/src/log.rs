//! `log`: a line for each payload.

use std::io::{self, Stderr, Write};

use rustix::fs::FileType;

use crate::{
    Delivery, MessageSettings, Payloads, Retry, Shortened, Transport, TransportError,
    message::Messages,
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
    line: Vec<u8>,
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
            line: Vec::new(),
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

    /// Writes so many lines; whether to go on.
    fn settle(&mut self, lines: &[u8], count: usize, delivery: &mut Delivery) -> bool {
        let written = self.writer.write_all(lines);
        match written.map_err(TransportError::writing) {
            Ok(()) => delivery.arrived(count),
            Err(error) if error.retry() == Retry::Never => delivery.refused(count, error),
            Err(error) => {
                delivery.stopped(error);
                return false;
            }
        }
        true
    }
}

impl<W: Write + Send> Transport for LogTransport<W> {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.line.clear();
        self.messages.write(payload, 0, &mut self.line);
        self.line.push(b'\n');
        // One write a line: other processes write there too.
        self.writer
            .write_all(&self.line)
            .map_err(TransportError::writing)
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
        let mut lines = std::mem::take(&mut self.line);
        lines.clear();
        let mut count = 0;
        for payload in payloads.iter() {
            let before = lines.len();
            self.messages.write(payload.bytes, 0, &mut lines);
            lines.push(b'\n');
            if lines.len() > self.at_once && count > 0 {
                let whole = lines.get(..before).unwrap_or_default();
                if !self.settle(whole, count, &mut delivery) {
                    return delivery;
                }
                lines.drain(..before);
                count = 0;
            }
            count += 1;
        }
        if self.settle(&lines, count, &mut delivery)
            && let Err(error) = self.flush()
        {
            // Nobody knows what of it arrived.
            delivery = Delivery::new();
            delivery.stopped(error);
        }
        self.line = lines;
        delivery
    }
}
