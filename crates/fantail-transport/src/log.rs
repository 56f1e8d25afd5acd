//! Logs: one line per payload, and the transport `log`.
//!
//! Lines that were written before an error, such as a full disk, are not
//! written again. A line that was cut off is ended with LF and written again
//! whole.

#[cfg(all(feature = "file", feature = "syslog"))]
mod dovecot;
mod settings;
#[cfg(all(feature = "file", feature = "syslog"))]
mod stream;

use std::io::{self, Write};

use crate::{
    Delivery, MessageSettings, Payloads, Shortened, Transport, TransportError,
    transport::message::Messages,
};

#[cfg(all(feature = "file", feature = "syslog"))]
pub use self::dovecot::DovecotLog;
pub use self::settings::{LogSettings, LogTarget};

/// Bytes of the largest write to a pipe that other writers cannot interleave
/// with (`PIPE_BUF`).
const PIPE_WRITE_BYTES: usize = 4096;

/// Writes each payload and a LF to a writer: standard error, a buffer or a pipe.
///
/// ```
/// use fantail_transport::{LogTransport, Transport as _};
///
/// let mut transport = LogTransport::new(Vec::new());
/// transport.send(b"login")?;
/// transport.flush()?;
/// assert_eq!(transport.into_inner(), b"login\n");
/// # Ok::<(), fantail_transport::TransportError>(())
/// ```
#[derive(Debug)]
pub struct LogTransport<W> {
    writer: W,
    messages: Messages,
    /// Bytes of several lines in one write.
    at_once: usize,
    /// Lines to be written, and the ends of those of a delivery.
    lines: Vec<u8>,
    ends: Vec<usize>,
    /// The last write ended in the middle of a line.
    torn: bool,
}

impl<W: Write + Send> LogTransport<W> {
    /// Returns a log on `writer` that writes payloads unchanged.
    pub fn new(writer: W) -> Self {
        Self::with_messages(writer, MessageSettings::default())
    }

    /// Returns a log on `writer` with rules for TABs and long lines.
    pub fn with_messages(writer: W, settings: MessageSettings) -> Self {
        Self {
            writer,
            messages: Messages::new(settings),
            at_once: PIPE_WRITE_BYTES,
            lines: Vec::new(),
            ends: Vec::new(),
            torn: false,
        }
    }

    /// Sets the bytes of several lines in one write, by default 4,096. A longer
    /// line is one write of its own.
    #[must_use]
    pub fn at_once(mut self, bytes: usize) -> Self {
        self.at_once = bytes;
        self
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.writer
    }

    /// Writes the lines in the first `bytes` bytes; returns whether all were
    /// written.
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

    /// Writes the first `bytes` bytes of the lines; returns how many were
    /// written, and the error that stopped it.
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
        // One write per line: other processes may write to the same pipe.
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

    /// Joins whole lines into writes that are not interleaved.
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
            // Which lines arrived is unknown.
            delivery = Delivery::new();
            delivery.stopped(error);
        }
        delivery
    }
}
