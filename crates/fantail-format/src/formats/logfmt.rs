//! `logfmt`: `key=value` pairs separated by spaces, as Loki, Grafana and many
//! programs written in Go read them.
//!
//! Fields are written beside the event's own properties (see [`flat_key`]). Values
//! with special characters are quoted; control characters and quotes in them are
//! escaped as in JSON. Special characters in keys are percent-encoded. No text of a
//! client can therefore add a pair or a line. Lists are joined by commas; a comma
//! or backslash in an element is preceded by a backslash.

use std::io::Write;

use fantail_event::{Elements, ValueRef, internal::Invariant as _};

use crate::{
    export::{Export, FormatRow, Style},
    text::flat_key,
    text::json_text::{Escapes, kept_bytes, write_between, write_escaped},
    text::plain,
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: FormatRow = FormatRow::new("logfmt", "text/plain", write);

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let start = out.len();
    if let Some(id) = export.id {
        out.extend_from_slice(b"event_id=");
        write_text(id, out);
    }
    if let Some(name) = export.name {
        out.extend_from_slice(b"event=");
        write_text(name, out);
    }
    if let Some(hostname) = export.hostname {
        out.extend_from_slice(b"hostname=");
        write_text(hostname, out);
    }
    if let Some([start, end]) = export.times {
        out.extend_from_slice(b"start_time=");
        time_text::write(start, style.time_style, out);
        out.extend_from_slice(b" end_time=");
        time_text::write(end, style.time_style, out);
        out.push(b' ');
    }
    if let Some(categories) = export.categories {
        out.extend_from_slice(b"categories=");
        write_list(categories, style, out);
        out.push(b' ');
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            out.extend_from_slice(flat_key::prefix(key));
            write_key(key, out);
            write_value(value, style, out);
        });
    }
    // Each pair ends with a space.
    if out.len() > start {
        out.pop();
    }
}

/// Appends a key and the equals sign.
#[inline]
fn write_key(key: &[u8], out: &mut Vec<u8>) {
    if plain::push(b"", key, b"=", plain::bare_key, out) {
        return;
    }
    for &byte in key {
        if byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'%') {
            out.push(byte);
        } else {
            // Writing into a vector cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out.push(b'=');
}

/// Appends a value and a space.
#[inline]
fn write_value(value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        ValueRef::Str(text) => {
            let (kept, mark) = cut(text, style);
            if mark.is_empty() {
                return write_text(kept, out);
            }
            write_quoted_if(!is_bare(kept), out, |out| {
                write_escaped(kept, Escapes::Controls, out);
                out.extend_from_slice(mark);
            });
        }
        ValueRef::Time(time) => time_text::write(time, style.time_style, out),
        ValueRef::List(list) => write_list(list, style, out),
        scalar => write_scalar(scalar, out),
    }
    out.push(b' ');
}

/// The part of a string that is written, and the mark of a cut.
fn cut(text: &[u8], style: Style) -> (&[u8], &'static [u8]) {
    match kept_bytes(text, &style) {
        None => (text, b""),
        Some(kept) => (text.get(..kept).always(), b"..."),
    }
}

fn write_list(list: Elements<'_>, style: Style, out: &mut Vec<u8>) {
    let mut count = 0;
    let mut is_empty = true;
    let mut bare = true;
    list.for_each(|element| {
        let (kept, _) = cut(element, style);
        is_empty &= count == 0 && kept.is_empty();
        count += 1;
        // A comma needs a backslash, which is not bare.
        bare &= is_bare(kept) && !kept.contains(&b',');
    });
    write_quoted_if(is_empty || !bare, out, |out| {
        let mut is_first = true;
        list.for_each(|element| {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            let (kept, mark) = cut(element, style);
            for part in kept.split_inclusive(|byte| matches!(byte, b',' | b'\\')) {
                write_element(part, out);
            }
            out.extend_from_slice(mark);
        });
    });
}

/// Appends a part of an element: a comma or backslash may only be its last byte,
/// which is preceded by a backslash.
fn write_element(part: &[u8], out: &mut Vec<u8>) {
    match part.split_last() {
        Some((special @ (b',' | b'\\'), before)) => {
            write_escaped(before, Escapes::Controls, out);
            write_escaped(&[b'\\', *special], Escapes::Controls, out);
        }
        _ => write_escaped(part, Escapes::Controls, out),
    }
}

/// Appends a text, in quotes if it needs them, and a space.
#[inline]
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() || !plain::push(b"", text, b" ", plain::bare, out) {
        write_between(b"\"", text, b"\" ", Escapes::Controls, out);
    }
}

fn is_bare(text: &[u8]) -> bool {
    plain::is_plain(text, plain::bare)
}

fn write_quoted_if(quoted: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if quoted {
        out.push(b'"');
    }
    write(out);
    if quoted {
        out.push(b'"');
    }
}
