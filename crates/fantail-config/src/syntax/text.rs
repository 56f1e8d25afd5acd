//! Bytes with their positions in files.
//!
//! A value may be joined from several lines, lose its quotes and backslashes,
//! or contain the value of an earlier setting. A [`Text`] stores the position
//! of each byte, so that an error in a value points into the file. It does not
//! know the meaning of the bytes.
//!
//! Invariants: runs are in ascending order of `at`, the first is at 0, and
//! bytes and source offsets advance together within a run. Most texts have one run, which
//! needs no allocation.

use std::ops::Range;

use crate::{
    diagnostic::source::{FileId, Sources, Span, offset},
    syntax::is_blank,
};

/// A part of a configuration, after joining lines and removing quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    bytes: Vec<u8>,
    /// The position of an empty text is that of its span.
    first: Run,
    others: Vec<Run>,
    span: Span,
}

/// A run: from `at` on, the bytes are those of `file` from `source` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    at: u32,
    file: FileId,
    source: u32,
}

impl Run {
    const fn of_empty(span: Span) -> Self {
        Self {
            at: 0,
            file: span.file,
            source: span.start,
        }
    }

    fn offset(self, index: u32) -> u32 {
        self.source.saturating_add(index - self.at)
    }
}

impl Text {
    /// Returns an empty text with the position `span`.
    pub(crate) fn empty(span: Span) -> Self {
        Self {
            bytes: Vec::new(),
            first: Run::of_empty(span),
            others: Vec::new(),
            span,
        }
    }

    /// Adds a byte with its position.
    pub(crate) fn push(&mut self, byte: u8, file: FileId, source: u32) {
        let Ok(at) = u32::try_from(self.bytes.len()) else {
            return;
        };
        self.push_run(Run { at, file, source });
        self.bytes.push(byte);
    }

    /// Adds bytes that follow each other in a file, with the position of the first.
    pub(crate) fn push_part(&mut self, bytes: &[u8], file: FileId, source: u32) {
        if !bytes.is_empty() {
            let at = offset(self.bytes.len());
            self.push_run(Run { at, file, source });
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Adds the bytes of another text with their positions.
    pub(crate) fn append(&mut self, other: &Self) {
        self.append_part(other, 0..other.bytes.len());
    }

    /// Returns a range of the bytes, with their positions.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        let mut slice = Self::empty(self.locate(range.clone()));
        slice.append_part(self, range);
        slice
    }

    /// Adds a range of the bytes of another text, run by run.
    fn append_part(&mut self, other: &Self, range: Range<usize>) {
        let range = range.start..range.end.min(other.bytes.len());
        let bytes = other.bytes.get(range.clone()).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        let (start, end) = (offset(range.start), offset(range.end));
        let added = offset(self.bytes.len());
        for run in other.runs_from(start).take_while(|run| run.at < end) {
            let from = run.at.max(start);
            self.push_run(Run {
                at: added + (from - start),
                file: run.file,
                source: run.offset(from),
            });
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the run of the byte at an index, and those after it.
    fn runs_from(&self, index: u32) -> impl Iterator<Item = Run> {
        let behind = self.others.partition_point(|run| run.at <= index);
        let first = (behind == 0).then_some(self.first);
        let others = self.others.iter().skip(behind.saturating_sub(1));
        first.into_iter().chain(others.copied())
    }

    /// Adds a run, unless the last one goes on with it.
    fn push_run(&mut self, run: Run) {
        if run.at == 0 {
            self.first = run;
            return;
        }
        let last = self.others.last().unwrap_or(&self.first);
        if last.file != run.file || last.offset(run.at) != run.source {
            self.others.push(run);
        }
    }

    /// Returns the same bytes with the position `span`.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = span;
        if self.bytes.is_empty() {
            self.first = Run::of_empty(span);
        }
        self
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the text with other bytes in some ranges, which are in order and do not
    /// overlap. New bytes have the position of the replaced ones.
    #[must_use]
    pub fn with_replaced(&self, edits: &[(Range<usize>, Vec<u8>)]) -> Self {
        let mut text = Self::empty(self.span);
        let mut done = 0;
        for (range, bytes) in edits {
            text.append(&self.slice(done..range.start));
            let place = self.locate(range.clone());
            for byte in bytes {
                text.push(*byte, place.file, place.start);
            }
            done = range.end;
        }
        text.append(&self.slice(done..self.bytes.len()));
        text
    }

    /// Returns the parts that were separate lines of a file, each with the blanks at
    /// the start of the line.
    pub(crate) fn lines<'s>(&self, sources: &'s Sources) -> Vec<(&'s [u8], Range<usize>)> {
        let mut lines: Vec<(&[u8], Range<usize>)> = Vec::new();
        let (mut start, mut blanks) = (0, &[][..]);
        for (at, byte) in self.bytes.iter().enumerate() {
            let (file, place) = self.place(at);
            let behind = sources.text(file).get(place as usize..);
            // A blank replaces the backslash between joined lines.
            let joined = (*byte == b' ')
                .then(|| behind.and_then(|behind| behind.strip_prefix(b"\\")))
                .flatten()
                .and_then(|behind| {
                    let behind = behind.strip_prefix(b"\r").unwrap_or(behind);
                    behind.strip_prefix(b"\n")
                });
            if let Some(next) = joined {
                lines.push((blanks, start..at));
                let count = next.iter().take_while(|byte| is_blank(**byte)).count();
                (start, blanks) = (at + 1, next.get(..count).unwrap_or_default());
            }
        }
        lines.push((blanks, start..self.bytes.len()));
        lines
    }

    /// Returns the position of the whole text, with its quotes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns the position of a range of the bytes. An empty range, or one at
    /// or after the end, has an empty span; a range from several files has the
    /// position of its first byte.
    #[must_use]
    pub fn locate(&self, range: Range<usize>) -> Span {
        if range.start >= self.bytes.len() {
            return self.end();
        }
        let (file, start) = self.place(range.start);
        let first = Span {
            file,
            start,
            end: start.saturating_add(u32::from(range.start < range.end)),
        };
        let last = range.end.min(self.bytes.len()).saturating_sub(1);
        if last <= range.start {
            return first;
        }
        let (file, start) = self.place(last);
        first.to(Span {
            file,
            start,
            end: start.saturating_add(1),
        })
    }

    /// Returns the position after the last byte.
    fn end(&self) -> Span {
        let Some(last) = self.bytes.len().checked_sub(1) else {
            return Span {
                start: self.span.end,
                ..self.span
            };
        };
        let (file, offset) = self.place(last);
        let behind = offset.saturating_add(1);
        Span {
            file,
            start: behind,
            end: behind,
        }
    }

    fn place(&self, index: usize) -> (FileId, u32) {
        let index = offset(index);
        let run = self.runs_from(index).next().unwrap_or(self.first);
        (run.file, run.offset(index))
    }
}
