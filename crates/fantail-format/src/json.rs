//! `json`: one object, its keys in Dovecot's order.

use std::io::Write;

use fantail_event::{Dialect, Timestamp, Value};

use crate::{
    formatter::{Export, Style},
    time_text,
};

/// Appends an event as an object.
pub(crate) fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut members = Members { out, first: true };
    if let Some(name) = export.name {
        write_string(name, style.dialect, members.next("event"));
    }
    if let Some(hostname) = export.hostname {
        write_string(hostname, style.dialect, members.next("hostname"));
    }
    if let Some([start, end]) = export.times {
        write_time(start, style, members.next("start_time"));
        write_time(end, style, members.next("end_time"));
    }
    if let Some(categories) = export.categories {
        let out = members.next("categories");
        write_array(categories, out, |category, out| {
            write_string(category, style.dialect, out);
        });
    }
    if let Some(fields) = &export.fields {
        let out = members.next("fields");
        for (at, (key, value)) in fields.iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            write_string(key, style.dialect, out);
            out.push(b':');
            write_value(value, style, out);
        }
        out.extend_from_slice(if fields.is_empty() { b"{}" } else { b"}" });
    }
    out.push(b'}');
}

struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn next(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        // Writing into a vector cannot fail.
        let _ = write!(self.out, "\"{key}\":");
        self.out
    }
}

fn write_array<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn write_value(value: &Value<'_>, style: Style, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    match value {
        Value::Str(text) => write_cut_string(text, style, out),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Time(time) => write_time(*time, style, out),
        Value::Ip(ip) => _ = write!(out, "\"{ip}\""),
        Value::List(list) => {
            write_array(list, out, |element, out| {
                write_cut_string(element, style, out);
            });
        }
    }
}

fn write_time(at: Timestamp, style: Style, out: &mut Vec<u8>) {
    let quoted = time_text::is_date(at, style.time_style);
    if quoted {
        out.push(b'"');
    }
    time_text::write(at, style.time_style, out);
    if quoted {
        out.push(b'"');
    }
}

fn write_cut_string(text: &[u8], style: Style, out: &mut Vec<u8>) {
    match style.cut {
        Some(limit) if text.len() > limit => {
            out.push(b'"');
            write_escaped(
                &text[..cut_at(text, limit, style.dialect)],
                style.dialect,
                out,
            );
            out.extend_from_slice(b"...\"");
        }
        _ => write_string(text, style.dialect, out),
    }
}

/// Where a string longer than `limit` is cut. 2.3 cuts at the limit; 2.4
/// takes away a character there that may be unfinished, and, if the next byte
/// belongs to no ASCII character, the last one in any case.
fn cut_at(text: &[u8], limit: usize, dialect: Dialect) -> usize {
    if dialect == Dialect::V2_3 || text[limit].is_ascii() {
        return limit;
    }
    let continuations = text[..limit]
        .iter()
        .rev()
        .take_while(|&&b| b & 0xc0 == 0x80)
        .count();
    let at = limit - continuations;
    if at > 0 && text[at - 1] & 0xc0 == 0xc0 {
        at - 1
    } else {
        at
    }
}

fn write_string(text: &[u8], dialect: Dialect, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, dialect, out);
    out.push(b'"');
}

/// Appends a string's contents: each byte that is no part of valid UTF-8 as
/// U+FFFD, control characters escaped, and the two line separators that
/// JavaScript once could not bear.
fn write_escaped(text: &[u8], dialect: Dialect, out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        write_valid(chunk.valid(), dialect, out);
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn write_valid(text: &str, dialect: Dialect, out: &mut Vec<u8>) {
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        if !matches!(
            character,
            '\0'..='\x1f' | '"' | '\\' | '\u{2028}' | '\u{2029}'
        ) {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain_from..at]);
        plain_from = at + character.len_utf8();
        write_escape(character, dialect, out);
    }
    out.extend_from_slice(&text.as_bytes()[plain_from..]);
}

fn write_escape(character: char, dialect: Dialect, out: &mut Vec<u8>) {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            let code = u32::from(character);
            // Writing into a vector cannot fail.
            let _ = match dialect {
                Dialect::V2_3 => write!(out, "\\u{code:04x}"),
                Dialect::V2_4 => write!(out, "\\u{code:04X}"),
            };
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
