//! Numbers as text, without the machinery of `format!`, which takes more time
//! than all else in a dump.

use std::io::Write as _;

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = pairs();

#[allow(clippy::cast_possible_truncation, reason = "less than 100")]
const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
}

/// The digits of a number below 100.
fn pair(number: u64) -> [u8; 2] {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    PAIRS.get(at).copied().unwrap_or_default()
}

/// Appends a whole number.
#[inline]
pub(crate) fn push_whole(number: u64, out: &mut Vec<u8>) {
    match number {
        0..10 => out.push(b'0' | u8::try_from(number).unwrap_or(0)),
        10..100 => out.extend_from_slice(&pair(number)),
        _ => push_long(number, out),
    }
}

fn push_long(mut number: u64, out: &mut Vec<u8>) {
    // 2⁶⁴ has 20 digits.
    let mut digits = [[0; 2]; 10];
    let mut first = digits.len();
    for place in digits.iter_mut().rev() {
        *place = pair(number % 100);
        number /= 100;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.as_flattened();
    let first = 2 * first;
    let first = first + usize::from(digits.get(first) == Some(&b'0'));
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// Appends a whole number.
#[inline]
pub(crate) fn push_wide(number: u128, out: &mut Vec<u8>) {
    match u64::try_from(number) {
        Ok(number) => push_whole(number, out),
        // Writing to a vector cannot fail.
        Err(_) => _ = write!(out, "{number}"),
    }
}

/// Appends a number with two decimals, as `{:.2}` does: the exact value,
/// rounded to the nearest, to the even one where two are as near.
pub(crate) fn push_hundredths(number: f64, out: &mut Vec<u8>) {
    match hundredths(number) {
        Some(hundredths) => {
            push_whole(hundredths / 100, out);
            out.push(b'.');
            out.extend_from_slice(&pair(hundredths % 100));
        }
        // Writing to a vector cannot fail.
        None => _ = write!(out, "{number:.2}"),
    }
}

/// A number in hundredths, rounded as [`push_hundredths`] has it; `None` for
/// negative ones and those of 2⁵³ and more.
pub(crate) fn hundredths(number: f64) -> Option<u64> {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = number.to_bits();
    // With the sign, which makes it too great.
    let exponent = bits >> FRACTION;
    let fraction = bits & ((1 << FRACTION) - 1);
    // The number is the mantissa divided by 2 to the power of this.
    let (mantissa, shift) = match exponent {
        // Less than 2⁻¹⁰²².
        0 => (fraction, 1_074),
        1..=1_074 => (fraction | 1 << FRACTION, 1_075 - exponent),
        _ => return None,
    };
    // Less than 2⁶⁰.
    let exact = mantissa * 100;
    if shift >= 62 {
        return Some(0);
    }
    let (whole, rest, half) = (exact >> shift, exact & ((1 << shift) - 1), 1 << (shift - 1));
    let is_odd = whole & 1 == 1;
    let up = rest > half || rest == half && is_odd;
    Some(whole + u64::from(up))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{push_hundredths, push_whole, push_wide};

    fn written(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"x ".to_vec();
        push(&mut out);
        String::from_utf8_lossy(&out[2..]).into_owned()
    }

    fn check(number: f64) {
        let got = written(|out| push_hundredths(number, out));
        assert_eq!(got, format!("{number:.2}"), "{:x}", number.to_bits());
    }

    #[test]
    fn whole_numbers() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let numbers = powers.flat_map(|power| [power - 1, power, power + 1, power.saturating_mul(7)]);
        for number in numbers.chain([u64::MAX, 1 << 63]) {
            assert_eq!(written(|out| push_whole(number, out)), number.to_string());
            let wide = u128::from(number) * 3;
            assert_eq!(written(|out| push_wide(wide, out)), wide.to_string());
        }
        let most = u128::MAX;
        assert_eq!(written(|out| push_wide(most, out)), most.to_string());
    }

    #[test]
    fn halves_and_ends() {
        for eighths in 0..4_000 {
            check(f64::from(eighths) / 8.0);
            check(f64::from(eighths) / 100.0);
        }
        let limits = [0.0, -0.0, -1.0, f64::MIN_POSITIVE, 5e-324, 0.004_999, 0.005, 0.015];
        let large = [52, 53, 54, 63, 64, 127].map(|exponent| 2_f64.powi(exponent));
        for number in limits.into_iter().chain(large) {
            check(number);
            check(number.next_up());
            check(number.next_down());
        }
        check(8.507_059_173_023_462e37);
        check(f64::INFINITY);
        check(f64::NAN);
    }

    proptest! {
        #[test]
        fn any_number(bits: u64) {
            check(f64::from_bits(bits));
        }

        #[test]
        fn usual_numbers(sum in 0..1_u64 << 50, count in 1..1_000_000_u64, shift in 0..50_u32) {
            #[allow(clippy::cast_precision_loss, reason = "rounded as it comes")]
            let mean = (sum >> shift) as f64 / count as f64;
            check(mean);
            check(mean * mean);
        }

        #[test]
        fn wholes(number: u64, shift in 0..64_u32) {
            let number = number >> shift;
            prop_assert_eq!(written(|out| push_whole(number, out)), number.to_string());
        }
    }
}
