//! Numbers of at most eight decimal digits as text, all digits at once.

/// The smallest number with nine digits.
pub const EIGHT_DIGITS: u64 = 100_000_000;

/// `00000000`
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// Returns the text of a number below [`EIGHT_DIGITS`] with leading zeros; the text
/// of a larger number is wrong.
///
/// ```
/// use fantail_event::internal::decimal;
///
/// assert_eq!(&decimal::eight(1_200), b"00001200");
/// ```
#[must_use]
#[inline]
pub fn eight(number: u32) -> [u8; 8] {
    (digits(number) | ZEROS).to_le_bytes()
}

/// Returns the text of a number below [`EIGHT_DIGITS`] and its length; the text of a
/// larger number is wrong.
///
/// ```
/// use fantail_event::internal::decimal;
///
/// let (text, length) = decimal::short(1_200);
/// assert_eq!(&text[..length], b"1200");
/// ```
#[must_use]
#[inline]
pub fn short(number: u32) -> ([u8; 8], usize) {
    let digits = digits(number);
    // The last digit is written even if it is 0.
    let zeros = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | ZEROS) >> (zeros * 8);
    (text.to_le_bytes(), 8 - zeros as usize)
}

/// The values of eight digits, a byte each, the first digit in the lowest byte.
///
/// Two numbers of four digits become four of two digits, and these become eight
/// digits. Multiplication and shift replace division; they are exact for numbers
/// of this size.
#[inline]
fn digits(number: u32) -> u64 {
    let (high, low) = ((number / 10_000).min(9_999), number % 10_000);
    let fours = u64::from(high) | u64::from(low) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{eight, short};

    fn check(number: u32) {
        let expected = format!("{number:08}");
        assert_eq!(&eight(number), expected.as_bytes());
        let (text, length) = short(number);
        let expected = format!("{number}");
        assert_eq!(text.get(..length), Some(expected.as_bytes()));
    }

    #[test]
    fn numbers_of_all_lengths() {
        (0..20_000).for_each(check);
        for power in (0..8).map(|zeros| 10_u32.pow(zeros)) {
            for factor in 1..10 {
                let around = power * factor - 1..=power * factor + 1;
                around.for_each(check);
            }
        }
        (0..10_000).for_each(|high| check(high * 10_000 + 9_999 - high));
        check(99_999_999);
        // Too long, but no reason to panic.
        assert_eq!(short(u32::MAX).1, 8);
    }
}
