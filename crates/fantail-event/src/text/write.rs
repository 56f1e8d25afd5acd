//! Writes the text form of an event.

use alloc::{format, string::ToString, vec::Vec};

use crate::{EventRef, Timestamp, ValueRef, escape};

/// Appends the text form of an event, TABs between the escaped arguments.
///
/// [`Event::parse`](crate::Event::parse) reads it back to the same event. The
/// protocol has only strings, integers, times, addresses and lists: values of
/// other kinds become strings.
///
/// ```
/// use fantail_event::{Event, Timestamp, text};
///
/// let event = Event::builder(Timestamp::from_unix_micros(1_500_000))
///     .name("login")
///     .field("user", "a\tb")
///     .build()?;
/// let mut line = Vec::new();
/// text::write(event.as_event_ref(), &mut line);
/// assert_eq!(line, b"1\t500000\tnlogin\tSuser\ta\x01tb");
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
pub fn write(event: EventRef<'_>, out: &mut Vec<u8>) {
    push_time(event.created(), out);
    if let Some(source) = event.source() {
        push_coded(b's', source.file, out);
        push_text(source.line.to_string().as_bytes(), out);
    }
    if event.always_log_source() {
        out.extend_from_slice(b"\ta");
    }
    if let Some(sent) = event.sent() {
        out.extend_from_slice(b"\tl");
        push_time(sent, out);
    }
    if let Some(name) = event.name() {
        push_coded(b'n', name, out);
    }
    for category in event.categories() {
        push_coded(b'c', category, out);
    }
    for (key, value) in event.fields() {
        push_field(key, value, out);
    }
}

fn push_field(key: &[u8], value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Str(text) => {
            push_coded(b'S', key, out);
            push_text(text, out);
        }
        ValueRef::Int(number) => {
            push_coded(b'I', key, out);
            push_text(number.to_string().as_bytes(), out);
        }
        ValueRef::Unsigned(number) => push_string(key, &number.to_string(), out),
        ValueRef::Float(number) => push_string(key, &format!("{number:?}"), out),
        ValueRef::Bool(truth) => push_string(key, if truth { "yes" } else { "no" }, out),
        ValueRef::Time(time) => {
            push_coded(b'T', key, out);
            out.push(b'\t');
            push_time(time, out);
        }
        ValueRef::Ip(ip) => {
            push_coded(b'P', key, out);
            push_text(ip.to_string().as_bytes(), out);
        }
        ValueRef::List(list) => {
            push_coded(b'L', key, out);
            let mut count = 0_usize;
            list.for_each(|_| count += 1);
            push_text(count.to_string().as_bytes(), out);
            list.for_each(|element| push_text(element, out));
        }
    }
}

fn push_string(key: &[u8], text: &str, out: &mut Vec<u8>) {
    push_coded(b'S', key, out);
    push_text(text.as_bytes(), out);
}

fn push_coded(code: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\t');
    out.push(code);
    escape::escape_into(text, out);
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\t');
    escape::escape_into(text, out);
}

fn push_time(time: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(time.seconds().to_string().as_bytes());
    push_text(time.subsec_micros().to_string().as_bytes(), out);
}
