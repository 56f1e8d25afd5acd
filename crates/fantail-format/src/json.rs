//! `json`: one object, its keys in Dovecot's order.

use crate::{
    format::Row,
    formatter::{Export, Style},
    json_text::{Escapes, write_array, write_escaped, write_string, write_value},
    time_text,
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
    out.push(b'{');
    let mut members = Members { out, first: true };
    if let Some(id) = export.id {
        write_string(id, escapes, members.next(b"\"event_id\":"));
    }
    if let Some(name) = export.name {
        write_string(name, escapes, members.next(b"\"event\":"));
    }
    if let Some(hostname) = export.hostname {
        write_string(hostname, escapes, members.next(b"\"hostname\":"));
    }
    if let Some([start, end]) = export.times {
        let style = style.time_style;
        time_text::write_json(start, style, members.next(b"\"start_time\":"));
        time_text::write_json(end, style, members.next(b"\"end_time\":"));
    }
    if let Some(categories) = export.categories {
        let out = members.next(b"\"categories\":");
        write_array(categories, out, |category, out| {
            write_string(category, escapes, out);
        });
    }
    if let Some(fields) = &export.fields {
        let out = members.next(b"\"fields\":");
        let mut start: &[u8; 2] = b"{\"";
        fields.each(|key, value| {
            out.extend_from_slice(start);
            start = b",\"";
            write_escaped(key, escapes, out);
            out.extend_from_slice(b"\":");
            write_value(value, style, escapes, out);
        });
        out.extend_from_slice(if start == b"{\"" { b"{}" } else { b"}" });
    }
    out.push(b'}');
}

struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    #[inline]
    fn next<const N: usize>(&mut self, key: &[u8; N]) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.extend_from_slice(key);
        self.out
    }
}
