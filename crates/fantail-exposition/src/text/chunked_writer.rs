//! Text on its way out, gathered so that little is written at once.

use std::io;

use super::rows::{Lines, Sheet};

/// So much is written at once, and a line more.
const PIECE: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Pieces<W> {
    /// What was not written yet.
    sheet: Sheet,
    out: W,
}

impl<W: io::Write> Pieces<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            sheet: Sheet::default(),
            out,
        }
    }

    /// What was not written yet; text is added here.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        self.sheet.text()
    }

    /// Adds the lines that `write` makes, which should not take more than
    /// `most` bytes.
    #[inline]
    pub(crate) fn lines(&mut self, most: usize, write: impl Fn(&mut Lines<'_>)) {
        self.sheet.lines(most, write);
    }

    /// Writes what there is, if that is a piece.
    #[inline]
    pub(crate) fn write_full(&mut self) -> io::Result<()> {
        if self.sheet.len() < PIECE {
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
        let written = self.out.write_all(self.sheet.written());
        self.sheet.clear();
        written
    }
}
