//! `journal`: an entry in the native protocol of the systemd journal.
//!
//! `MESSAGE` is the event as [`logfmt`] without its times and host. Each part of
//! the event is also a journal field: `DOVECOT_EVENT_ID`, `DOVECOT_EVENT`,
//! `DOVECOT_HOSTNAME`, `DOVECOT_START_TIME`, `DOVECOT_END_TIME`,
//! `DOVECOT_CATEGORY` (once per category), and `DOVECOT_FIELD_…` for the event's
//! fields (once per element of a list). The journal allows capitals, digits and
//! `_` in names, at most 64 bytes; other bytes become `_`, and longer names are
//! cut. Values keep all bytes: a value with a line break is sent with its length.

use fantail_event::{ValueRef, internal::Invariant as _};

use crate::{
    export::{Export, FormatRow, Style},
    formats::logfmt,
    text::scalar::write_scalar,
    text::time_text,
};

pub(crate) const FORMAT: FormatRow =
    FormatRow::new("journal", "application/vnd.fdo.journal", write);

/// The longest name of a journal field.
const MAX_NAME_BYTES: usize = 64;

/// Prefix of journal fields that are fields of the event.
const FIELD_PREFIX: &[u8] = b"DOVECOT_FIELD_";

/// Severity "informational" and the identifier of the sender.
const FIXED_FIELDS: &[u8] = b"PRIORITY=6\nSYSLOG_IDENTIFIER=fantail\n";

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let message = export.to_message();
    write_field(b"MESSAGE", out, |out| {
        (logfmt::FORMAT.write)(&message, style, out);
    });
    out.extend_from_slice(FIXED_FIELDS);
    if let Some(id) = export.id {
        write_field(b"DOVECOT_EVENT_ID", out, |out| out.extend_from_slice(id));
    }
    if let Some(name) = export.name {
        write_field(b"DOVECOT_EVENT", out, |out| out.extend_from_slice(name));
    }
    if let Some(hostname) = export.hostname {
        write_field(b"DOVECOT_HOSTNAME", out, |out| {
            out.extend_from_slice(hostname);
        });
    }
    if let Some(times) = export.times {
        for (name, time) in [&b"DOVECOT_START_TIME"[..], b"DOVECOT_END_TIME"]
            .into_iter()
            .zip(times)
        {
            write_field(name, out, |out| {
                time_text::write(time, style.time_style, out);
            });
        }
    }
    if let Some(categories) = export.categories {
        categories.for_each(|category| {
            write_field(b"DOVECOT_CATEGORY", out, |out| {
                out.extend_from_slice(category);
            });
        });
    }
    if let Some(fields) = &export.fields {
        fields.each(|key, value| write_value(key, value, style, out));
    }
}

fn write_value(key: &[u8], value: ValueRef<'_>, style: Style, out: &mut Vec<u8>) {
    let name = FieldName::new(key);
    let name = name.as_slice();
    match value {
        ValueRef::Str(text) => write_field(name, out, |out| out.extend_from_slice(text)),
        ValueRef::Time(time) => write_field(name, out, |out| {
            time_text::write(time, style.time_style, out);
        }),
        ValueRef::List(list) => list.for_each(|element| {
            write_field(name, out, |out| out.extend_from_slice(element));
        }),
        scalar => write_field(name, out, |out| write_scalar(scalar, out)),
    }
}

/// The name of the journal field for a field of an event.
struct FieldName {
    bytes: [u8; MAX_NAME_BYTES],
    length: usize,
}

impl FieldName {
    fn new(key: &[u8]) -> Self {
        let legal = key.iter().map(|byte| match byte.to_ascii_uppercase() {
            legal @ (b'A'..=b'Z' | b'0'..=b'9') => legal,
            _ => b'_',
        });
        let mut bytes = [0; MAX_NAME_BYTES];
        let mut length = 0;
        for (target, byte) in bytes
            .iter_mut()
            .zip(FIELD_PREFIX.iter().copied().chain(legal))
        {
            *target = byte;
            length += 1;
        }
        Self { bytes, length }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).always()
    }
}

/// Appends a field: `NAME=value` for a value without line break, else the name, the
/// length of the value in 8 bytes, and the value.
fn write_field(name: &[u8], out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(name);
    let separator = out.len();
    out.push(b'=');
    let start = out.len();
    value(out);
    let written = out.get(start..).always();
    if written.contains(&b'\n') {
        let length = (written.len() as u64).to_le_bytes();
        let framed = std::iter::once(b'\n').chain(length);
        // Rare: the value is moved to insert its length.
        out.splice(separator..start, framed);
    }
    out.push(b'\n');
}
