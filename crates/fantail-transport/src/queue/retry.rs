//! Delays between failed attempts.
//!
//! Pure arithmetic: this module neither sleeps nor reads a clock.

use std::{num::NonZeroU32, time::Duration};

use crate::Retry;

/// Settings for the repetition of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySettings {
    /// Delay after the first failure, by default 200 ms. Each further failure
    /// in a row doubles it.
    pub first: Duration,
    /// Longest delay between attempts, by default one minute.
    pub longest: Duration,
    /// Longest delay that a target may ask for (`Retry-After`), by default one
    /// hour.
    pub longest_asked: Duration,
    /// Number of failures in a row after which payloads are dropped; by default
    /// they never are.
    pub attempts: Option<NonZeroU32>,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(60),
            longest_asked: Duration::from_secs(3600),
            attempts: None,
        }
    }
}

/// Counts failures in a row and computes the delay after each.
///
/// The delay is drawn evenly from the upper half of the exponential delay, so
/// that many senders do not retry at the same time.
///
/// ```
/// use std::time::Duration;
/// use fantail_transport::{Backoff, Retry, RetrySettings};
///
/// let mut backoff = Backoff::new(RetrySettings::default(), 0);
/// let wait = backoff.failed(Retry::Backoff).unwrap();
/// assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_millis(200));
/// let asked = Retry::After(Duration::from_secs(7));
/// assert_eq!(backoff.failed(asked), Some(Duration::from_secs(7)));
/// assert_eq!(backoff.failed(Retry::Never), None);
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    settings: RetrySettings,
    failures: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// Returns a counter without failures that draws delays from this seed.
    #[must_use]
    pub fn new(settings: RetrySettings, seed: u64) -> Self {
        Self {
            settings,
            failures: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Counts a failure. Returns the delay before the next attempt, or `None`
    /// if the payloads are dropped.
    pub fn failed(&mut self, retry: Retry) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let spent = |most: NonZeroU32| self.failures >= most.get();
        if retry == Retry::Never || self.settings.attempts.is_some_and(spent) {
            return None;
        }
        match retry {
            Retry::Now if self.failures == 1 => Some(Duration::ZERO),
            Retry::After(asked) => Some(asked.min(self.settings.longest_asked)),
            _ => Some(self.draw()),
        }
    }

    /// Resets the counter after an attempt with success.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn draw(&mut self) -> Duration {
        // Beyond 2^31 every delay has reached the longest one.
        let factor = 1_u32 << (self.failures - 1).min(31);
        let due = self.settings.first.saturating_mul(factor);
        let due = due.min(self.settings.longest);
        due.mul_f64(0.5 + self.random.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::{Backoff, RetrySettings};
    use crate::Retry;

    /// Counts failures and compares the last delay with bounds in milliseconds.
    fn check(failures: u32, retry: Retry, expected: Option<(u64, u64)>) {
        let settings = RetrySettings {
            attempts: NonZeroU32::new(1_000),
            ..RetrySettings::default()
        };
        for seed in 0..20 {
            let mut backoff = Backoff::new(settings.clone(), seed);
            let mut last = None;
            for _ in 0..failures {
                last = backoff.failed(retry);
            }
            let fits = match (last, expected) {
                (None, None) => true,
                (Some(wait), Some((least, most))) => {
                    wait >= Duration::from_millis(least) && wait <= Duration::from_millis(most)
                }
                _ => false,
            };
            assert!(fits, "{failures} failures, {retry:?}: {last:?}");
        }
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        check(1, Retry::Backoff, Some((100, 200)));
        check(2, Retry::Backoff, Some((200, 400)));
        check(5, Retry::Backoff, Some((1_600, 3_200)));
        check(10, Retry::Backoff, Some((30_000, 60_000)));
        check(999, Retry::Backoff, Some((30_000, 60_000)));
        check(1_000, Retry::Backoff, None);
    }

    #[test]
    fn errors_change_the_delay() {
        check(1, Retry::Now, Some((0, 0)));
        check(2, Retry::Now, Some((200, 400)));
        check(
            3,
            Retry::After(Duration::from_secs(5)),
            Some((5_000, 5_000)),
        );
        let year = Retry::After(Duration::from_secs(365 * 86_400));
        check(1, year, Some((3_600_000, 3_600_000)));
        check(1, Retry::Never, None);
    }

    #[test]
    fn a_success_resets_the_delay() {
        let mut backoff = Backoff::new(RetrySettings::default(), 7);
        for _ in 0..9 {
            _ = backoff.failed(Retry::Backoff);
        }
        backoff.succeeded();
        assert!(backoff.failed(Retry::Backoff) <= Some(Duration::from_millis(200)));
    }
}
