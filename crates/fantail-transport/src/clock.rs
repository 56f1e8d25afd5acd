//! The clocks of queues and spools.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Returns the Unix time in milliseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "a queue lives in real time; replays have none"
)]
pub(crate) fn unix_millis() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, millis)
}

/// Returns the Unix time in milliseconds by a clock that runs evenly within the
/// process: when the time of day is set, the ages of payloads do not change.
pub(crate) fn even_millis() -> u64 {
    static CLOCK: OnceLock<EvenClock> = OnceLock::new();
    let clock = CLOCK.get_or_init(|| EvenClock {
        start_millis: unix_millis(),
        start: Instant::now(),
    });
    clock.at(Instant::now())
}

/// A time of day and the monotonic time at which it was read.
#[derive(Debug, Clone, Copy)]
struct EvenClock {
    start_millis: u64,
    start: Instant,
}

impl EvenClock {
    fn at(self, now: Instant) -> u64 {
        let elapsed = millis(now.saturating_duration_since(self.start));
        self.start_millis.saturating_add(elapsed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_even_clock_follows_monotonic_time_only() {
        let start = Instant::now();
        // The time of day of this clock is far from that of the system.
        let clock = EvenClock {
            start_millis: 5_000,
            start,
        };
        assert_eq!(clock.at(start), 5_000);
        assert_eq!(clock.at(start + Duration::from_millis(7)), 5_007);
        assert!(even_millis().abs_diff(unix_millis()) < 60_000);
    }
}
