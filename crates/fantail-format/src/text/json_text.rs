//! Strings and field values of the two JSON formats.
//!
//! The output is valid UTF-8: each byte that is not part of a character is
//! replaced by U+FFFD.

use std::io::Write;

use fantail_event::{Dialect, Elements, IpRef, ValueRef, internal::Invariant as _};

use crate::{
    export::{Export, MAX_LOGGED_BYTES, Style},
    text::decimal::as_short,
    text::plain,
    text::scalar::write_scalar,
    text::time_text,
};

/// Which characters are escaped besides those that JSON requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// U+2028 and U+2029, as Dovecot does; the dialect decides the case of
    /// hexadecimal digits.
    Dovecot(Dialect),
    /// Also DEL and the control characters up to U+009F, which could end a line or
    /// control a terminal.
    Controls,
}

/// Appends the members for all parts of an event except its fields, each after a
/// comma.
#[inline(always)]
pub(crate) fn write_members(
    export: &Export<'_>,
    style: &Style,
    escapes: Escapes,
    out: &mut Vec<u8>,
) {
    if let Some(id) = export.id {
        write_between(b",\"event_id\":\"", id, b"\"", escapes, out);
    }
    if let Some(name) = export.name {
        write_between(b",\"event\":\"", name, b"\"", escapes, out);
    }
    if let Some(hostname) = export.hostname {
        write_between(b",\"hostname\":\"", hostname, b"\"", escapes, out);
    }
    if let Some([start, end]) = export.times {
        out.extend_from_slice(b",\"start_time\":");
        time_text::write_json(start, style.time_style, out);
        out.extend_from_slice(b",\"end_time\":");
        time_text::write_json(end, style.time_style, out);
    }
    if let Some(categories) = export.categories {
        out.extend_from_slice(b",\"categories\":");
        write_array(categories, out, |category, out| {
            write_between(b",\"", category, b"\"", escapes, out);
        });
    }
}

/// Appends a field: a delimiter, the key and the value.
#[inline(always)]
pub(crate) fn write_field<const B: usize>(
    before: &[u8; B],
    (key, value): (&[u8], ValueRef<'_>),
    style: &Style,
    escapes: Escapes,
    out: &mut Vec<u8>,
) {
    let done = match value {
        // A short string is never cut.
        ValueRef::Str(text) => {
            let around = (before, b"\":\"", b"\"");
            plain::push_pair(around, (key, text), plain::json, out)
        }
        ValueRef::Int(number) => as_short(number).is_some_and(|(digits, length)| {
            let around = (before, b"\":", b"");
            plain::push_number(around, key, (&digits, length), plain::json, out)
        }),
        _ => false,
    };
    if done {
        return;
    }
    write_between(before, key, b"\":", escapes, out);
    match value {
        ValueRef::Str(text) => write_cut_string(text, style, escapes, out),
        ValueRef::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Float(number) if !number.is_finite() => {
            write_string(format!("{number:?}").as_bytes(), escapes, out);
        }
        ValueRef::Int(_) | ValueRef::Unsigned(_) | ValueRef::Float(_) => write_scalar(value, out),
        ValueRef::Time(time) => time_text::write_json(time, style.time_style, out),
        ValueRef::Ip(ip) => write_ip(ip, out),
        ValueRef::List(list) => write_list(list, style, escapes, out),
    }
}

#[inline(never)]
fn write_ip(ip: IpRef<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    ip.write_into(out);
    out.push(b'"');
}

#[inline(never)]
fn write_list(list: Elements<'_>, style: &Style, escapes: Escapes, out: &mut Vec<u8>) {
    write_array(list, out, |element, out| {
        out.push(b',');
        write_cut_string(element, style, escapes, out);
    });
}

/// Appends an array; `write` writes each item with a comma before it.
#[inline]
fn write_array(items: Elements<'_>, out: &mut Vec<u8>, write: impl Fn(&[u8], &mut Vec<u8>)) {
    let start = out.len();
    items.for_each(|item| write(item, out));
    open(b'[', start, out);
    out.push(b']');
}

/// Replaces the comma of the first member by the opening bracket; appends the
/// bracket if there is no member.
#[inline]
pub(crate) fn open(with: u8, start: usize, out: &mut Vec<u8>) {
    match out.get_mut(start) {
        Some(comma) => *comma = with,
        None => out.push(with),
    }
}

#[inline(never)]
fn write_cut_string(text: &[u8], style: &Style, escapes: Escapes, out: &mut Vec<u8>) {
    match kept_bytes(text, style) {
        Some(kept) => {
            out.push(b'"');
            write_escaped(text.get(..kept).always(), escapes, out);
            out.extend_from_slice(b"...\"");
        }
        None => write_string(text, escapes, out),
    }
}

/// The number of bytes that remain of a string that is cut; `None` if it is not.
///
/// 2.3 cuts strings of more than 1000 bytes after 1000 bytes. 2.4 marks a string of
/// 1000 bytes as cut, too; of a longer one it also removes the last character if the
/// byte after the limit is not ASCII, whether or not the character is complete.
pub(crate) fn kept_bytes(text: &[u8], style: &Style) -> Option<usize> {
    let before = text.get(..MAX_LOGGED_BYTES)?;
    let next = text.get(MAX_LOGGED_BYTES);
    let is_cut = next.is_some() || style.dialect == Dialect::V2_4;
    if !style.cut_long_strings || !is_cut {
        return None;
    }
    if style.dialect == Dialect::V2_3 || next.is_none_or(u8::is_ascii) {
        return Some(MAX_LOGGED_BYTES);
    }
    let is_continuation = |byte: &&u8| **byte & 0xc0 == 0x80;
    let continuations = before.iter().rev().take_while(is_continuation).count();
    let kept = MAX_LOGGED_BYTES - continuations;
    Some(match before.iter().nth_back(continuations) {
        Some(first) if first & 0xc0 == 0xc0 => kept - 1,
        _ => kept,
    })
}

/// Appends a string.
#[inline]
pub(crate) fn write_string(text: &[u8], escapes: Escapes, out: &mut Vec<u8>) {
    write_between(b"\"", text, b"\"", escapes, out);
}

/// Appends a string's contents.
#[inline]
pub(crate) fn write_escaped(text: &[u8], escapes: Escapes, out: &mut Vec<u8>) {
    write_between(b"", text, b"", escapes, out);
}

/// Appends a string's contents between two delimiters.
#[inline(always)]
pub(crate) fn write_between<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    escapes: Escapes,
    out: &mut Vec<u8>,
) {
    if !plain::push(before, text, after, plain::json, out) {
        out.extend_from_slice(before);
        write_special(text, escapes, out);
        out.extend_from_slice(after);
    }
}

