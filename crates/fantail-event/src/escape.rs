//! Tab-escaping of arguments.
//!
//! NUL, 0x01, TAB, CR and LF are written as 0x01 and one of `0 1 t r n`.
//! Split a line at its TABs first, then unescape each part.

use alloc::{borrow::Cow, vec::Vec};

const ESCAPE: u8 = 1;

/// Appends the escaped form of `bytes`.
#[inline]
pub fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escape_special(bytes, out);
    }
}

fn escape_special(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&b| code(b).is_some()) {
        out.extend_from_slice(&rest[..at]);
        out.push(ESCAPE);
        out.extend(code(rest[at]));
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Returns whether no byte is below 14: all bytes that need an escape are.
/// Whole words are tested; the last word overlaps the previous one.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Zero for a word without such a byte.
    let low = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        word.wrapping_sub(ONES * 14) & !word & (ONES << 7)
    };
    let Some((_, last)) = bytes.split_last_chunk::<8>() else {
        return bytes.iter().all(|byte| *byte >= 14);
    };
    let (words, _) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| low(*word));
    words.fold(low(*last), |all, flags| all | flags) == 0
}

/// Returns the escaped form of `bytes`; borrowed if no byte needs an escape.
#[must_use]
pub fn escape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.iter().all(|&b| code(b).is_none()) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 8);
    escape_into(bytes, &mut out);
    Cow::Owned(out)
}

/// Returns the bytes that an escaped text encodes; borrowed if nothing is escaped.
///
/// As in Dovecot, 0x01 before another byte than `0 1 t r n` encodes that byte, and
/// 0x01 at the end of the text is dropped.
#[must_use]
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = text.iter().position(|&b| b == ESCAPE) else {
        return Cow::Borrowed(text);
    };
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..first]);
    unescape_into(&text[first..], &mut out);
    Cow::Owned(out)
}

/// Appends the bytes that an escaped text encodes.
pub(crate) fn unescape_into(text: &[u8], out: &mut Vec<u8>) {
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != ESCAPE {
            out.push(byte);
            continue;
        }
        out.extend(bytes.next().map(|&escaped| match escaped {
            b'0' => 0,
            b'1' => ESCAPE,
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            other => other,
        }));
    }
}

fn code(byte: u8) -> Option<u8> {
    match byte {
        0 => Some(b'0'),
        ESCAPE => Some(b'1'),
        b'\t' => Some(b't'),
        b'\r' => Some(b'r'),
        b'\n' => Some(b'n'),
        _ => None,
    }
}
