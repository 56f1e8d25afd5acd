//! Decimal digits, eight at a time.
//!
//! Numbers in events are short and differ in length, so that a loop over the digits
//! mispredicts its end for each number. Here eight bytes are loaded as one word, and
//! the bytes that do not belong to the number are shifted out.

/// Eight times `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The number in the last `length` bytes of `text`, 1 to 8. `None` means that this
/// function cannot read it.
#[inline]
pub(crate) fn last(text: &[u8], length: u32) -> Option<i64> {
    if !(1..=8).contains(&length) {
        return None;
    }
    let others = 64 - 8 * length;
    let digits = (u64::from_le_bytes(*text.last_chunk()?) ^ ZEROS) >> others << others;
    match not_digits(digits) {
        0 => value(digits).try_into().ok(),
        _ => None,
    }
}

/// The number of up to 7 digits before the first TAB, and the text after the TAB.
/// `None` means that this function cannot read it.
#[inline]
pub(crate) fn first(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = u64::from_le_bytes(*text.first_chunk()?) ^ ZEROS;
    let others = not_digits(digits).trailing_zeros();
    let length = others as usize / 8;
    match text.get(length..)? {
        [b'\t', rest @ ..] if (1..8).contains(&length) => {
            Some((value(digits << (71 - others)), rest))
        }
        _ => None,
    }
}

/// The high bit of the lowest byte that is not 0 to 9. Bits above that one may be
/// wrong, since such a byte carries.
#[inline]
const fn not_digits(digits: u64) -> u64 {
    (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080
}

/// The number of eight digits, the first digit in the lowest byte: neighbours are
/// joined three times.
#[inline]
const fn value(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul((10 << 8) | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul((10_000 << 32) | 1) >> 32
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{first, last};

    /// Numbers in other bytes, with each byte at each position.
    #[test]
    fn only_digits_are_numbers() {
        for length in 1..=8_u8 {
            for at in 0..usize::from(length) {
                for byte in 0..=u8::MAX {
                    let mut number = *b"40971538";
                    number[at] = byte;
                    let number = &number[..usize::from(length)];
                    let expected = core::str::from_utf8(number).ok();
                    let is_plain = number.iter().all(u8::is_ascii_digit);
                    let expected = expected.filter(|_| is_plain).and_then(|it| it.parse().ok());
                    let text = [b"\xff9\t99999", number].concat();
                    assert_eq!(
                        last(&text, length.into()),
                        expected,
                        "{}",
                        text.escape_ascii()
                    );
                    let text = [number, b"\t\t1\t23456"].concat();
                    let expected = expected.filter(|_| length < 8);
                    let expected = expected
                        .map(|it: i64| (it.unsigned_abs(), &text[usize::from(length) + 1..]));
                    if byte != b'\t' {
                        assert_eq!(first(&text), expected, "{}", text.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_at_the_ends_of_texts_are_found() {
        assert_eq!(last(b"12345678", 0), None);
        assert_eq!(last(b"123456789", 9), None);
        assert_eq!(last(b"12345", 2), None);
        assert_eq!(first(b"\t12345678"), None);
        assert_eq!(first(b"1234567"), None);
        assert_eq!(first(b"12345678"), None);
        assert_eq!(first(b"1234567\t"), Some((1_234_567, &b""[..])));
        for number in [0, 7, 10, 99, 1_000, 9_999_999] {
            let text = format!("{number}\t-------");
            assert_eq!(first(text.as_bytes()), Some((number, &b"-------"[..])));
        }
    }
}
