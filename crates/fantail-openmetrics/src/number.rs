//! Numbers as the formats want them.

use std::fmt::Write as _;

/// Appends a whole number.
#[inline]
pub(crate) fn push_whole(number: u128, out: &mut String) {
    match u64::try_from(number) {
        Ok(number) => push_padded(number, 1, out),
        // Writing to a string cannot fail.
        Err(_) => _ = write!(out, "{number}"),
    }
}

/// Appends microseconds as seconds, exactly.
#[inline]
pub(crate) fn push_seconds(micros: u128, out: &mut String) {
    const MILLION: u64 = 1_000_000;
    // Division of 128 bits takes ten times as long.
    let rest = match u64::try_from(micros) {
        Ok(micros) => {
            push_padded(micros / MILLION, 1, out);
            micros % MILLION
        }
        Err(_) => {
            push_whole(micros / u128::from(MILLION), out);
            u64::try_from(micros % u128::from(MILLION)).unwrap_or(0)
        }
    };
    out.push('.');
    push_padded(rest, 6, out);
}

/// Appends what `{:.6}` would: the exact value of a number, rounded to the
/// nearest, to the even one where two are as near.
pub(crate) fn push_millionths(number: f32, out: &mut String) {
    match millionths(number) {
        Some(millionths) => push_seconds(millionths.into(), out),
        // Writing to a string cannot fail.
        None => _ = write!(out, "{number:.6}"),
    }
}

/// `None` for negative numbers and those of 2²⁴ and more.
fn millionths(number: f32) -> Option<u64> {
    const FRACTION: u32 = f32::MANTISSA_DIGITS - 1;
    let bits = number.to_bits();
    // With the sign, which makes it too great.
    let exponent = bits >> FRACTION;
    let fraction = u64::from(bits & ((1 << FRACTION) - 1));
    // The number is the mantissa divided by 2 to the power of this.
    let (mantissa, shift) = match exponent {
        // Less than 2⁻¹²⁶.
        0 => (fraction, 149),
        1..=149 => (fraction | 1 << FRACTION, 150 - exponent),
        _ => return None,
    };
    // Less than 2⁴⁴.
    let exact = mantissa * 1_000_000;
    if shift >= 46 {
        return Some(0);
    }
    let (whole, rest, half) = (
        exact >> shift,
        exact & ((1 << shift) - 1),
        1 << (shift - 1),
    );
    let is_odd = whole & 1 == 1;
    let up = rest > half || rest == half && is_odd;
    Some(whole + u64::from(up))
}

/// Appends a number with so many digits at least, 20 at most. Half of the
/// time of an answer would go to the machinery of `format!`.
#[inline]
fn push_padded(mut number: u64, at_least: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut written = 0;
    for digit in digits.iter_mut().rev() {
        if number == 0 && written >= at_least {
            break;
        }
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        written += 1;
    }
    let digits = digits.get(digits.len() - written..).unwrap_or_default();
    out.push_str(str::from_utf8(digits).unwrap_or_default());
}

/// The bound of a bucket: all its digits, `1.0` and not `1`, with an exponent
/// where Go would write one. OpenMetrics wants one spelling for one bound, and
/// this is the one; no two bounds have the same.
///
/// `value` is divided by 10 to the power of `decimals`.
pub(crate) fn bound(value: u64, decimals: usize) -> String {
    if value == 0 {
        return "0.0".to_owned();
    }
    let all = value.to_string();
    let digits = all.trim_end_matches('0');
    // How many digits are before the point; it can be negative.
    let zeros_after_point = decimals.saturating_sub(all.len());
    let Some(before) = all.len().checked_sub(decimals).filter(|before| *before > 0) else {
        if zeros_after_point > 3 {
            return with_exponent(digits, '-', zeros_after_point + 1);
        }
        return format!("0.{}{digits}", "0".repeat(zeros_after_point));
    };
    if before > 6 {
        return with_exponent(digits, '+', before - 1);
    }
    match digits.split_at_checked(before) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
        _ => format!("{digits:0<before$}.0"),
    }
}

fn with_exponent(digits: &str, sign: char, exponent: usize) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e{sign}{exponent:02}")
}

/// Any number.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::{bound, float, push_millionths, push_seconds, push_whole};

    #[test]
    fn bounds_are_spelled_as_go_does() {
        for (value, decimals, expected) in [
            (0, 0, "0.0"),
            (0, 6, "0.0"),
            (1, 6, "1e-06"),
            (10, 6, "1e-05"),
            (25, 6, "2.5e-05"),
            (100, 6, "0.0001"),
            (256, 6, "0.000256"),
            (1_000, 6, "0.001"),
            (123_456, 6, "0.123456"),
            (1_000_000, 6, "1.0"),
            (50_500_000, 6, "50.5"),
            (100_000_000_000, 6, "100000.0"),
            (1_000_000_000_000, 6, "1e+06"),
            (1, 0, "1.0"),
            (100, 0, "100.0"),
            (123_456, 0, "123456.0"),
            (1_000_000, 0, "1e+06"),
            (1_234_567, 0, "1.234567e+06"),
            (4_611_686_018_427_387_904, 0, "4.611686018427387904e+18"),
            (4_611_686_018_427_387_905, 0, "4.611686018427387905e+18"),
        ] {
            assert_eq!(bound(value, decimals), expected);
        }
    }

    fn check(push: fn(u128, &mut String), number: u128, expected: &str) {
        let mut text = "x ".to_owned();
        push(number, &mut text);
        assert_eq!(text.strip_prefix("x "), Some(expected));
    }

    #[test]
    fn numbers_that_are_summed() {
        for number in [0, 9, 10, 99, 100, 1_234_567_890, u64::MAX.into(), 1 << 64] {
            check(push_whole, number, &number.to_string());
        }
        check(push_seconds, 0, "0.000000");
        check(push_seconds, 1_234_567, "1.234567");
        check(push_seconds, 20_000_089, "20.000089");
        check(
            push_seconds,
            u128::from(u64::MAX) * 3,
            "55340232221128.654845",
        );
        check(
            push_seconds,
            u128::MAX,
            "340282366920938463463374607431768.211455",
        );
    }

    #[test]
    fn rounded_seconds() {
        let check = |number: f32| {
            let mut text = String::new();
            push_millionths(number, &mut text);
            assert_eq!(text, format!("{number:.6}"), "{:x}", number.to_bits());
        };
        // Every exponent and sign, and halves of all kinds.
        for step in 0..1 << 16 {
            check(f32::from_bits(step << 16 | step.wrapping_mul(40_503) & 0xffff));
            check(f32::from_bits(step << 16));
            check(f32::from(u16::try_from(step).unwrap()) / 128.0);
        }
        for exponent in -40..40 {
            let power = 2_f32.powi(exponent);
            check(power.next_down());
            check(power.next_up());
            check(power * 3.0);
        }
    }

    #[test]
    fn other_numbers() {
        assert_eq!(float(0.5), "0.5");
        assert_eq!(float(f64::INFINITY), "+Inf");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
        assert_eq!(float(f64::NAN), "NaN");
    }
}
