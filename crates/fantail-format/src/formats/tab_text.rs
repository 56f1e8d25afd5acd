//! `tab-text`: `event:`, `hostname:`, `start_time:`, `end_time:`, `category:`… and
//! `field:key=value`… separated by TABs; `event_id:` comes first if ids are written.

use fantail_event::{ValueRef, escape};

use crate::{
    export::{Export, FormatRow, MAX_LOGGED_BYTES, Style},
    text::decimal::as_short,
    text::plain,
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: FormatRow = FormatRow::new("tab-text", "text/plain", write);

/// Delimiters before, between and after a field's key and value.
const DELIMITERS: (&[u8; 6], &[u8; 1], &[u8; 1]) = (b"field:", b"=", b"\t");

/// Appends an event.
///
/// Each part ends with a TAB, and the last TAB is removed. As in Dovecot,
/// categories leave their TAB even if there are none; a missing name and missing
/// fields leave nothing.
fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let start = out.len();
    if let Some(id) = export.id {
        write_between(b"event_id:", id, b"\t", out);
    }
    if let Some(name) = export.name {
        write_between(b"event:", name, b"\t", out);
    }
    if let Some(hostname) = export.hostname {
        write_between(b"hostname:", hostname, b"\t", out);
    }
    if let Some([start, end]) = export.times {
        out.extend_from_slice(b"start_time:");
        time_text::write(start, style.time_style, out);
        out.extend_from_slice(b"\tend_time:");
        time_text::write(end, style.time_style, out);
        out.push(b'\t');
    }
    if let Some(categories) = export.categories {
        let start = out.len();
        categories.for_each(|category| write_between(b"category:", category, b"\t", out));
        if out.len() == start {
            out.push(b'\t');
        }
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            if !write_short(key, value, out) {
                write_between(b"field:", key, b"=", out);
                write_value(value, style, out);
            }
        });
    }
    // Each part ends with a TAB.
    if out.len() > start {
        out.pop();
    }
}

/// Appends a field if it is short and needs no escapes; returns whether it was
/// appended.
#[inline(always)]
fn write_short(key: &[u8], value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        // A short string is never cut.
        ValueRef::Str(text) => plain::push_pair(DELIMITERS, (key, text), plain::tabbed, out),
        ValueRef::Int(number) => as_short(number).is_some_and(|(digits, length)| {
            plain::push_number(DELIMITERS, key, (&digits, length), plain::tabbed, out)
        }),
        _ => false,
    }
}

/// Appends the escaped form of a text between two delimiters.
#[inline]
fn write_between<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    out: &mut Vec<u8>,
) {
    if !plain::push(before, text, after, plain::tabbed, out) {
        out.extend_from_slice(before);
        escape::escape_into(text, out);
        out.extend_from_slice(after);
    }
}

/// Appends a value and a TAB.
#[inline(never)]
fn write_value(value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        ValueRef::Str(text) => match text.get(..MAX_LOGGED_BYTES) {
            Some(kept) if style.cut_long_strings && text.len() > MAX_LOGGED_BYTES => {
                write_between(b"", kept, b"...", out);
            }
            _ => return write_between(b"", text, b"\t", out),
        },
        ValueRef::Time(time) => time_text::write(time, style.time_style, out),
        ValueRef::List(list) => {
            let mut is_first = true;
            list.for_each(|element| {
                if !std::mem::take(&mut is_first) {
                    escape::escape_into(b"\t", out);
                }
                escape_twice_into(element, out);
            });
        }
        scalar => write_scalar(scalar, out),
    }
    out.push(b'\t');
}

/// Appends the escaped form of the escaped form of an element.
fn escape_twice_into(element: &[u8], out: &mut Vec<u8>) {
    const ESCAPE: u8 = 1;
    let start = out.len();
    escape::escape_into(element, out);
    // Of the bytes that an escaped text has, only the escape itself needs one.
    if out.iter().skip(start).any(|byte| *byte == ESCAPE) {
        let once = out.split_off(start);
        escape::escape_into(&once, out);
    }
}
