//! Points in time as text.
//!
//! Times that are written one after another mostly lie within a few seconds. Each
//! thread caches the texts of the last seconds, without the microseconds.

use std::{cell::Cell, io::Write as _};

use fantail_event::{Timestamp, internal::Invariant as _};

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
/// Years beyond 9999 have more digits and years before 0 a sign, as in Dovecot.
/// Years that no 32-bit integer can hold overflow in Dovecot or crash it; here they
/// are written as seconds.
pub(crate) fn write(at: Timestamp, style: TimeStyle, out: &mut Vec<u8>) {
    match second(at, style) {
        Some(second) => {
            out.extend_from_slice(&second);
            write_micros(at, b"Z", out);
        }
        None => write_other(at, style, b"", out),
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
        None => write_other(at, style, b"\"", out),
    }
}

/// Appends a date of another year than 0 to 9999 between quotes, or the seconds.
#[inline(never)]
fn write_other(at: Timestamp, style: TimeStyle, quote: &[u8], out: &mut Vec<u8>) {
    let day = at.seconds().div_euclid(SECONDS_A_DAY);
    let (year, month, day) = date_of(day);
    if style == TimeStyle::Unix || i32::try_from(year).is_err() {
        return write_seconds(at, out);
    }
    let second = at.seconds().rem_euclid(SECONDS_A_DAY);
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    out.extend_from_slice(quote);
    // Writing into a vector cannot fail.
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}."
    );
    write_micros(at, b"Z", out);
    out.extend_from_slice(quote);
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

/// The date and time up to the point; `None` for Unix times and for other years than
/// 0 to 9999.
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
        date = date_text(day)?;
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

/// The text of a day of the years 0 to 9999.
#[cold]
fn date_text(day: i64) -> Option<DateText> {
    let (year, month, day) = date_of(day);
    let year = u32::try_from(year).ok().filter(|year| *year < 10_000)?;
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year));
    let ([m1, m2], [d1, d2]) = (two(month), two(day));
    Some([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T'])
}

/// Year, month and day of a day since 1970 in the Gregorian calendar.
///
/// Years begin in March here, so that the leap day is the last of its year; an era
/// of 400 years has 146,097 days.
fn date_of(day: i64) -> (i64, u32, u32) {
    let day = day + 719_468; // since 1 March of the year 0
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // March is month 0. Five months in a row have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..10 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    let small = |number: i64| u32::try_from(number).always();
    (era * 400 + year + next, small(month), small(day))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[track_caller]
    fn check(seconds: i64, expected: &str) {
        let Some(at) = Timestamp::new(seconds, 70_001) else {
            panic!("micros are below a million");
        };
        let mut out = Vec::new();
        write(at, TimeStyle::Rfc3339, &mut out);
        assert_eq!(out.escape_ascii().to_string(), expected, "{seconds}");
    }

    /// Compares with another implementation, which knows the years to 9999.
    #[track_caller]
    fn check_alike(seconds: i64) {
        let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) else {
            panic!("{seconds} are of a year before 10000");
        };
        let (year, month, day) = date.to_calendar_date();
        let (hour, minute, second) = date.to_hms();
        let month = u8::from(month);
        let date = format!("{year:04}-{month:02}-{day:02}");
        let time = format!("{hour:02}:{minute:02}:{second:02}.070001");
        check(seconds, &format!("{date}T{time}Z"));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for edge in [0, -62_167_219_200, 253_402_214_400, 1_709_164_800] {
            for near in [-86_401, -86_400, -1, 0, 1, 86_399] {
                check_alike(edge + near);
            }
        }
        (0..40_000).for_each(|step| check_alike(1_700_000_000 + step * 7_919));
        (0..4_000).for_each(|step| check_alike(-62_167_219_200 + step * 78_894_000));
    }

    /// As Dovecot 2.3.19, 2.4.1 and 2.4.5 write these times.
    #[test]
    fn years_have_as_many_digits_as_they_need() {
        for (seconds, expected) in [
            (253_402_300_799, "9999-12-31T23:59:59.070001Z"),
            (253_402_300_800, "10000-01-01T00:00:00.070001Z"),
            (999_999_999_999, "33658-09-27T01:46:39.070001Z"),
            (67_767_976_233_532_799, "2147483647-12-31T23:59:59.070001Z"),
            (-62_167_219_200, "0000-01-01T00:00:00.070001Z"),
            (-62_167_219_201, "-001-12-31T23:59:59.070001Z"),
            (-62_198_755_201, "-002-12-31T23:59:59.070001Z"),
            (-377_705_116_800, "-9999-01-01T00:00:00.070001Z"),
            (-377_705_116_801, "-10000-12-31T23:59:59.070001Z"),
            (
                -67_768_040_609_740_800,
                "-2147481748-01-01T00:00:00.070001Z",
            ),
        ] {
            check(seconds, expected);
        }
    }

    #[test]
    fn times_without_a_year_are_written_as_seconds() {
        check(67_767_976_233_532_800, "67767976233532800.070001");
        check(i64::MAX, "9223372036854775807.070001");
        check(i64::MIN, "-9223372036854775808.070001");
    }
}
