//! Numbers in decimal digits, without the overhead of `fmt`.

pub(crate) use fantail_event::internal::decimal::{EIGHT_DIGITS, eight};
use fantail_event::internal::{Invariant as _, decimal::short};

/// Appends a number.
#[inline]
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_u64(number.unsigned_abs(), out);
}

/// Appends a number.
#[inline]
pub(crate) fn write_u64(number: u64, out: &mut Vec<u8>) {
    match u32::try_from(number) {
        Ok(short) if number < EIGHT_DIGITS => write_short(short, out),
        _ => write_long(number, out),
    }
}

/// Appends a number of eight digits at most.
#[inline]
fn write_short(number: u32, out: &mut Vec<u8>) {
    let (text, length) = short(number);
    let start = out.len();
    out.extend_from_slice(&text);
    out.truncate(start + length);
}

/// The text of a number from 0 to 99,999,999 and its length; `None` for others.
#[inline]
pub(crate) fn as_short(number: i64) -> Option<([u8; 8], usize)> {
    let number = u32::try_from(number).ok()?;
    (u64::from(number) < EIGHT_DIGITS).then(|| short(number))
}

#[inline(never)]
fn write_long(number: u64, out: &mut Vec<u8>) {
    // Groups of eight digits; the first of up to three groups has up to four.
    let part = |number: u64| u32::try_from(number % EIGHT_DIGITS).always();
    let above = number / EIGHT_DIGITS;
    if above < EIGHT_DIGITS {
        write_short(part(above), out);
    } else {
        write_short(part(above / EIGHT_DIGITS), out);
        out.extend_from_slice(&eight(part(above)));
    }
    out.extend_from_slice(&eight(part(number)));
}

/// The last two digits of a number, with leading zeros.
#[inline]
pub(crate) fn two(number: u32) -> [u8; 2] {
    let number = number % 100;
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).always())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: i64) {
        let mut out = Vec::new();
        write_int(number, &mut out);
        assert_eq!(out, number.to_string().as_bytes());
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        let mut power = 1_i64;
        for _ in 0..18 {
            for near in [power - 1, power, power + 1] {
                check(near);
                check(-near);
            }
            power *= 10;
        }
        check(i64::MAX);
        check(i64::MIN);
        check(0);
        (0..2_000).for_each(check);
        assert_eq!(&two(7), b"07");
        for number in (0..100_000_000).step_by(977).chain([99_999_999]) {
            let digits = eight(number);
            assert_eq!(digits, format!("{number:08}").as_bytes());
        }
    }
}
