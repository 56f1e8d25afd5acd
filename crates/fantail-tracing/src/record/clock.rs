//! The times of events.

use std::{
    fmt,
    sync::Arc,
    time::{Instant, SystemTime},
};

use fantail_event::Timestamp;

/// The clock of a layer.
#[derive(Clone, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    /// For filters, which read no time of a span.
    Unused,
    Given(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

/// The start of a span.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Start {
    /// Durations come from the monotonic clock, which no one can set back; the time of
    /// the start follows from it when it is needed.
    Monotonic(Instant),
    Time(Timestamp),
    #[default]
    Unknown,
}

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the events of a program happen now"
    )]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System => SystemTime::now().into(),
            Self::Unused => Timestamp::default(),
            Self::Given(now) => now(),
        }
    }

    pub(crate) fn start(&self) -> Start {
        match self {
            Self::System => Start::Monotonic(Instant::now()),
            Self::Unused => Start::Unknown,
            Self::Given(now) => Start::Time(now()),
        }
    }

    /// Returns the microseconds since a start.
    pub(crate) fn micros_since(&self, start: Start) -> i64 {
        match start {
            Start::Monotonic(start) => {
                i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX)
            }
            Start::Time(start) => self.now().micros_since(start).max(0),
            Start::Unknown => 0,
        }
    }

    /// Returns the time of a start.
    pub(crate) fn time_of(&self, start: Start) -> Timestamp {
        match start {
            Start::Monotonic(_) => {
                let micros = self.now().unix_micros();
                Timestamp::from_unix_micros(micros.saturating_sub(self.micros_since(start)))
            }
            Start::Time(time) => time,
            Start::Unknown => Timestamp::default(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Unused => "Unused",
            Self::Given(_) => "Given",
        })
    }
}
