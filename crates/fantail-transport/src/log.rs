//! `log`: a line for each payload.

use std::io::Write;

use crate::{MessageSettings, Shortened, Transport, TransportError, message::Messages};

/// Writes each payload and a LF to a writer: standard error, a buffer, a pipe.
#[derive(Debug)]
pub struct LogTransport<W> {
    writer: W,
    messages: Messages,
    line: Vec<u8>,
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
            line: Vec::new(),
        }
    }

    /// The writer, with what was written so far.
    pub fn into_inner(self) -> W {
        self.writer
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
}
