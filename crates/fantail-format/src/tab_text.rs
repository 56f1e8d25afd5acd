//! `tab-text`: `event_id:` if ids are written, `event:`, `hostname:`, `start_time:`, `end_time:`,
//! `category:`…, `field:key=value`… with TABs between.

use fantail_event::{FlatValue, escape};

use crate::{
    decimal::write_int,
    format::Row,
    formatter::{Export, Style},
    time_text,
};

pub(crate) const FORMAT: Row = Row {
    name: "tab-text",
    content_type: "text/plain",
    has_times: true,
    write,
};

/// Appends an event.
///
/// Each part that is asked for stands between TABs even if there is nothing
/// in it (no categories), as in Dovecot; only a missing name leaves nothing.
fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let mut parts = Parts { out, first: true };
    if let Some(id) = export.id {
        let out = parts.next();
        out.extend_from_slice(b"event_id:");
        escape::escape_into(id, out);
    }
    if let Some(name) = export.name {
        let out = parts.next();
        out.extend_from_slice(b"event:");
        escape::escape_into(name, out);
    }
    if let Some(hostname) = export.hostname {
        let out = parts.next();
        out.extend_from_slice(b"hostname:");
        escape::escape_into(hostname, out);
    }
    if let Some([start, end]) = export.times {
        let out = parts.next();
        out.extend_from_slice(b"start_time:");
        time_text::write(start, style.time_style, out);
        out.extend_from_slice(b"\tend_time:");
        time_text::write(end, style.time_style, out);
    }
    if let Some(categories) = export.categories {
        let out = parts.next();
        for (at, category) in categories.iter().enumerate() {
            out.extend_from_slice(if at == 0 {
                b"category:"
            } else {
                b"\tcategory:"
            });
            escape::escape_into(category, out);
        }
    }
    if let Some(fields) = &export.fields {
        let out = parts.next();
        let mut is_first = true;
        fields.each(|key, value| {
            if !is_first {
                out.push(b'\t');
            }
            is_first = false;
            out.extend_from_slice(b"field:");
            escape::escape_into(key, out);
            out.push(b'=');
            write_value(value, style, out);
        });
    }
}

struct Parts<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Parts<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b'\t');
        }
        self.first = false;
        self.out
    }
}

#[inline]
fn write_value(value: FlatValue<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        FlatValue::Str(text) => match style.cut {
            Some(limit) if text.len() > limit => {
                escape::escape_into(text.get(..limit).unwrap_or_default(), out);
                out.extend_from_slice(b"...");
            }
            _ => escape::escape_into(text, out),
        },
        FlatValue::Int(number) => write_int(number, out),
        FlatValue::Time(time) => time_text::write(time, style.time_style, out),
        FlatValue::Ip(ip) => ip.write_into(out),
        FlatValue::List(list) => {
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    escape::escape_into(b"\t", out);
                }
                escape::escape_twice_into(element, out);
            }
        }
    }
}
