//! Rate limit and sampling of events.
//!
//! The caller passes the time and a seed for the samples, so that a replay
//! drops the same events.

use std::{num::NonZeroU32, time::Duration};

/// The events that an exporter admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThrottleSettings {
    /// Admits one event in this many, drawn at random; `None` admits all.
    pub sample: Option<NonZeroU32>,
    /// Sampled events admitted per second in the long run; `None` for no limit.
    pub rate: Option<NonZeroU32>,
    /// Events admitted at once after a quiet time, if `rate` is set; `None` for
    /// the events of one second.
    pub burst: Option<NonZeroU32>,
}

impl ThrottleSettings {
    /// Returns whether every event is admitted.
    #[must_use]
    pub fn admits_all(&self) -> bool {
        self.rate.is_none() && self.sample.is_none_or(|one_in| one_in == NonZeroU32::MIN)
    }
}

/// The decision about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// The event is exported.
    Admitted,
    /// The event was not drawn for the sample.
    Sampled,
    /// The event exceeds the rate limit.
    RateLimited,
}

/// Decides which events are exported, and counts the others.
///
/// ```
/// use std::{num::NonZeroU32, time::Duration};
/// use fantail_transport::{Admission, Throttle, ThrottleSettings};
///
/// let two = NonZeroU32::new(2).unwrap();
/// let settings = ThrottleSettings { rate: Some(two), ..ThrottleSettings::default() };
/// let mut throttle = Throttle::new(settings, 0);
/// let at = [0, 0, 0, 499, 500, 501, 1000].map(Duration::from_millis);
/// use Admission::{Admitted, RateLimited};
/// assert_eq!(
///     at.map(|time| throttle.admit(time)),
///     [Admitted, Admitted, RateLimited, RateLimited, Admitted, RateLimited, Admitted],
/// );
/// assert_eq!((throttle.sampled(), throttle.rate_limited()), (0, 3));
/// ```
#[derive(Debug, Clone)]
pub struct Throttle {
    settings: ThrottleSettings,
    random: fastrand::Rng,
    /// The time until which the admitted events use up the rate.
    spent: Duration,
    sampled: u64,
    rate_limited: u64,
}

impl Throttle {
    /// Returns a throttle that draws samples from this seed.
    #[must_use]
    pub fn new(settings: ThrottleSettings, seed: u64) -> Self {
        Self {
            settings,
            random: fastrand::Rng::with_seed(seed),
            spent: Duration::ZERO,
            sampled: 0,
            rate_limited: 0,
        }
    }

    /// Decides about an event at this time. The time counts from any origin.
    /// A time that goes back does not raise the rate.
    pub fn admit(&mut self, now: Duration) -> Admission {
        if let Some(one_in) = self.settings.sample
            && self.random.u32(0..one_in.get()) != 0
        {
            self.sampled += 1;
            return Admission::Sampled;
        }
        if let Some(rate) = self.settings.rate
            && !self.has_room(rate, now)
        {
            self.rate_limited += 1;
            return Admission::RateLimited;
        }
        Admission::Admitted
    }

    /// Applies the generic cell rate algorithm: each event uses up the rate for
    /// one interval, and a burst may be ahead by `burst` intervals.
    fn has_room(&mut self, rate: NonZeroU32, now: Duration) -> bool {
        let burst = self.settings.burst.unwrap_or(rate);
        let interval = Duration::from_secs(1) / rate.get();
        let ahead = interval.saturating_mul(burst.get() - 1);
        let room = self.spent <= now.saturating_add(ahead);
        if room {
            self.spent = self.spent.max(now).saturating_add(interval);
        }
        room
    }

    /// Returns how many events were not drawn for the sample.
    #[must_use]
    pub const fn sampled(&self) -> u64 {
        self.sampled
    }

    /// Returns how many events exceeded the rate limit.
    #[must_use]
    pub const fn rate_limited(&self) -> u64 {
        self.rate_limited
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::{Admission, Throttle, ThrottleSettings};

    /// Spreads events evenly over seconds and compares how many are admitted.
    fn check(settings: ThrottleSettings, events: u32, seconds: u32, expected: (u32, u32)) {
        let mut throttle = Throttle::new(settings, 1);
        let mut admitted = 0;
        for event in 0..events {
            let now = Duration::from_secs(1_000)
                + Duration::from_secs(u64::from(seconds)) * event / events;
            admitted += u32::from(throttle.admit(now) == Admission::Admitted);
        }
        let (least, most) = expected;
        assert!((least..=most).contains(&admitted), "{admitted} of {events}");
        let dropped = throttle.sampled() + throttle.rate_limited();
        assert_eq!(u64::from(events - admitted), dropped);
    }

    /// Settings, where 0 stands for `None`.
    fn settings(sample: u32, rate: u32, burst: u32) -> ThrottleSettings {
        ThrottleSettings {
            sample: NonZeroU32::new(sample),
            rate: NonZeroU32::new(rate),
            burst: NonZeroU32::new(burst),
        }
    }

    #[test]
    fn the_rate_is_kept_in_the_long_run() {
        check(settings(0, 0, 0), 1_000, 1, (1_000, 1_000));
        check(settings(0, 10, 1), 100_000, 100, (1_000, 1_000));
        check(settings(0, 10, 50), 100_000, 100, (1_049, 1_049));
        check(settings(0, 10, 0), 100_000, 100, (1_009, 1_009));
        // Fewer than the limit all pass.
        check(settings(0, 10, 1), 900, 100, (900, 900));
    }

    #[test]
    fn samples_are_drawn_at_the_rate_of_the_settings() {
        check(settings(1, 0, 0), 1_000, 1, (1_000, 1_000));
        check(settings(10, 0, 0), 100_000, 1, (9_700, 10_300));
        check(settings(u32::MAX, 0, 0), 1_000, 1, (0, 1));
        // 1,000 sampled events per second at random times, and a limit of 100:
        // one each 10 ms, and 1 ms on average until the next one comes.
        check(settings(10, 100, 1), 100_000, 10, (890, 930));
    }

    #[test]
    fn settings_that_admit_all() {
        let check = |settings: ThrottleSettings, expected| {
            assert_eq!(settings.admits_all(), expected, "{settings:?}");
        };
        check(settings(0, 0, 0), true);
        check(settings(1, 0, 5), true);
        check(settings(2, 0, 0), false);
        check(settings(1, 1, 0), false);
    }

    #[test]
    fn time_that_goes_back_does_not_open_the_gate() {
        let mut throttle = Throttle::new(settings(0, 1, 1), 0);
        let at = [100, 0, 50, 100, 101].map(Duration::from_secs);
        let admitted = at.map(|now| throttle.admit(now) == Admission::Admitted);
        assert_eq!(admitted, [true, false, false, false, true]);
    }
}
