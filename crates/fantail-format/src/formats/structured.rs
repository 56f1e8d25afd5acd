//! `structured-data`: structured data of RFC 5424, a space, and the event as
//! [`logfmt`] without its times and host: what a syslog transport puts
//! behind the header.
//!
//! One element, `event@32473`, has everything that [`crate::Format::Ndjson`]
//! has, by the same keys; lists are joined by commas. 32473 is the number
//! that RFC 5612 leaves to whoever has none. Names of parameters are cut
//! after 32 bytes, and other bytes than printable ASCII in them become `_`.

use fantail_event::{Elements, ValueRef};

use crate::{
    format::Row,
    formats::logfmt,
    formatter::{Export, Style},
    text::flat_key,
    text::json_text::{Escapes, write_escaped},
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "structured-data",
    content_type: "text/plain",
    has_times: true,
    write,
};

/// The longest name of a parameter.
const LONGEST_NAME: usize = 32;

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
    let message = Export {
        id: None,
        hostname: None,
        times: None,
        categories: None,
        ..*export
    };
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
    out.extend(legal.take(LONGEST_NAME));
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

/// Quotes and backslashes are escaped here as in JSON, and so is `]`; control
/// characters get JSON's escapes, which a receiver sees as they stand.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    for (at, part) in text.split(|byte| *byte == b']').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\\]");
        }
        write_escaped(part, Escapes::Controls, out);
    }
}
