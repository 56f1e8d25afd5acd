//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the Unix time in milliseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "a queue lives in real time; replays have none"
)]
pub(crate) fn unix_millis() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}
