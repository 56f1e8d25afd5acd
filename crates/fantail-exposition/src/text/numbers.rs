//! Numbers in the forms of the formats.

use super::{
    decimal::{push_padded, push_whole, push_wide},
    rows::RowWriter,
};

/// Appends microseconds as seconds, exactly.
#[inline]
pub(crate) fn push_seconds(micros: u128, out: &mut Vec<u8>) {
    const MILLION: u64 = 1_000_000;
    // Division of 128 bits is ten times as slow.
    let rest = match u64::try_from(micros) {
        Ok(micros) => {
            push_whole(micros / MILLION, out);
            micros % MILLION
        }
        Err(_) => {
            push_wide(micros / u128::from(MILLION), out);
            u64::try_from(micros % u128::from(MILLION)).unwrap_or(0)
        }
    };
    out.push(b'.');
    push_padded(rest, 6, out);
}

/// Appends microseconds as seconds, exactly, at the end of a line.
#[inline]
pub(crate) fn write_seconds(micros: u128, line: &mut RowWriter<'_>) {
    const MILLION: u64 = 1_000_000;
    if let Ok(micros) = u64::try_from(micros) {
        line.whole(micros / MILLION);
        line.bytes(b".");
        line.six_digits(micros % MILLION);
    } else {
        let mut text = Vec::new();
        push_seconds(micros, &mut text);
        line.slice(&text);
    }
}

/// Formats the bound of a bucket with all its digits, `1.0` and not `1`, and an
/// exponent where Go would have one: OpenMetrics requires this form. Different
/// values have different texts, even if they are the same floating point
/// number.
///
/// `value` is divided by 10 to the power of `decimals`.
pub(crate) fn bound(value: u64, decimals: usize) -> String {
    if value == 0 {
        return "0.0".to_owned();
    }
    let all = value.to_string();
    let digits = all.trim_end_matches('0');
    // The number of digits before the point; it can be negative.
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

/// Appends a floating point number in the JSON of protobuf: other than finite ones are
/// strings.
pub(crate) fn push_json_float(value: f64, out: &mut Vec<u8>) {
    let text = if value.is_nan() {
        r#""NaN""#.to_owned()
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        format!(r#""{sign}Infinity""#)
    } else {
        format!("{value:?}")
    };
    out.extend_from_slice(text.as_bytes());
}

/// Formats a floating point number.
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
    use super::{bound, float, push_seconds};

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

    fn check(micros: u128, expected: &str) {
        let mut text = b"x ".to_vec();
        push_seconds(micros, &mut text);
        assert_eq!(text.strip_prefix(b"x "), Some(expected.as_bytes()));
    }

    #[test]
    fn numbers_that_are_summed() {
        check(0, "0.000000");
        check(1_234_567, "1.234567");
        check(20_000_089, "20.000089");
        check(u128::from(u64::MAX) * 3, "55340232221128.654845");
        check(u128::MAX, "340282366920938463463374607431768.211455");
    }

    #[test]
    fn other_numbers() {
        assert_eq!(float(0.5), "0.5");
        assert_eq!(float(f64::INFINITY), "+Inf");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
        assert_eq!(float(f64::NAN), "NaN");
    }
}
