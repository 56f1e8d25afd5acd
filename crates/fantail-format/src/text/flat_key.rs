//! Keys of formats that write fields beside the event's own properties.
//!
//! A field named `event_id`, `event`, `hostname`, `start_time`, `end_time` or
//! `categories` gets the prefix `field_`, and so does a field whose name begins
//! with `field_`. Keys are therefore unique, and the name of a field can be told
//! from its key.

const PREFIX: &[u8] = b"field_";

/// Whether a field with this key gets the prefix.
#[inline]
pub(crate) fn is_prefixed(key: &[u8]) -> bool {
    match key {
        b"event_id" | b"event" | b"hostname" | b"start_time" | b"end_time" | b"categories" => true,
        _ => key.starts_with(PREFIX),
    }
}

/// The prefix of the key of a field; empty for most.
#[inline]
pub(crate) fn prefix(key: &[u8]) -> &'static [u8] {
    if is_prefixed(key) { PREFIX } else { b"" }
}
