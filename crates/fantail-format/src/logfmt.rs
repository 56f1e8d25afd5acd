//! `logfmt`: `key=value` pairs with spaces between, as Loki, Grafana and
//! many programs written in Go read them.
//!
//! Fields stand beside the event's own properties (see [`flat_key`]). A value
//! with anything but plain characters stands in quotes, control characters
//! and quotes in it escaped as in JSON; a key is percent-encoded where it
//! could be taken for something else. So nothing that a client sends makes a
//! pair, or a line, of its own. Lists are joined by commas; a comma or
//! backslash of an element has a backslash before it.

use std::io::Write;

use fantail_event::{Elements, FlatValue};

use crate::{
    decimal::write_int,
    flat_key,
    format::Row,
    formatter::{Export, Style},
    json_text::{Escapes, cut_at, write_escaped, write_string},
    time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "logfmt",
    content_type: "text/plain",
    has_times: true,
    write,
};

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let mut pairs = Pairs { out, first: true };
    if let Some(id) = export.id {
        write_text(id, pairs.next(b"event_id="));
    }
    if let Some(name) = export.name {
        write_text(name, pairs.next(b"event="));
    }
    if let Some(hostname) = export.hostname {
        write_text(hostname, pairs.next(b"hostname="));
    }
    if let Some([start, end]) = export.times {
        time_text::write(start, style.time_style, pairs.next(b"start_time="));
        time_text::write(end, style.time_style, pairs.next(b"end_time="));
    }
    if let Some(categories) = export.categories {
        write_list(categories, style, pairs.next(b"categories="));
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            let out = pairs.next(flat_key::prefix(key));
            write_key(key, out);
            out.push(b'=');
            write_value(value, style, out);
        });
    }
}

struct Pairs<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Pairs<'_> {
    fn next(&mut self, start: &[u8]) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
        self.out.extend_from_slice(start);
        self.out
    }
}

fn write_key(key: &[u8], out: &mut Vec<u8>) {
    for &byte in key {
        if byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'%') {
            out.push(byte);
        } else {
            // Writing into a vector cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn write_value(value: FlatValue<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        FlatValue::Str(text) => {
            let (kept, mark) = cut(text, style);
            if mark.is_empty() {
                write_text(kept, out);
            } else {
                write_quoted_if(!is_bare(kept), out, |out| {
                    write_escaped(kept, Escapes::Controls, out);
                    out.extend_from_slice(mark);
                });
            }
        }
        FlatValue::Int(number) => write_int(number, out),
        FlatValue::Time(time) => time_text::write(time, style.time_style, out),
        FlatValue::Ip(ip) => ip.write_into(out),
        FlatValue::List(list) => write_list(list, style, out),
    }
}

/// What is left of a string where long ones are cut, and the mark of the cut.
fn cut(text: &[u8], style: Style) -> (&[u8], &'static [u8]) {
    match style.cut.filter(|limit| text.len() > *limit) {
        None => (text, b""),
        Some(limit) => {
            let kept = cut_at(text, limit, style.dialect);
            (text.get(..kept).unwrap_or_default(), b"...")
        }
    }
}

fn write_list(list: Elements<'_>, style: Style, out: &mut Vec<u8>) {
    let mut is_empty = true;
    let mut bare = true;
    for (at, element) in list.iter().enumerate() {
        let (kept, _) = cut(element, style);
        is_empty &= at == 0 && kept.is_empty();
        // A comma needs a backslash, which is not bare.
        bare &= is_bare(kept) && !kept.contains(&b',');
    }
    write_quoted_if(is_empty || !bare, out, |out| {
        for (at, element) in list.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let (kept, mark) = cut(element, style);
            for part in kept.split_inclusive(|byte| matches!(byte, b',' | b'\\')) {
                write_element(part, out);
            }
            out.extend_from_slice(mark);
        }
    });
}

/// A piece of an element that ends with the comma or backslash that needs a
/// backslash, if with any.
fn write_element(part: &[u8], out: &mut Vec<u8>) {
    match part.split_last() {
        Some((special @ (b',' | b'\\'), before)) => {
            write_escaped(before, Escapes::Controls, out);
            write_escaped(&[b'\\', *special], Escapes::Controls, out);
        }
        _ => write_escaped(part, Escapes::Controls, out),
    }
}

/// Appends a text, in quotes if it needs them.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty() && is_bare(text) {
        out.extend_from_slice(text);
    } else {
        write_string(text, Escapes::Controls, out);
    }
}

fn is_bare(text: &[u8]) -> bool {
    let bare = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'=' | b'\\');
    text.iter().all(bare)
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
