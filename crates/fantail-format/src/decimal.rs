//! Numbers in decimal digits, without the detour through `fmt`.

/// Appends a number.
#[inline]
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_u64(number.unsigned_abs(), out);
}

/// So many numbers have eight digits at most.
const EIGHT_DIGITS: u64 = 100_000_000;

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

/// A number of eight digits at most as text, if it is one, and its length.
#[inline]
pub(crate) fn as_short(number: i64) -> Option<([u8; 8], usize)> {
    let number = u32::try_from(number).ok()?;
    (u64::from(number) < EIGHT_DIGITS).then(|| short(number))
}

#[inline]
fn short(number: u32) -> ([u8; 8], usize) {
    let digits = digits(number);
    // The last digit is one, also if it is 0.
    let zeros = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | ZEROS) >> (zeros * 8);
    (text.to_le_bytes(), 8 - zeros as usize)
}

#[inline(never)]
fn write_long(number: u64, out: &mut Vec<u8>) {
    // What is below has eight digits, and so does what is above that, but for
    // the first four of the longest.
    let part = |number: u64| u32::try_from(number % EIGHT_DIGITS).unwrap_or_default();
    let above = number / EIGHT_DIGITS;
    if above < EIGHT_DIGITS {
        write_short(part(above), out);
    } else {
        write_short(part(above / EIGHT_DIGITS), out);
        out.extend_from_slice(&eight(part(above)));
    }
    out.extend_from_slice(&eight(part(number)));
}

/// `00000000`
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The digits of a number of at most eight, with leading zeros.
#[inline]
pub(crate) fn eight(number: u32) -> [u8; 8] {
    (digits(number) | ZEROS).to_le_bytes()
}

/// The values of the digits of a number of at most eight, a byte each, the
/// first in the lowest.
///
/// All are found at once: two numbers of four digits become four of two, and
/// these eight of one. To multiply and shift is to divide, exact for numbers
/// that small.
#[inline]
fn digits(number: u32) -> u64 {
    let (high, low) = (number / 10_000, number % 10_000);
    let fours = u64::from(high) | u64::from(low) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

/// The last two digits of a number, with leading zeros.
#[inline]
pub(crate) fn two(number: u32) -> [u8; 2] {
    let number = number % 100;
    // Below ten, both of them.
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default())
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
    fn as_the_standard_library_writes_them() {
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
