//! Time intervals: `250ms`, `5 secs`, `1w`.
//!
//! As in Dovecot: a number, spaces, and the beginning of a unit's name in any
//! letter case; `m` alone means minutes. At most 2³²−1 ms.

use std::time::Duration;

use fantail_event::Dialect;

/// Names of units and their length in ms. The first that fits counts.
const UNITS: [(&str, u64); 10] = [
    ("mins", 60_000),
    ("minutes", 60_000),
    ("msecs", 1),
    ("mseconds", 1),
    ("millisecs", 1),
    ("milliseconds", 1),
    ("secs", 1_000),
    ("seconds", 1_000),
    ("hours", 3_600_000),
    ("days", 86_400_000),
];
const WEEKS: (&str, u64) = ("weeks", 604_800_000);

/// Why an interval cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntervalError {
    Syntax,
    NoUnit,
    TooLarge,
}

impl IntervalError {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Syntax => "it is no number with a unit",
            Self::NoUnit => "the unit is missing",
            Self::TooLarge => "it is longer than 4294967295 ms",
        }
    }
}

/// Reads an interval; `None` means for ever.
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
    let unit = unit.get(spaces..).unwrap_or_default().to_ascii_lowercase();
    if unit.is_empty() {
        return match number {
            0 => Ok(Some(Duration::ZERO)),
            _ => Err(IntervalError::NoUnit),
        };
    }
    let mut units = UNITS.iter().chain([&WEEKS]);
    let length = units.find(|(name, _)| name.as_bytes().starts_with(&unit));
    let (_, length) = length.ok_or(IntervalError::Syntax)?;
    let milliseconds = number.checked_mul(*length).ok_or(IntervalError::TooLarge)?;
    let milliseconds = u32::try_from(milliseconds).map_err(|_| IntervalError::TooLarge)?;
    Ok(Some(Duration::from_millis(milliseconds.into())))
}
