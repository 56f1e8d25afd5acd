//! The files a configuration was read from, and places in them.
//!
//! Holds texts and turns byte offsets into lines and columns. Reads nothing
//! itself.
//!
//! Invariant: a [`Span`] handed out by this crate lies within the text of its
//! file, and `start <= end`.

use std::{ops::Range, sync::Arc};

/// Which of the files of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    /// The main file.
    pub const MAIN: Self = Self(0);
}

/// A range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The offset of the first byte.
    pub start: u32,
    /// The offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The offsets, to index the text with.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The empty span where it begins.
    #[must_use]
    pub(crate) fn to_start(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }

    /// The smallest span that covers both; `self` if they lie in different files.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// A line and a column, both counted from 1, the column in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The byte within the line.
    pub column: usize,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands in the configuration.
    pub span: Span,
}

/// All files of a configuration, the main file first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<File>,
}

#[derive(Debug, Clone)]
struct File {
    name: Vec<u8>,
    text: Arc<[u8]>,
    line_starts: Vec<u32>,
    included: Option<Span>,
}

impl Sources {
    /// Adds a file. `None` if its offsets do not fit in 32 bits.
    pub(crate) fn add(
        &mut self,
        name: Vec<u8>,
        text: Arc<[u8]>,
        included: Option<Span>,
    ) -> Option<FileId> {
        let id = FileId(u32::try_from(self.files.len()).ok()?);
        u32::try_from(text.len()).ok()?;
        let mut line_starts = vec![0];
        line_starts.extend(
            (1_u32..)
                .zip(text.iter())
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(next, _)| next),
        );
        self.files.push(File {
            name,
            text,
            line_starts,
            included,
        });
        Some(id)
    }

    /// How many files were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no file was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files in the order they were read.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0_u32..).take(self.files.len()).map(FileId)
    }

    /// The name of a file as it was opened; empty if it is not one of ours.
    #[must_use]
    pub fn name(&self, file: FileId) -> &[u8] {
        self.file(file).map_or(&[], |file| &file.name)
    }

    /// The text of a file; empty if it is not one of ours.
    #[must_use]
    pub fn text(&self, file: FileId) -> &[u8] {
        self.file(file).map_or(&[], |file| &file.text)
    }

    /// Where a file was included; `None` for the main file.
    #[must_use]
    pub fn included(&self, file: FileId) -> Option<Span> {
        self.file(file)?.included
    }

    /// The bytes of a span; empty if it is not one of ours.
    #[must_use]
    pub fn slice(&self, span: Span) -> &[u8] {
        self.text(span.file).get(span.range()).unwrap_or_default()
    }

    /// Where the first byte of a span stands.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        let Some(file) = self.file(span.file) else {
            return Position { line: 1, column: 1 };
        };
        let line = file
            .line_starts
            .partition_point(|start| *start <= span.start);
        let start = line
            .checked_sub(1)
            .and_then(|index| file.line_starts.get(index))
            .copied()
            .unwrap_or(0);
        Position {
            line,
            column: span.start.saturating_sub(start) as usize + 1,
        }
    }

    fn file(&self, file: FileId) -> Option<&File> {
        self.files.get(file.0 as usize)
    }
}

/// Returns an offset as spans keep it: texts of 4 GiB and more are refused.
pub(crate) fn offset(at: usize) -> u32 {
    let offset = u32::try_from(at);
    debug_assert!(offset.is_ok(), "offset {at}");
    offset.unwrap_or(u32::MAX)
}
