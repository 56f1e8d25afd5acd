//! `log`: a line for each payload.

use std::io::Write;

use crate::{Transport, TransportError};

/// Writes each payload and a LF to a writer: standard error, a buffer, a pipe.
#[derive(Debug)]
pub struct LogTransport<W> {
    writer: W,
}

impl<W: Write + Send> LogTransport<W> {
    /// A log that ends in `writer`; wrap it in a `BufWriter` if writes cost.
    pub const fn new(writer: W) -> Self {
        Self { writer }
    }

    /// The writer, with what was written so far.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

impl<W: Write + Send> Transport for LogTransport<W> {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.writer
            .write_all(payload)
            .and_then(|()| self.writer.write_all(b"\n"))
            .map_err(TransportError::writing)
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        self.writer.flush().map_err(TransportError::writing)
    }
}
