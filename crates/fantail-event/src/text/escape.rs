//! Tab-escaping: how bytes travel between TABs.
//!
//! NUL, 0x01, TAB, CR and LF are written as 0x01 and one of `0 1 t r n`.
//! Split a line at its TABs first, and unescape each part after.

use alloc::{borrow::Cow, vec::Vec};

const ESCAPE: u8 = 1;

/// Appends the escaped form of `bytes`.
#[inline]
pub fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escape_special(bytes, &[ESCAPE], out);
    }
}

/// Appends the escaped form of the escaped form of `bytes`.
pub fn escape_twice_into(bytes: &[u8], out: &mut Vec<u8>) {
    escape_special(bytes, &[ESCAPE, b'1'], out);
}

fn escape_special(bytes: &[u8], escape: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&b| code(b).is_some()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(escape);
        out.extend(code(rest[at]));
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Whether no byte is below 14; those that need an escape are. Whole words
/// are looked at, the last bytes for the second time.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Of a word, zero if there is none; a byte that is large has its high bit.
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

/// The escaped form of `bytes`; borrowed where nothing needs it.
#[must_use]
pub fn escape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.iter().all(|&b| code(b).is_none()) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 8);
    escape_into(bytes, &mut out);
    Cow::Owned(out)
}

/// The bytes that an escaped text stands for; borrowed where nothing is
/// escaped.
///
/// As Dovecot reads it: 0x01 before another byte than `0 1 t r n` stands for
/// that byte, and at the end of the text for nothing.
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

/// Appends the bytes that an escaped text stands for.
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
