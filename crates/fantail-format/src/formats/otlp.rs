//! `otlp`: a log record of OpenTelemetry, in the JSON encoding of OTLP 1.
//!
//! The time is that of the end; the time of the beginning, the categories and the id are
//! attributes whose names begin with `dovecot.`. Fields are attributes with their types.
//! Integers of 64 bits are strings, as the JSON encoding of protocol buffers requires.
//! The host name belongs to the resource, which the transport writes around the records.

use std::io::Write as _;

use fantail_event::{Elements, Level, Timestamp, ValueRef};

use crate::{
    export::{Export, FormatRow, Style},
    text::decimal::{write_int, write_u64},
    text::json_text::{Escapes, open, write_between, write_escaped, write_string},
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: FormatRow = FormatRow {
    name: "otlp",
    content_type: "application/json",
    has_times: false,
    write,
};

const ESCAPES: Escapes = Escapes::Controls;

/// The beginning of the attributes that are no fields.
const OWN_PREFIX: &[u8] = b"dovecot.";

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let start = out.len();
    if let Some([_, end]) = export.times {
        out.extend_from_slice(b",\"timeUnixNano\":\"");
        write_u64(nanos(end), out);
        out.push(b'"');
    }
    if let Some(level) = export.level {
        let (number, text) = severity(level);
        // Writing into a vector cannot fail.
        let _ = write!(
            out,
            ",\"severityNumber\":{number},\"severityText\":\"{text}\""
        );
    }
    if let Some(name) = export.name {
        write_between(b",\"eventName\":\"", name, b"\"", ESCAPES, out);
    }
    out.extend_from_slice(b",\"attributes\":");
    let attributes = out.len();
    if let Some(id) = export.id {
        write_attribute(b"dovecot.event_id", ValueRef::Str(id), style, out);
    }
    if let Some([start, _]) = export.times {
        let start = ValueRef::from(nanos(start));
        write_attribute(b"dovecot.start_time_unix_nano", start, style, out);
    }
    if let Some(categories) = export.categories {
        write_attribute(
            b"dovecot.categories",
            ValueRef::List(categories),
            style,
            out,
        );
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| match key.starts_with(OWN_PREFIX) {
            // No two attributes have the same name.
            true => write_attribute(&[b"field.", key].concat(), value, style, out),
            false => write_attribute(key, value, style, out),
        });
    }
    open(b'[', attributes, out);
    out.push(b']');
    open(b'{', start, out);
    out.push(b'}');
}

/// Nanoseconds since 1970; OTLP has no earlier times.
fn nanos(time: Timestamp) -> u64 {
    let micros = u64::try_from(time.unix_micros()).unwrap_or(0);
    micros.saturating_mul(1_000)
}

/// The number and the text of a level.
const fn severity(level: Level) -> (u8, &'static str) {
    match level {
        Level::Debug => (5, "debug"),
        Level::Info => (9, "info"),
        Level::Warning => (13, "warning"),
        Level::Error => (17, "error"),
        Level::Fatal => (21, "fatal"),
        Level::Panic => (24, "panic"),
    }
}

/// Appends an attribute after a comma.
fn write_attribute(key: &[u8], value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(b",{\"key\":\"");
    write_escaped(key, ESCAPES, out);
    out.extend_from_slice(b"\",\"value\":{");
    write_value(value, style, out);
    out.extend_from_slice(b"}}");
}

fn write_value(value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    match value {
        ValueRef::Str(text) => write_between(b"\"stringValue\":\"", text, b"\"", ESCAPES, out),
        ValueRef::Int(number) => {
            out.extend_from_slice(b"\"intValue\":\"");
            write_int(number, out);
            out.push(b'"');
        }
        ValueRef::Unsigned(number) => {
            // An integer of OTLP is signed.
            let name: &[u8] = match i64::try_from(number) {
                Ok(_) => b"\"intValue\":\"",
                Err(_) => b"\"stringValue\":\"",
            };
            out.extend_from_slice(name);
            write_u64(number, out);
            out.push(b'"');
        }
        ValueRef::Float(number) => {
            out.extend_from_slice(b"\"doubleValue\":");
            write_float(number, out);
        }
        ValueRef::Bool(truth) => {
            out.extend_from_slice(b"\"boolValue\":");
            out.extend_from_slice(if truth { b"true" } else { b"false" });
        }
        ValueRef::Ip(_) => {
            out.extend_from_slice(b"\"stringValue\":\"");
            write_scalar(value, out);
            out.push(b'"');
        }
        ValueRef::Time(time) => {
            out.extend_from_slice(b"\"stringValue\":\"");
            time_text::write(time, style.time_style, out);
            out.push(b'"');
        }
        ValueRef::List(list) => write_list(list, out),
    }
}

fn write_float(number: f64, out: &mut Vec<u8>) {
    let special: &[u8] = match number {
        number if number.is_nan() => b"\"NaN\"",
        f64::INFINITY => b"\"Infinity\"",
        f64::NEG_INFINITY => b"\"-Infinity\"",
        number => return write_scalar(ValueRef::Float(number), out),
    };
    out.extend_from_slice(special);
}

fn write_list(list: Elements<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"arrayValue\":{\"values\":");
    let start = out.len();
    list.for_each(|element| {
        out.extend_from_slice(b",{\"stringValue\":");
        write_string(element, ESCAPES, out);
        out.push(b'}');
    });
    open(b'[', start, out);
    out.extend_from_slice(b"]}");
}
