//! One logical line: physical lines joined at backslashes, without comments.
//!
//! Quotes matter only because they hide a `#`. Dovecot searches each physical
//! line for quotes and comments separately, so a quoted text that continues in
//! the next line does not hide a `#` there.

use std::ops::Range;

use bstr::ByteSlice as _;

use crate::{
    diagnostic::source::{FileId, Span, offset},
    syntax::text::Text,
    syntax::{is_blank, part},
};

/// The kind of a logical line, before its parts are parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Only blanks.
    Blank,
    /// Only a comment.
    Comment,
    /// A statement.
    Statement,
    /// A statement without its continuation: Dovecot ignores it.
    Lost,
}

/// A logical line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    /// The range of the line, with line ends.
    pub(crate) range: Range<usize>,
    /// The joined text without outer blanks and comments.
    pub(crate) text: Text,
    /// A `#` that begins a comment without a blank before it.
    pub(crate) ambiguous_comment: Option<Span>,
}

/// Reads the logical line at `start`, which must be below the text's length.
pub(crate) fn read(file: FileId, source: &[u8], start: usize) -> Line {
    let mut line = Line {
        kind: LineKind::Blank,
        range: start..start,
        text: Text::empty(span(file, start..start)),
        ambiguous_comment: None,
    };
    let mut continued = false;
    let mut content = start..start;
    loop {
        let physical = Physical::read(source, line.range.end);
        let is_comment = source.get(physical.content.start) == Some(&b'#');
        if physical.content.is_empty() || is_comment {
            // A blank line does not belong to the statement that it ends.
            if !continued {
                line.range.end = physical.next;
                line.kind = if is_comment {
                    LineKind::Comment
                } else {
                    LineKind::Blank
                };
                return line;
            }
            line.kind = LineKind::Lost;
            break;
        }
        if content.is_empty() {
            content.start = physical.content.start;
        }
        content.end = physical.content.end;
        line.range.end = physical.next;
        line.ambiguous_comment = line
            .ambiguous_comment
            .or_else(|| physical.ambiguous_comment.map(|at| span(file, at..at + 1)));
        continued = add(&mut line.text, file, source, &physical.content);
        if !continued {
            line.kind = LineKind::Statement;
            break;
        }
        if line.range.end == source.len() {
            line.kind = LineKind::Lost;
            break;
        }
    }
    line.text = line.text.at(span(file, content));
    line
}

/// Adds a physical line; returns whether it continues in the next line.
fn add(text: &mut Text, file: FileId, source: &[u8], content: &Range<usize>) -> bool {
    let bytes = part(source, content.clone());
    let (kept, continued) = match bytes.split_last() {
        Some((b'\\', before)) => (trim_end(before), true),
        _ => (bytes, false),
    };
    text.push_part(kept, file, offset(content.start));
    if continued && !kept.is_empty() {
        text.push(b' ', file, offset(content.end - 1));
    }
    continued
}

/// A line of the file.
struct Physical {
    /// The range without outer blanks and comment.
    content: Range<usize>,
    /// The start of the next line.
    next: usize,
    ambiguous_comment: Option<usize>,
}

impl Physical {
    fn read(source: &[u8], start: usize) -> Self {
        let rest = part(source, start..source.len());
        let newline = rest.find_byte(b'\n');
        let next = newline.map_or(source.len(), |at| start + at + 1);
        let mut line = newline.and_then(|at| rest.get(..at)).unwrap_or(rest);
        if newline.is_some() {
            line = line.strip_suffix(b"\r").unwrap_or(line);
        }
        let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
        let line = part(line, blanks..line.len());
        let start = start + blanks;
        if line.first() == Some(&b'#') {
            let content = start..start + line.len();
            return Self {
                content,
                next,
                ambiguous_comment: None,
            };
        }
        let comment = find_comment(line);
        let code = comment.and_then(|at| line.get(..at)).unwrap_or(line);
        let ambiguous = code.last().is_some_and(|byte| !is_blank(*byte));
        Self {
            content: start..start + trim_end(code).len(),
            next,
            ambiguous_comment: comment.filter(|_| ambiguous).map(|at| start + at),
        }
    }
}

/// Returns the start of the comment after a statement.
fn find_comment(line: &[u8]) -> Option<usize> {
    let first = line.find_byteset(b"#\"'")?;
    let mut quote = None;
    let mut bytes = line.iter().enumerate().skip(first);
    while let Some((at, byte)) = bytes.next() {
        match (quote, *byte) {
            (None, b'#') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(_), b'\\') => _ = bytes.next(),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let blanks = bytes
        .iter()
        .rev()
        .take_while(|byte| is_blank(**byte))
        .count();
    part(bytes, 0..bytes.len() - blanks)
}

fn span(file: FileId, range: Range<usize>) -> Span {
    Span {
        file,
        start: offset(range.start),
        end: offset(range.end),
    }
}
