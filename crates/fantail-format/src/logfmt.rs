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

use fantail_event::{Bytes, Value};

use crate::{
    decimal::write_int,
    flat_key,
    format::Row,
    formatter::{Export, Style},
    json_text::{Escapes, cut_at, write_string},
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

fn write_value(value: &Value<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        Value::Str(text) => match style.cut {
            Some(limit) if text.len() > limit => {
                let kept = cut_at(text, limit, style.dialect);
                let kept = text.get(..kept).unwrap_or_default();
                write_text(&[kept, b"..."].concat(), out);
            }
            _ => write_text(text, out),
        },
        Value::Int(number) => write_int(*number, out),
        Value::Time(time) => time_text::write(*time, style.time_style, out),
        Value::Ip(ip) => {
            // Writing into a vector cannot fail.
            let _ = write!(out, "{ip}");
        }
        Value::List(list) => write_list(list, style, out),
    }
}

fn write_list(list: &[Bytes<'_>], style: Style, out: &mut Vec<u8>) {
    let mut joined = Vec::new();
    for (at, element) in list.iter().enumerate() {
        if at > 0 {
            joined.push(b',');
        }
        let kept = style.cut.filter(|limit| element.len() > *limit);
        let kept = kept.map_or(element.len(), |limit| cut_at(element, limit, style.dialect));
        for &byte in element.get(..kept).unwrap_or_default() {
            if matches!(byte, b',' | b'\\') {
                joined.push(b'\\');
            }
            joined.push(byte);
        }
        if kept < element.len() {
            joined.extend_from_slice(b"...");
        }
    }
    write_text(&joined, out);
}

/// Appends a text, in quotes if it needs them.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let bare = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'=' | b'\\');
    if !text.is_empty() && text.iter().all(bare) {
        out.extend_from_slice(text);
    } else {
        write_string(text, Escapes::Controls, out);
    }
}
