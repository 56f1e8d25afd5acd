//! Local time in log lines.

use jiff::{Timestamp, Zoned, fmt::strtime, tz::TimeZone};

use crate::LogSettings;

/// Formats the local time, once per second.
#[derive(Debug)]
pub(crate) struct LocalClock {
    /// In the format of `strftime`.
    format: String,
    second: i64,
    text: Vec<u8>,
}

impl LocalClock {
    pub(crate) const fn new(format: String) -> Self {
        Self {
            format,
            second: i64::MIN,
            text: Vec::new(),
        }
    }

    /// Returns the time of day as text.
    pub(crate) fn now(&mut self) -> &[u8] {
        let now = Timestamp::now();
        if now.as_second() != self.second {
            self.second = now.as_second();
            self.text = text(&self.format, &now.to_zoned(TimeZone::system())).into_bytes();
        }
        &self.text
    }
}

/// Formats a time. Conversions that are not known here give the default format.
fn text(format: &str, time: &Zoned) -> String {
    strtime::format(format, time)
        .or_else(|_| strtime::format(LogSettings::DEFAULT_TIMESTAMP, time))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_format_of_the_settings() {
        let check = |format: &str, expected: &str| {
            let time = Timestamp::from_second(1_796_000_291).unwrap();
            assert_eq!(text(format, &time.to_zoned(TimeZone::UTC)), expected);
        };
        check(LogSettings::DEFAULT_TIMESTAMP, "Nov 30 00:58:11 ");
        check("%Y-%m-%d %H:%M:%S %z ", "2026-11-30 00:58:11 +0000 ");
        check("", "");
        check("%!", "Nov 30 00:58:11 ");
    }
}
