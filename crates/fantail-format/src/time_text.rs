//! Points in time as text.

use fantail_event::Timestamp;
use time::OffsetDateTime;

use crate::{
    TimeStyle,
    decimal::{fixed, write_int},
};

/// Appends a time as `2026-11-22T06:05:45.267241Z` or `1795328191.200093`.
///
/// Years beyond 9999 have no RFC 3339 form; they are written as seconds
/// (Dovecot dies of some of them).
pub(crate) fn write(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    match date(at, style) {
        Some(date) => write_date(date, at.subsec_micros(), out),
        None => {
            write_int(at.seconds(), out);
            out.push(b'.');
            out.extend_from_slice(&fixed::<6>(at.subsec_micros()));
        }
    }
}

/// Appends a time as [`write()`] does, in quotes if it is no number.
pub(crate) fn write_json(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    if let Some(date) = date(at, style) {
        out.push(b'"');
        write_date(date, at.subsec_micros(), out);
        out.push(b'"');
    } else {
        write(at, TimeStyle::Unix, out);
    }
}

/// The date to write, if it is to be a date and can be one.
fn date(at: Timestamp, style: TimeStyle) -> Option<OffsetDateTime> {
    if style == TimeStyle::Unix {
        return None;
    }
    OffsetDateTime::from_unix_timestamp(at.seconds())
        .ok()
        .filter(|date| date.year() >= 0)
}

fn write_date(date: OffsetDateTime, micros: u32, out: &mut Vec<u8>) {
    let two = |number: u8| fixed::<2>(u32::from(number));
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |at: usize, digits: &[u8]| {
        if let Some(place) = text.get_mut(at..at + digits.len()) {
            place.copy_from_slice(digits);
        }
    };
    put(0, &fixed::<4>(year.unsigned_abs()));
    put(5, &two(u8::from(month)));
    put(8, &two(day));
    put(11, &two(hour));
    put(14, &two(minute));
    put(17, &two(second));
    put(20, &fixed::<6>(micros));
    out.extend_from_slice(&text);
}
