//! Points in time as text.
//!
//! Times that are written one after another mostly lie within a few seconds. Each
//! thread caches the texts of the last seconds, without the microseconds.

use std::cell::Cell;

use fantail_event::{Timestamp, internal::Invariant as _};
use time::Date;

use crate::{
    TimeStyle,
    text::decimal::{eight, two, write_int},
};

/// `2026-11-22T`
type DateText = [u8; 11];
/// `2026-11-22T06:05:45.`
type SecondText = [u8; 20];

const SECONDS_A_DAY: i64 = 86_400;

/// Cached seconds: two sessions that alternate have two times each.
const CACHED_SECONDS: usize = 4;

thread_local! {
    /// Seconds since 1970, and their texts.
    static SECONDS: [Cell<(i64, SecondText)>; CACHED_SECONDS] = const {
        [const { Cell::new((0, *b"1970-01-01T00:00:00.")) }; CACHED_SECONDS]
    };
}

/// Appends a time as `2026-11-22T06:05:45.267241Z` or `1795328191.200093`.
///
/// Years beyond 9999 have no RFC 3339 form; they are written as seconds
/// (some of them crash Dovecot).
pub(crate) fn write(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    match second(at, style) {
        Some(second) => {
            out.extend_from_slice(&second);
            write_micros(at, b"Z", out);
        }
        None => write_seconds(at, out),
    }
}

/// Appends a time as [`write()`] does, in quotes unless it is a number.
pub(crate) fn write_json(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    match second(at, style) {
        Some(second) => {
            out.push(b'"');
            out.extend_from_slice(&second);
            write_micros(at, b"Z\"", out);
        }
        None => write_seconds(at, out),
    }
}

fn write_seconds(at: Timestamp, out: &mut Vec<u8>) {
    write_int(at.seconds(), out);
    out.push(b'.');
    write_micros(at, b"", out);
}

/// Appends the six digits after the point, and `after`.
#[inline]
fn write_micros<const N: usize>(at: Timestamp, after: &[u8; N], out: &mut Vec<u8>) {
    let [_, _, digits @ ..] = eight(at.subsec_micros());
    out.extend_from_slice(&digits);
    out.extend_from_slice(after);
}

/// The date and time up to the point; `None` for Unix times and for years that
/// RFC 3339 does not have.
#[inline]
fn second(at: Timestamp, style: TimeStyle) -> Option<SecondText> {
    if style == TimeStyle::Unix {
        return None;
    }
    let seconds = at.seconds();
    let index = usize::try_from(seconds.unsigned_abs() % CACHED_SECONDS as u64).always();
    SECONDS.with(|cached| {
        let cached = cached.get(index)?;
        let (known, text) = cached.get();
        if known == seconds {
            return Some(text);
        }
        let text = second_of(seconds)?;
        cached.set((seconds, text));
        Some(text)
    })
}

#[inline(never)]
fn second_of(seconds: i64) -> Option<SecondText> {
    thread_local! {
        /// A day since 1970, and its date.
        static LAST_DAY: Cell<(i64, DateText)> = const { Cell::new((0, *b"1970-01-01T")) };
    }
    let day = seconds.div_euclid(SECONDS_A_DAY);
    let (known, mut date) = LAST_DAY.get();
    if known != day {
        date = date_of(day)?;
        LAST_DAY.set((day, date));
    }
    let second = u32::try_from(seconds.rem_euclid(SECONDS_A_DAY)).always();
    let [y1, y2, y3, y4, d1, m1, m2, d2, t1, t2, d3] = date;
    let [h1, h2] = two(second / 3600);
    let [i1, i2] = two(second / 60 % 60);
    let [s1, s2] = two(second % 60);
    Some([
        y1, y2, y3, y4, d1, m1, m2, d2, t1, t2, d3, h1, h2, b':', i1, i2, b':', s1, s2, b'.',
    ])
}

#[cold]
fn date_of(day: i64) -> Option<DateText> {
    let julian = i64::from(Date::from_ordinal_date(1970, 1).ok()?.to_julian_day());
    let date = Date::from_julian_day(i32::try_from(day.checked_add(julian)?).ok()?).ok()?;
    let year = u32::try_from(date.year()).ok()?;
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year));
    let [m1, m2] = two(u32::from(u8::from(date.month())));
    let [d1, d2] = two(u32::from(date.day()));
    Some([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T'])
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    /// As the library writes it; nothing where it has no date.
    #[track_caller]
    fn check(seconds: i64) {
        let Some(at) = Timestamp::new(seconds, 70_001) else {
            panic!("micros are below a million");
        };
        let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
        let expected = match date.filter(|date| date.year() >= 0) {
            Some(date) => {
                let (year, month, day) = date.to_calendar_date();
                let (hour, minute, second) = date.to_hms();
                let month = u8::from(month);
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.070001Z")
            }
            None => format!("{seconds}.070001"),
        };
        let mut out = Vec::new();
        write(at, TimeStyle::Rfc3339, &mut out);
        assert_eq!(out, expected.as_bytes(), "{seconds}");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        // Years 0 and 9999, and what is beside them.
        for edge in [0, -62_167_219_200, 253_402_300_800, 1_709_164_800] {
            for near in [-86_401, -86_400, -1, 0, 1, 86_399, 86_400] {
                check(edge + near);
            }
        }
        (0..40_000).for_each(|step| check(1_700_000_000 + step * 7_919));
        (0..4_000).for_each(|step| check(-62_167_219_200 + step * 78_894_000));
        check(i64::MAX);
        check(i64::MIN);
    }
}
