//! Escapes within quotes.

use alloc::{borrow::Cow, vec::Vec};

use fantail_event::Dialect;

/// The value of a quoted string, as Dovecot's lexer reads it.
///
/// 2.3 reads `\\` and `\"` as `\` and `"` and keeps any other pair. 2.4 keeps
/// all pairs as they are, so that `\*` can be told from a wildcard later.
/// Both drop a backslash before a line end.
pub(crate) fn value(inner: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    rewrite(inner, |escaped| match (dialect, escaped) {
        (_, b'\n') | (Dialect::V2_3, b'\\' | b'"') => Pair::Unescaped,
        _ => Pair::Kept,
    })
}

/// The key of a quoted string: in 2.4 nothing stays escaped.
pub(crate) fn key(inner: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    match dialect {
        Dialect::V2_3 => value(inner, dialect),
        Dialect::V2_4 => unescape(inner),
    }
}

/// Puts a backslash before `"` and `\`.
pub(crate) fn escape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// Takes the backslash from every pair.
pub(crate) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    rewrite(text, |_| Pair::Unescaped)
}

enum Pair {
    Kept,
    Unescaped,
}

fn rewrite(text: &[u8], decide: impl Fn(u8) -> Pair) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(escaped) => {
                if let Pair::Kept = decide(escaped) {
                    out.push(b'\\');
                }
                out.push(escaped);
            }
            None => out.push(b'\\'),
        }
    }
    Cow::Owned(out)
}
