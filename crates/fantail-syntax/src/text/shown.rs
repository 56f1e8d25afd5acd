//! Bytes as messages show them. What is shown does not read back: for that there
//! are [`Tree::canonical`](crate::Tree::canonical) and
//! [`Tree::exact`](crate::Tree::exact).

use core::fmt::{self, Write};

/// Shows bytes as one line of text: control characters and what is not UTF-8
/// escaped, cut where there are too many.
///
/// ```
/// use fantail_syntax::Shown;
///
/// assert_eq!(Shown::up_to(b"a\tb\xff", 80).to_string(), r"a\tb\xff");
/// assert_eq!(Shown::up_to("ab\u{e9}f".as_bytes(), 3).to_string(), "ab…");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Shown<'b> {
    bytes: &'b [u8],
    most: usize,
}

impl<'b> Shown<'b> {
    /// Shows at most this many bytes, and an ellipsis for the others.
    #[must_use]
    pub const fn up_to(bytes: &'b [u8], most: usize) -> Self {
        Self { bytes, most }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.bytes.get(..self.most).unwrap_or(self.bytes);
        let is_cut = cut.len() < self.bytes.len();
        let mut chunks = cut.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    f.write_char(c)?;
                }
            }
            // The last ones may be a character that the cut went through.
            if is_cut && chunks.peek().is_none() {
                break;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if is_cut {
            f.write_char('…')?;
        }
        Ok(())
    }
}
