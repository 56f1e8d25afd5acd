//! The host and the start time of the stats process.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::param::clock_ticks_per_second;

use super::super::client::Client;
use crate::io::hostname;

/// The stats process at the other end of the socket.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) host: String,
    /// The start time of the process, if known.
    pub(super) started: Option<Instant>,
}

impl Peer {
    pub(super) fn of(client: &Client) -> Self {
        let host = String::from_utf8_lossy(&hostname::of_this_machine()).into_owned();
        let age = client.server_pid().and_then(age);
        Self {
            host,
            started: age.and_then(|age| Instant::now().checked_sub(age)),
        }
    }
}

/// Returns the time since a process started.
fn age(pid: i32) -> Option<Duration> {
    #[allow(clippy::disallowed_methods, reason = "texts of the kernel")]
    let [stat, uptime] = [format!("/proc/{pid}/stat"), "/proc/uptime".to_owned()]
        .map(|path| fs::read_to_string(path).ok());
    let uptime: f64 = uptime?.split(' ').next()?.parse().ok()?;
    // The name of the program is in parentheses and may contain blanks.
    let stat = stat?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().nth(START_FIELD)?.parse().ok()?;
    let since_boot = Duration::from_millis(ticks * 1000 / clock_ticks_per_second().max(1));
    let uptime = Duration::try_from_secs_f64(uptime).ok()?;
    Some(uptime.saturating_sub(since_boot))
}

/// The index of `starttime` in `/proc/PID/stat`, among the fields after the name.
const START_FIELD: usize = 19;

/// Formats a duration in its two largest units.
pub(super) fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn times_have_two_units() {
        let check = |seconds, expected: &str| {
            assert_eq!(super::show(Duration::from_secs(seconds)), expected);
        };
        check(59, "59 s");
        check(61, "1 min 1 s");
        check(3_700, "1 h 1 min");
        check(200_000, "2 d 7 h");
    }

    #[test]
    fn this_process_is_younger_than_an_hour() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(super::age(own).unwrap() < Duration::from_secs(3600));
        assert_eq!(super::age(0), None);
    }
}
