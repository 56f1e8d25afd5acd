//! `json`: one object, its keys in Dovecot's order.

use crate::{
    format::Row,
    formatter::{Export, Style},
    text::json_text::{Escapes, open, write_array, write_between, write_field},
    text::time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "json",
    content_type: "application/json",
    has_times: true,
    write,
};

/// Appends an event as an object.
fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let escapes = Escapes::Dovecot(style.dialect);
    let start = out.len();
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
    if let Some(fields) = &export.fields {
        out.extend_from_slice(b",\"fields\":");
        let start = out.len();
        fields.each(|key, value| {
            write_field(b",\"", (key, value), &style, escapes, out);
        });
        open(b'{', start, out);
        out.push(b'}');
    }
    open(b'{', start, out);
    out.push(b'}');
}
