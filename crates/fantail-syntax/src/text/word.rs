//! Words: values and keys that need no quotes.

use fantail_event::Dialect;

/// Returns whether this text needs no quotes as a value.
pub(crate) fn is_word(text: &[u8], dialect: Dialect) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_word_byte(*byte, dialect))
}

/// Returns whether a word may contain this byte.
pub(crate) fn is_word_byte(byte: u8, dialect: Dialect) -> bool {
    match byte {
        b'/' | b'%' => dialect == Dialect::V2_4,
        b':' | b'.' | b'*' | b'?' | b'_' | b'-' => true,
        other => other.is_ascii_alphanumeric(),
    }
}
