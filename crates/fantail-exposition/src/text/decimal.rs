//! Decimal numbers of dumps and scrapes.
//!
//! `format!` would dominate the time of an answer.

use std::io::Write as _;

use fantail_event::internal::decimal::{eight, short};

/// Appends an integer.
#[inline]
pub(crate) fn push_whole(number: u64, out: &mut Vec<u8>) {
    match number {
        // Most counts of a dump are small: this is four times as fast as
        // `itoa`.
        0..10 => out.push(b'0' | u8::try_from(number).unwrap_or(0)),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Appends a number below 10⁸, padded with zeros to `at_least` digits, at most
/// eight. `itoa` does not pad.
#[inline]
pub(crate) fn push_padded(number: u64, at_least: usize, out: &mut Vec<u8>) {
    const MAX_DIGITS: usize = 8;
    debug_assert!(number < 100_000_000 && at_least <= MAX_DIGITS);
    let number = u32::try_from(number).unwrap_or_default();
    let (_, length) = short(number);
    let length = length.max(at_least).min(MAX_DIGITS);
    // Appends a block of fixed size, then cuts it.
    let digits = u64::from_le_bytes(eight(number)) >> (8 * (MAX_DIGITS - length));
    let end = out.len() + length;
    out.extend_from_slice(&digits.to_le_bytes());
    out.truncate(end);
}

/// Appends an integer of up to 128 bits.
#[inline]
pub(crate) fn push_wide(number: u128, out: &mut Vec<u8>) {
    match u64::try_from(number) {
        Ok(number) => push_whole(number, out),
        // Writing to a vector cannot fail.
        Err(_) => _ = write!(out, "{number}"),
    }
}

/// Appends a number with `decimals` decimals, at most 6, as `{:.2}` does: the
/// exact value is rounded to the nearest, ties to even.
pub(crate) fn push_fixed(number: f64, decimals: usize, out: &mut Vec<u8>) {
    let scale = scale(decimals);
    match scale.and_then(|scale| Some((scale, scaled(number, scale)?))) {
        Some((scale, scaled)) => {
            push_whole(scaled / scale, out);
            if decimals > 0 {
                out.push(b'.');
                push_padded(scaled % scale, decimals, out);
            }
        }
        // Writing to a vector cannot fail.
        None => _ = write!(out, "{number:.decimals$}"),
    }
}

const fn scale(decimals: usize) -> Option<u64> {
    const SCALES: [u64; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    if decimals < SCALES.len() {
        Some(SCALES[decimals])
    } else {
        None
    }
}

/// Returns a number times `scale`, rounded as in [`push_fixed`]. Returns `None`
/// for negative numbers, for numbers from 2⁵³ on, and if the computation needs
/// more than 64 bits, which no 32-bit number does, nor any with a scale of 100.
pub(crate) fn scaled(number: f64, scale: u64) -> Option<u64> {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = number.to_bits();
    // Includes the sign, so a negative number exceeds the range.
    let exponent = bits >> FRACTION;
    let fraction = bits & ((1 << FRACTION) - 1);
    // The number is the mantissa divided by 2 to the power of `shift`.
    let (mantissa, shift) = match exponent {
        // Subnormal: below 2⁻¹⁰²².
        0 => (fraction, 1_074),
        1..=1_074 => (fraction | 1 << FRACTION, 1_075 - exponent),
        _ => return None,
    };
    // Removes trailing zeros.
    let zeros = u64::from(mantissa.trailing_zeros()).min(shift);
    let (mantissa, shift) = (mantissa >> zeros.min(63), shift - zeros);
    let exact = mantissa.checked_mul(scale)?;
    if shift >= 64 {
        // Less than a half, or too close to it to decide.
        return (shift > 64 || exact >> 63 == 0).then_some(0);
    }
    if shift == 0 {
        return Some(exact);
    }
    let (whole, rest, half) = (exact >> shift, exact & ((1 << shift) - 1), 1 << (shift - 1));
    let is_odd = whole & 1 == 1;
    let up = rest > half || rest == half && is_odd;
    Some(whole + u64::from(up))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{push_fixed, push_padded, push_whole, push_wide};

    fn written(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"x ".to_vec();
        push(&mut out);
        String::from_utf8_lossy(&out[2..]).into_owned()
    }

    #[track_caller]
    fn check(number: f64) {
        for decimals in [2, 6, 0] {
            let got = written(|out| push_fixed(number, decimals, out));
            assert_eq!(
                got,
                format!("{number:.decimals$}"),
                "{:x}",
                number.to_bits()
            );
        }
    }

    fn check_whole(number: u64, at_least: usize) {
        assert_eq!(written(|out| push_whole(number, out)), number.to_string());
        let short = number % 100_000_000;
        let padded = written(|out| push_padded(short, at_least, out));
        assert_eq!(padded, format!("{short:0>at_least$}"));
        let wide = u128::from(number) * 3;
        assert_eq!(written(|out| push_wide(wide, out)), wide.to_string());
    }

    #[test]
    fn whole_numbers() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let numbers = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(7)]);
        for number in numbers.chain([u64::MAX, 1 << 63]) {
            for at_least in [1, 2, 5, 6, 8] {
                check_whole(number, at_least);
            }
        }
        let most = u128::MAX;
        assert_eq!(written(|out| push_wide(most, out)), most.to_string());
    }

    #[test]
    fn halves_and_ends() {
        for eighths in 0..4_000 {
            check(f64::from(eighths) / 8.0);
            check(f64::from(eighths) / 128.0);
            check(f64::from(eighths) / 100.0);
        }
        let limits = [
            0.0,
            -0.0,
            -1.0,
            f64::MIN_POSITIVE,
            5e-324,
            0.004_999,
            0.005,
            0.015,
        ];
        let powers = (-80..130).map(|exponent| 2_f64.powi(exponent));
        for number in limits.into_iter().chain(powers) {
            check(number);
            check(number.next_up());
            check(number.next_down());
            check(number * 3.0);
        }
        check(8.507_059_173_023_462e37);
        check(f64::INFINITY);
        check(f64::NAN);
    }

    proptest! {
        #[test]
        fn any_number(bits: u64, narrow: u32) {
            check(f64::from_bits(bits));
            check(f64::from(f32::from_bits(narrow)));
        }

        #[test]
        fn usual_numbers(sum in 0..1_u64 << 50, count in 1..1_000_000_u64, shift in 0..50_u32) {
            #[allow(clippy::cast_precision_loss, reason = "rounded as it comes")]
            let mean = (sum >> shift) as f64 / count as f64;
            check(mean);
            check(mean * mean);
            #[allow(clippy::cast_precision_loss, reason = "rounded as it comes")]
            let seconds = (sum >> shift) as f32 / 1e6;
            check(f64::from(seconds));
        }

        #[test]
        fn wholes(number: u64, shift in 0..64_u32, at_least in 1..=8_usize) {
            check_whole(number >> shift, at_least);
        }
    }
}
