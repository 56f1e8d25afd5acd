//! Numbers in decimal digits, as Dovecot reads them.

use super::digits;

/// Any number of this many digits fits into 64 bits.
const MAX_SAFE_DIGITS: usize = 18;

/// A decimal number, as Dovecot's own parser takes it: an optional `-`, then
/// digits only.
///
/// ```
/// use fantail_event::text::integer;
///
/// assert_eq!(integer(b"-12"), Some(-12));
/// assert_eq!(integer(b"+12"), None);
/// assert_eq!(integer(b"9223372036854775808"), None);
/// ```
#[must_use]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= MAX_SAFE_DIGITS {
        let mut number = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + i64::from(digit);
        }
        return Some(if negative { -number } else { number });
    }
    digits.iter().try_fold(0_i64, |number, byte| {
        let digit = i64::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        let shifted = number.checked_mul(10)?;
        if negative {
            shifted.checked_sub(digit)
        } else {
            shifted.checked_add(digit)
        }
    })
}

/// The decimal number before the first TAB, without a sign, and what follows
/// the TAB; `None` after the number if there is no TAB.
///
/// ```
/// use fantail_event::internal::leading_number;
///
/// assert_eq!(leading_number(b"46\t0\tnlogin"), Some((46, Some(&b"0\tnlogin"[..]))));
/// assert_eq!(leading_number(b"46"), Some((46, None)));
/// assert_eq!(leading_number(b"-1\t0"), None);
/// ```
#[must_use]
#[inline]
pub fn leading_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    match digits::first(text) {
        Some((number, rest)) => Some((number, Some(rest))),
        None => other_leading_number(text),
    }
}

#[inline(never)]
fn other_leading_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    let end = text.iter().position(|byte| *byte == b'\t');
    let (digits, rest) = match end {
        Some(end) => (text.get(..end)?, text.get(end + 1..)),
        None => (text, None),
    };
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })?;
    Some((number, rest))
}
