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
pub(crate) struct Start {
    pub(crate) time: Timestamp,
    /// Durations come from the monotonic clock, which no one can set back.
    instant: Option<Instant>,
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
        Start {
            time: self.now(),
            instant: matches!(self, Self::System).then(Instant::now),
        }
    }

    /// Returns the time at which a span ends now.
    pub(crate) fn end(&self, start: Start) -> Timestamp {
        let Some(instant) = start.instant else {
            return self.now();
        };
        let micros = i64::try_from(instant.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_unix_micros(start.time.unix_micros().saturating_add(micros))
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
