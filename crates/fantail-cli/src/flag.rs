//! Values of flags: sizes, times and permissions with their units.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use fantail::config::internal::{parse_interval, parse_size};

/// An invalid value of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlagError {
    expected: &'static str,
}

impl FlagError {
    pub(crate) const fn expected(expected: &'static str) -> Self {
        Self { expected }
    }
}

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for FlagError {}

/// The output format of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Plain text.
    Text,
    /// JSON.
    Json,
}

impl Form {
    /// Returns the requested format, from `--format json` or the deprecated `--json`.
    pub(crate) fn of(self, json: bool) -> Self {
        if json { Self::Json } else { self }
    }
}

/// Parses a size: `64M`, `1G`, or a number of bytes.
pub(crate) fn size(text: &str) -> Result<u64, FlagError> {
    const EXPECTED: FlagError = FlagError::expected("a size such as 64M, 1G or 4096");
    parse_size(text.as_bytes()).ok_or(EXPECTED)
}

/// Parses a [`size`] that must fit into `usize`.
pub(crate) fn memory(text: &str) -> Result<usize, FlagError> {
    let bytes = size(text)?;
    usize::try_from(bytes).map_err(|_| FlagError::expected("a size that fits into memory"))
}

/// Parses a time: `5min`, `250ms`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, FlagError> {
    const EXPECTED: FlagError = FlagError::expected("a time such as 30s, 5min or 300");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    parse_interval(text.as_bytes()).ok_or(EXPECTED)
}

/// Parses a [`duration`] that is not zero.
pub(crate) fn interval(text: &str) -> Result<Duration, FlagError> {
    let duration = duration(text)?;
    match duration.is_zero() {
        true => Err(FlagError::expected("a time longer than 0")),
        false => Ok(duration),
    }
}

/// Parses permissions in octal: `0660`.
pub(crate) fn mode(text: &str) -> Result<u32, FlagError> {
    const EXPECTED: FlagError = FlagError::expected("octal permissions from 0 to 0777");
    let mode = u32::from_str_radix(text, 8).map_err(|_| EXPECTED)?;
    (mode <= 0o777).then_some(mode).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Copy + PartialEq + fmt::Debug>(read: Result<T, FlagError>, expected: Option<T>) {
        assert_eq!(read.ok(), expected);
    }

    #[test]
    fn sizes_have_units_or_are_bytes() {
        check(size("4096"), Some(4096));
        check(size("64M"), Some(64 << 20));
        check(size("1 GiB"), Some(1 << 30));
        check(size("64X"), None);
        check(size("-1"), None);
    }

    #[test]
    fn times_have_units_or_are_seconds() {
        check(duration("300"), Some(Duration::from_secs(300)));
        check(duration("5min"), Some(Duration::from_secs(300)));
        check(duration("250ms"), Some(Duration::from_millis(250)));
        check(duration("soon"), None);
        check(interval("0"), None);
        check(interval("1s"), Some(Duration::from_secs(1)));
    }

    #[test]
    fn permissions_are_octal() {
        check(mode("0660"), Some(0o660));
        check(mode("8"), None);
        check(mode("1777"), None);
    }
}
