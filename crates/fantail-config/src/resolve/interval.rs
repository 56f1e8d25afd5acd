//! Time intervals: `250ms`, `5 secs`, `1w`.
//!
//! As in Dovecot, an interval is a number, spaces, and the beginning of a
//! unit's name in any letter case; `m` alone is minutes. The maximum is 2³²−1
//! ms.

use std::time::Duration;

use fantail_event::Dialect;
use fantail_syntax::internal::unit_milliseconds;

/// The reason why an interval is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntervalError {
    Syntax,
    NoUnit,
    TooLarge,
}

impl IntervalError {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Syntax => "expected a number with a unit, such as `5 secs`",
            Self::NoUnit => "the unit is missing",
            Self::TooLarge => "it is longer than 4294967295 ms",
        }
    }
}

/// Parses an interval; `None` is unlimited.
pub(crate) fn parse(text: &[u8], dialect: Dialect) -> Result<Option<Duration>, IntervalError> {
    if dialect == Dialect::V2_4 && (text == b"infinite" || text == b"unlimited") {
        return Ok(None);
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or_default();
    if number.is_empty() {
        return Err(IntervalError::Syntax);
    }
    let number = std::str::from_utf8(number)
        .ok()
        .and_then(|number| number.parse::<u64>().ok());
    let number = number.ok_or(IntervalError::Syntax)?;
    let spaces = unit.iter().take_while(|byte| **byte == b' ').count();
    let unit = unit.get(spaces..).unwrap_or_default();
    if unit.is_empty() {
        return match number {
            0 => Ok(Some(Duration::ZERO)),
            _ => Err(IntervalError::NoUnit),
        };
    }
    let length = unit_milliseconds(unit).ok_or(IntervalError::Syntax)?;
    let milliseconds = number.checked_mul(length.into());
    let milliseconds = milliseconds.ok_or(IntervalError::TooLarge)?;
    let milliseconds = u32::try_from(milliseconds).map_err(|_| IntervalError::TooLarge)?;
    Ok(Some(Duration::from_millis(milliseconds.into())))
}

/// Parses a limited interval; returns `None` for other text.
#[must_use]
pub fn parse_finite(text: &[u8]) -> Option<Duration> {
    parse(text, Dialect::V2_3).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what a `transport_timeout` of 2.3.19 and a `unix_connect_timeout`
    /// of 2.4.1 accept; `None` is refused.
    #[track_caller]
    fn check(text: &str, milliseconds: Option<u64>) {
        for dialect in [Dialect::V2_3, Dialect::V2_4] {
            let got = parse(text.as_bytes(), dialect).ok();
            let expected = milliseconds.map(|length| Some(Duration::from_millis(length)));
            assert_eq!(got, expected, "{text:?}");
        }
    }

    #[test]
    fn units() {
        for text in [
            "5s",
            "5 s",
            "5sec",
            "5secs",
            "5 second",
            "5 seconds",
            "5S",
            "05s",
            "5  s",
        ] {
            check(text, Some(5_000));
        }
        for text in [
            "5ms",
            "5mse",
            "5msec",
            "5mseconds",
            "5mil",
            "5millisecs",
            "5milliseconds",
            "5MS",
        ] {
            check(text, Some(5));
        }
        for text in ["5m", "5mi", "5min", "5mins", "5minutes", "5M"] {
            check(text, Some(300_000));
        }
        check("5h", Some(18_000_000));
        check("5 d", Some(432_000_000));
        check("5weeks", Some(3_024_000_000));
    }

    #[test]
    fn bounds() {
        for text in ["0", "00", "0ms"] {
            check(text, Some(0));
        }
        check("4294967295ms", Some(4_294_967_295));
        check("4294967 s", Some(4_294_967_000));
        check("49 days", Some(4_233_600_000));
        for text in [
            "4294967296ms",
            "4294968 s",
            "50 days",
            "7101 weeks",
            "18446744073709551615ms",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "5",
            "s",
            "5secx",
            "5us",
            "+5s",
            " 5s",
            "5s5",
            "0x5s",
            "0 x",
            "5 s ",
            "1.5s",
            "5\ts",
            "18446744073709551616ms",
            "Infinite",
            "-5ms",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn for_ever() {
        for text in [&b"infinite"[..], b"unlimited"] {
            assert_eq!(parse(text, Dialect::V2_4), Ok(None));
            assert_eq!(parse(text, Dialect::V2_3), Err(IntervalError::Syntax));
        }
    }
}
