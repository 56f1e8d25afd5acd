//! Points in time as text.

use std::io::Write;

use fantail_event::Timestamp;
use time::OffsetDateTime;

use crate::TimeStyle;

/// Appends a time as `2026-11-22T06:05:45.267241Z` or `1795328191.200093`.
///
/// Years beyond 9999 have no RFC 3339 form; they are written as seconds
/// (Dovecot dies of some of them).
pub(crate) fn write(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    match (style, OffsetDateTime::from_unix_timestamp(at.seconds())) {
        (TimeStyle::Rfc3339, Ok(date)) if date.year() >= 0 => {
            let _ = write!(
                out,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                date.year(),
                u8::from(date.month()),
                date.day(),
                date.hour(),
                date.minute(),
                date.second(),
                at.subsec_micros()
            );
        }
        _ => {
            let _ = write!(out, "{}.{:06}", at.seconds(), at.subsec_micros());
        }
    }
}

/// Whether [`write()`] gives a date rather than a number.
pub(crate) fn is_date(at: Timestamp, style: TimeStyle) -> bool {
    style == TimeStyle::Rfc3339
        && OffsetDateTime::from_unix_timestamp(at.seconds()).is_ok_and(|date| date.year() >= 0)
}
