//! The text of a configuration without the meaning of settings: lines,
//! statements, a file as a tree, and all files as one list of settings.

pub(crate) mod limits;
pub(crate) mod line;
pub(crate) mod raw;
pub(crate) mod statement;
pub(crate) mod text;
pub(crate) mod tree;
pub(crate) mod variable;

use std::ops::Range;

/// Returns a part of a text, at a range that was found in it.
pub(crate) fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    let part = text.get(range.clone());
    debug_assert!(part.is_some(), "{range:?} of {} bytes", text.len());
    part.unwrap_or_default()
}

/// Returns whether Dovecot treats a byte as a blank within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
