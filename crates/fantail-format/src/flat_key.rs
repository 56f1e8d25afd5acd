//! The keys of formats that put fields beside the event's own properties.
//!
//! `event_id`, `event`, `hostname`, `start_time`, `end_time` and `categories`
//! are the event's; a field of such a name gets the prefix `field_`, and so does one
//! that has this prefix already. So no two things ever share a key, and what
//! was there can be told from it.

/// Keys that no field can have.
const RESERVED: [&[u8]; 6] = [
    b"event_id",
    b"event",
    b"hostname",
    b"start_time",
    b"end_time",
    b"categories",
];

const PREFIX: &[u8] = b"field_";

/// What stands before the key of a field.
pub(crate) fn prefix(key: &[u8]) -> &'static [u8] {
    if RESERVED.contains(&key) || key.starts_with(PREFIX) {
        PREFIX
    } else {
        b""
    }
}
