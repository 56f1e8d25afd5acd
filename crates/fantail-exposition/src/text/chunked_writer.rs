//! A writer that collects text and writes it in chunks.

use std::io;

use super::rows::{RowBuffer, RowWriter};

/// The size of a chunk in bytes; a row may exceed it.
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct ChunkedWriter<W> {
    /// Text that is not written yet.
    buffer: RowBuffer,
    out: W,
}

impl<W: io::Write> ChunkedWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            buffer: RowBuffer::default(),
            out,
        }
    }

    /// Returns the text that is not written yet, to append to it.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        self.buffer.text()
    }

    /// Appends the lines that `write` makes, with at most `max_bytes` bytes.
    #[inline]
    pub(crate) fn rows(&mut self, max_bytes: usize, write: impl Fn(&mut RowWriter<'_>)) {
        self.buffer.rows(max_bytes, write);
    }

    /// Writes the text if it fills a chunk.
    #[inline]
    pub(crate) fn write_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < CHUNK_BYTES {
            return Ok(());
        }
        self.write()
    }

    /// Writes the remaining text.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.write()?;
        Ok(self.out)
    }

    fn write(&mut self) -> io::Result<()> {
        let written = self.out.write_all(self.buffer.written());
        self.buffer.clear();
        written
    }
}
