//! Values as text without allocation, and exact order of numbers.

use core::{
    cmp::Ordering,
    fmt::{self, Write},
};

use fantail_event::Ip;

/// The longest of them: an IPv6 address with a zone.
const MAX_BYTES: usize = 64;

/// A short text on the stack.
pub(crate) struct ShortText {
    bytes: [u8; MAX_BYTES],
    len: usize,
}

impl ShortText {
    pub(crate) fn of_number(number: i64) -> Self {
        Self::of(format_args!("{number}"))
    }

    pub(crate) fn of_unsigned(number: u64) -> Self {
        Self::of(format_args!("{number}"))
    }

    /// The shortest text that reads back as the same number.
    pub(crate) fn of_float(number: f64) -> Self {
        Self::of(format_args!("{number:?}"))
    }

    /// Returns Dovecot's form of a boolean.
    pub(crate) fn of_bool(truth: bool) -> Self {
        Self::of(format_args!("{}", if truth { "yes" } else { "no" }))
    }

    pub(crate) fn of_ip(ip: Ip) -> Self {
        Self::of(format_args!("{ip}"))
    }

    fn of(text: fmt::Arguments<'_>) -> Self {
        let mut short = Self {
            bytes: [0; MAX_BYTES],
            len: 0,
        };
        // No number and no address is longer.
        _ = short.write_fmt(text);
        short
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// The exact order of a floating point number and an integer; `None` for NaN.
pub(crate) fn compare_float(float: f64, integer: i64) -> Option<Ordering> {
    /// 2^63, the first number that `i64` does not have.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= END {
        return Some(Ordering::Greater);
    }
    if float < -END {
        return Some(Ordering::Less);
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the fraction is compared after"
    )]
    let whole = float as i64;
    #[allow(clippy::cast_precision_loss, reason = "it was a float")]
    let fraction = float - whole as f64;
    Some(whole.cmp(&integer))
        .map(|order| order.then(fraction.partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}

/// The greatest integer not above a number and the least not below it, clamped to
/// `i64`. `None` for NaN.
pub(crate) fn around_float(float: f64) -> Option<(i64, i64)> {
    #[allow(clippy::cast_possible_truncation, reason = "it is held at the ends")]
    let whole = float as i64;
    Some(match compare_float(float, whole)? {
        Ordering::Less => (whole.saturating_sub(1), whole),
        Ordering::Equal => (whole, whole),
        Ordering::Greater => (whole, whole.saturating_add(1)),
    })
}

#[cfg(test)]
mod tests {
    use core::cmp::Ordering::{Equal, Greater, Less};

    use super::{around_float, compare_float};

    #[test]
    fn floats_and_integers_have_an_order() {
        let check = |float, integer, expected| {
            assert_eq!(compare_float(float, integer), expected, "{float} {integer}");
        };
        check(1.5, 1, Some(Greater));
        check(1.5, 2, Some(Less));
        check(-1.5, -1, Some(Less));
        check(-1.5, -2, Some(Greater));
        check(-0.0, 0, Some(Equal));
        check(3.0, 3, Some(Equal));
        check(f64::NAN, 0, None);
        check(f64::INFINITY, i64::MAX, Some(Greater));
        check(f64::NEG_INFINITY, i64::MIN, Some(Less));
        check(9_223_372_036_854_775_808.0, i64::MAX, Some(Greater));
        check(-9_223_372_036_854_775_808.0, i64::MIN, Some(Equal));
        assert_eq!(around_float(1.5), Some((1, 2)));
        assert_eq!(around_float(-1.5), Some((-2, -1)));
        assert_eq!(around_float(4.0), Some((4, 4)));
        assert_eq!(around_float(f64::INFINITY), Some((i64::MAX, i64::MAX)));
    }
}
