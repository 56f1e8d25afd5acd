//! Points in time as Dovecot sends them.

/// Seconds and microseconds since 1970 (UTC).
///
/// The two parts stay apart because a client may send any 64-bit number of
/// seconds; the microseconds are always below 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    seconds: i64,
    micros: u32,
}

impl Timestamp {
    /// Creates a time; `None` if `micros` is not below 1,000,000.
    #[must_use]
    pub const fn new(seconds: i64, micros: u32) -> Option<Self> {
        if micros < 1_000_000 {
            Some(Self { seconds, micros })
        } else {
            None
        }
    }

    /// Creates a time from microseconds since 1970, which may be negative.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        // The remainder of a Euclidean division by 10^6 is in 0..10^6.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rest = micros.rem_euclid(1_000_000) as u32;
        Self {
            seconds: micros.div_euclid(1_000_000),
            micros: rest,
        }
    }

    /// Returns the whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the microseconds within the second, 0 to 999,999.
    #[must_use]
    pub const fn subsec_micros(self) -> u32 {
        self.micros
    }

    /// Returns the microseconds since 1970, saturating at the bounds of `i64`.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.seconds
            .saturating_mul(1_000_000)
            .saturating_add(self.micros as i64)
    }

    /// Returns the microseconds from `earlier` to `self`, negative if `earlier` is
    /// later, saturating at the bounds of `i64`.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.seconds
            .saturating_sub(earlier.seconds)
            .saturating_mul(1_000_000)
            .saturating_add(self.micros as i64 - earlier.micros as i64)
    }
}

/// Rounded down to microseconds.
#[cfg(feature = "std")]
impl From<std::time::SystemTime> for Timestamp {
    fn from(time: std::time::SystemTime) -> Self {
        let micros = match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => {
                let micros = before.duration().as_nanos().div_ceil(1_000);
                i64::try_from(micros).map_or(i64::MIN, |micros| -micros)
            }
        };
        Self::from_unix_micros(micros)
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Timestamp;

    #[test]
    fn a_time_of_the_system_is_rounded_down() {
        let nanos = Duration::from_nanos(1_500);
        assert_eq!(Timestamp::from(UNIX_EPOCH + nanos).unix_micros(), 1);
        assert_eq!(Timestamp::from(UNIX_EPOCH - nanos).unix_micros(), -2);
    }
}