#[inline(never)]
fn write_special(text: &[u8], escapes: Escapes, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_prefix(rest));
        out.extend_from_slice(plain);
        let Some((&first, behind)) = special.split_first() else {
            return;
        };
        if first.is_ascii() {
            write_character(char::from(first), escapes, out);
            rest = behind;
        } else {
            let end = special.iter().position(u8::is_ascii);
            let (foreign, behind) = special.split_at(end.unwrap_or(special.len()));
            write_foreign(foreign, escapes, out);
            rest = behind;
        }
    }
}

/// The number of leading ASCII characters that are not escaped.
fn plain_prefix(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let flags = special_flags(*word);
        if flags != 0 {
            return at * 8 + flags.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
    let plain = tail.iter().position(special).unwrap_or(tail.len());
    words.len() * 8 + plain
}

/// The highest bit of each special byte. The lowest bit that is set is exact;
/// subtraction may carry into those above it.
const fn special_flags(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(word);
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let delete = (word ^ (ONES * 0x7f)).wrapping_sub(ONES);
    (word | control | quote | backslash | delete) & HIGH
}

/// Appends bytes that are all not ASCII.
fn write_foreign(text: &[u8], escapes: Escapes, out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid();
        let mut plain_from = 0;
        for (at, character) in valid.char_indices() {
            if is_escaped(character, escapes) {
                out.extend_from_slice(valid.get(plain_from..at).always().as_bytes());
                plain_from = at + character.len_utf8();
                write_escape(character, escapes, out);
            }
        }
        out.extend_from_slice(valid.get(plain_from..).always().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Appends an ASCII character.
fn write_character(character: char, escapes: Escapes, out: &mut Vec<u8>) {
    if is_escaped(character, escapes) {
        write_escape(character, escapes, out);
    } else {
        out.extend(u8::try_from(character));
    }
}

fn is_escaped(character: char, escapes: Escapes) -> bool {
    match character {
        '\0'..='\x1f' | '"' | '\\' | '\u{2028}' | '\u{2029}' => true,
        '\x7f'..='\u{9f}' => escapes == Escapes::Controls,
        _ => false,
    }
}

fn write_escape(character: char, escapes: Escapes, out: &mut Vec<u8>) {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => return write_code(u32::from(character), escapes, out),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_code(code: u32, escapes: Escapes, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = match escapes {
        Escapes::Dovecot(Dialect::V2_4) => write!(out, "\\u{code:04X}"),
        Escapes::Dovecot(Dialect::V2_3) | Escapes::Controls => write!(out, "\\u{code:04x}"),
    };
}
