//! The keys of formats that put fields beside the event's own properties.
//!
//! `event_id`, `event`, `hostname`, `start_time`, `end_time` and `categories`
//! are the event's; a field of such a name gets the prefix `field_`, and so does one
//! that has this prefix already. So no two things ever share a key, and what
//! was there can be told from it.

const PREFIX: &[u8] = b"field_";

/// Whether a field with this key gets the prefix.
#[inline]
pub(crate) fn is_prefixed(key: &[u8]) -> bool {
    match key {
        b"event_id" | b"event" | b"hostname" | b"start_time" | b"end_time" | b"categories" => true,
        _ => key.starts_with(PREFIX),
    }
}

/// What stands before the key of a field.
#[inline]
pub(crate) fn prefix(key: &[u8]) -> &'static [u8] {
    if is_prefixed(key) { PREFIX } else { b"" }
}
