//! The files of a configuration, and positions in them.
//!
//! The module stores texts and converts byte offsets to lines and columns. It
//! reads no files.
//!
//! Invariant: a [`Span`] of this crate is within the text of its file, and
//! `start <= end`.

use std::{ops::Range, sync::Arc};

/// A file of a [`Sources`].
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
    /// The offset after the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the range of the span in its file's text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the empty span at the start.
    #[must_use]
    pub(crate) fn to_start(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }

    /// Returns the smallest span that covers both; `self` if they are in
    /// different files.
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

/// A line and a column, counted from 1; the column is in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1.
    pub column: usize,
}

/// A value with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The position in the configuration.
    pub span: Span,
}

/// The files of a configuration, the main file first.
///
/// ```
/// use fantail_config::{LoadOptions, Position, Sources, load_text};
///
/// let loaded = load_text("a.conf", "metric a {\n  filter = event=a\n  nonsense = 1\n}\n", &LoadOptions::default());
/// let sources: &Sources = &loaded.sources;
/// let diagnostic = loaded.diagnostics.iter().next().unwrap();
/// let span = diagnostic.primary.as_ref().unwrap().span;
/// assert_eq!(sources.slice(span), b"nonsense");
/// let Position { line, column } = sources.position(span);
/// assert_eq!((line, column), (3, 3));
/// ```
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
    /// Adds a file; returns `None` if its offsets do not fit in 32 bits.
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

    /// Returns the number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the files in the order of reading.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0_u32..).take(self.files.len()).map(FileId)
    }

    /// Returns the name with which a file was opened; empty for an unknown
    /// file.
    #[must_use]
    pub fn name(&self, file: FileId) -> &[u8] {
        self.file(file).map_or(&[], |file| &file.name)
    }

    /// Returns the text of a file; empty for an unknown file.
    #[must_use]
    pub fn text(&self, file: FileId) -> &[u8] {
        self.file(file).map_or(&[], |file| &file.text)
    }

    /// Returns the position of a file's include; `None` for the main file.
    #[must_use]
    pub fn included(&self, file: FileId) -> Option<Span> {
        self.file(file)?.included
    }

    /// Returns the bytes of a span; empty for an unknown file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &[u8] {
        self.text(span.file).get(span.range()).unwrap_or_default()
    }

    /// Returns the position of a span's first byte.
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

/// Converts an offset to the form of spans: texts of 4 GiB and more are
/// refused.
pub(crate) fn offset(at: usize) -> u32 {
    let offset = u32::try_from(at);
    debug_assert!(offset.is_ok(), "offset {at}");
    offset.unwrap_or(u32::MAX)
}
