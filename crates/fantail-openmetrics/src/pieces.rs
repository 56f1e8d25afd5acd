//! Text on its way out, gathered so that little is written at once.

use std::io;

/// So much is written at once, and a line more.
const PIECE: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Pieces<W> {
    /// What was not written yet; lines are added here.
    pub(crate) text: Vec<u8>,
    out: W,
}

impl<W: io::Write> Pieces<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self {
            text: Vec::new(),
            out,
        }
    }

    /// Writes what there is, if that is a piece.
    #[inline]
    pub(crate) fn write_full(&mut self) -> io::Result<()> {
        if self.text.len() < PIECE {
            return Ok(());
        }
        self.write()
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.write()?;
        Ok(self.out)
    }

    fn write(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.text);
        self.text.clear();
        written
    }
}
