//! `structured-data`: structured data of RFC 5424, a space, and the event as
//! [`logfmt`] without its times and host. A syslog transport writes this after the
//! header.
//!
//! The element `event@32473` has the same keys and values as
//! [`crate::Format::Ndjson`]; lists are joined by commas. RFC 5612 reserves the
//! number 32473 for documentation. Names of parameters are cut after 32 bytes, and
//! bytes in them that are not printable ASCII become `_`.

use fantail_event::{Elements, ValueRef};

use crate::{
    export::{Export, FormatRow, Style},
    formats::logfmt,
    text::flat_key,
    text::json_text::{Escapes, write_escaped},
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: FormatRow = FormatRow::new("structured-data", "text/plain", write);

/// The longest name of a parameter.
const MAX_NAME_BYTES: usize = 32;

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[event@32473");
    if let Some(id) = export.id {
        write_parameter(b"", b"event_id", out, |out| write_text(id, out));
    }
    if let Some(name) = export.name {
        write_parameter(b"", b"event", out, |out| write_text(name, out));
    }
    if let Some(hostname) = export.hostname {
        write_parameter(b"", b"hostname", out, |out| write_text(hostname, out));
    }
    if let Some([start, end]) = export.times {
        for (name, time) in [(&b"start_time"[..], start), (b"end_time", end)] {
            write_parameter(b"", name, out, |out| {
                time_text::write(time, style.time_style, out);
            });
        }
    }
    if let Some(categories) = export.categories {
        write_parameter(b"", b"categories", out, |out| write_list(categories, out));
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            let prefix = flat_key::prefix(key);
            write_parameter(prefix, key, out, |out| write_value(value, style, out));
        });
    }
    out.extend_from_slice(b"] ");
    let message = export.to_message();
    (logfmt::FORMAT.write)(&message, style, out);
}

fn write_parameter(
    prefix: &[u8],
    name: &[u8],
    out: &mut Vec<u8>,
    value: impl FnOnce(&mut Vec<u8>),
) {
    out.push(b' ');
    let legal = prefix.iter().chain(name).map(|byte| match byte {
        b'=' | b'"' | b']' => b'_',
        b'!'..=b'~' => *byte,
        _ => b'_',
    });
    out.extend(legal.take(MAX_NAME_BYTES));
    out.extend_from_slice(b"=\"");
    value(out);
    out.push(b'"');
}

fn write_value(value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        ValueRef::Str(text) => write_text(text, out),
        ValueRef::Time(time) => time_text::write(time, style.time_style, out),
        ValueRef::List(list) => write_list(list, out),
        scalar => write_scalar(scalar, out),
    }
}

fn write_list(list: Elements<'_>, out: &mut Vec<u8>) {
    let mut is_first = true;
    list.for_each(|element| {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        write_text(element, out);
    });
}

/// Appends a text: quotes, backslashes and `]` are escaped by a backslash. Control
/// characters are written as JSON escapes, which a receiver does not undo.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    for (at, part) in text.split(|byte| *byte == b']').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\\]");
        }
        write_escaped(part, Escapes::Controls, out);
    }
}
