//! Rate-limited reports of errors.
//!
//! The library prints nothing. A callback gets at most one error per minute, on
//! a thread of the queue.

use std::{
    error::Error,
    fmt,
    time::{Duration, Instant},
};

use crate::sync::{Mutex, PoisonError};

/// Shortest time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// An error of a queue that the callback logs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Trouble<'a> {
    /// The queue's name.
    pub queue: &'a str,
    /// The error.
    pub error: &'a (dyn Error + 'static),
    /// Number of errors since the last report.
    pub untold: u64,
}

impl fmt::Display for Trouble<'_> {
    /// Writes `exporter: error` and the number of unreported errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.queue, self.error)?;
        match self.untold {
            0 => Ok(()),
            untold => write!(f, " ({untold} more errors since the last report)"),
        }
    }
}

pub(super) type Callback = Box<dyn Fn(Trouble<'_>) + Send + Sync>;

/// Calls the callback at most once per minute.
pub(super) struct Reporter {
    name: String,
    callback: Option<Callback>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Reporter {
    pub(super) fn new(name: &str, callback: Option<Callback>) -> Self {
        Self {
            name: name.to_owned(),
            callback,
            told: Mutex::default(),
        }
    }

    pub(super) fn report(&self, error: &(dyn Error + 'static), now: Instant) {
        let Some(callback) = &self.callback else {
            return;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < REPORT_INTERVAL)
        {
            told.untold += 1;
            return;
        }
        told.last = Some(now);
        let untold = std::mem::take(&mut told.untold);
        drop(told);
        callback(Trouble {
            queue: &self.name,
            error,
            untold,
        });
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Reporter");
        debug.field("name", &self.name).finish_non_exhaustive()
    }
}
