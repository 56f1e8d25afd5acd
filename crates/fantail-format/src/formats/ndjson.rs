//! `ndjson`: one flat object, the fields beside the event's own properties
//! (see [`flat_key`]).
//!
//! No line break, no other control character and no broken UTF-8 ever stands
//! in it, so that a reader of lines always finds whole objects.

use crate::{
    format::Row,
    formatter::{Export, Style},
    text::flat_key,
    text::json_text::{Escapes, open, write_array, write_between, write_field},
    text::time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "ndjson",
    content_type: "application/x-ndjson",
    has_times: true,
    write,
};

const ESCAPES: Escapes = Escapes::Controls;

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let start = out.len();
    if let Some(id) = export.id {
        write_between(b",\"event_id\":\"", id, b"\"", ESCAPES, out);
    }
    if let Some(name) = export.name {
        write_between(b",\"event\":\"", name, b"\"", ESCAPES, out);
    }
    if let Some(hostname) = export.hostname {
        write_between(b",\"hostname\":\"", hostname, b"\"", ESCAPES, out);
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
            write_between(b",\"", category, b"\"", ESCAPES, out);
        });
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            if flat_key::is_prefixed(key) {
                write_field(b",\"field_", (key, value), &style, ESCAPES, out);
            } else {
                write_field(b",\"", (key, value), &style, ESCAPES, out);
            }
        });
    }
    open(b'{', start, out);
    out.push(b'}');
}
