//! Values from their texts, for the standard `parse`.

use core::{error::Error, fmt, str::FromStr};

use super::{dialect::Dialect, ip::Ip, level::Level};

/// A text is no value of the type.
///
/// ```
/// use fantail_event::Level;
///
/// let error = "loud".parse::<Level>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "expected a level: `debug`, `info`, `warning`, `error`, `fatal` or `panic`"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseValueError {
    expected: &'static str,
}

impl ParseValueError {
    /// Creates an error that names what was expected, with its article: `an address`.
    #[must_use]
    pub const fn new(expected: &'static str) -> Self {
        Self { expected }
    }
}

impl fmt::Display for ParseValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl Error for ParseValueError {}

impl FromStr for Level {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let expected = "a level: `debug`, `info`, `warning`, `error`, `fatal` or `panic`";
        Self::from_name(text.as_bytes()).ok_or(ParseValueError::new(expected))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dialect {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        Self::from_version(text).ok_or(ParseValueError::new("a series of Dovecot: `2.3` or `2.4`"))
    }
}

impl FromStr for Ip {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        Self::parse(text.as_bytes()).ok_or(ParseValueError::new("an IP address"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use core::{fmt::Display, str::FromStr};

    use super::{Dialect, Ip, Level};

    fn check<T: FromStr + Display>(texts: &[&str], wrong: &str) {
        for text in texts {
            assert_eq!(text.parse::<T>().ok().unwrap().to_string(), *text);
        }
        assert!(wrong.parse::<T>().is_err(), "{wrong}");
    }

    #[test]
    fn values_are_parsed_as_they_are_shown() {
        check::<Level>(
            &["debug", "info", "warning", "error", "fatal", "panic"],
            "Info",
        );
        check::<Dialect>(&["2.3", "2.4"], "2.5");
        check::<Ip>(&["192.0.2.1", "::1"], "1.2.3.4.5");
    }
}
