//! `ndjson`: one flat object, the fields beside the event's own properties
//! (see [`flat_key`]).
//!
//! No line break, no other control character and no broken UTF-8 ever stands
//! in it, so that a reader of lines always finds whole objects.

use crate::{
    flat_key,
    format::Row,
    formatter::{Export, Style},
    json_text::{Escapes, write_array, write_escaped, write_string, write_value},
    time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "ndjson",
    content_type: "application/x-ndjson",
    has_times: true,
    write,
};

const ESCAPES: Escapes = Escapes::Controls;

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let mut separator = b'{';
    let mut key = |prefix: &[u8], key: &[u8], out: &mut Vec<u8>| {
        out.push(separator);
        separator = b',';
        out.push(b'"');
        out.extend_from_slice(prefix);
        write_escaped(key, ESCAPES, out);
        out.extend_from_slice(b"\":");
    };
    if let Some(id) = export.id {
        key(b"", b"event_id", out);
        write_string(id, ESCAPES, out);
    }
    if let Some(name) = export.name {
        key(b"", b"event", out);
        write_string(name, ESCAPES, out);
    }
    if let Some(hostname) = export.hostname {
        key(b"", b"hostname", out);
        write_string(hostname, ESCAPES, out);
    }
    if let Some([start, end]) = export.times {
        key(b"", b"start_time", out);
        time_text::write_json(start, style.time_style, out);
        key(b"", b"end_time", out);
        time_text::write_json(end, style.time_style, out);
    }
    if let Some(categories) = export.categories {
        key(b"", b"categories", out);
        write_array(categories, out, |category, out| {
            write_string(category, ESCAPES, out);
        });
    }
    if let Some(fields) = &export.fields {
        fields.each(|name, value| {
            key(flat_key::prefix(name), name, out);
            write_value(value, style, ESCAPES, out);
        });
    }
    out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
}
