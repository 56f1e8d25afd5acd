//! The counters of pushes.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of pushes, which a scrape shows.
#[derive(Debug, Default)]
pub(crate) struct PushCounters {
    /// Snapshots that were sent as a whole.
    pub(crate) complete: AtomicU64,
    /// Snapshots that were given up, or refused in part.
    pub(crate) incomplete: AtomicU64,
    /// Requests that the target accepted.
    pub(crate) accepted: AtomicU64,
    /// Requests that the target refused for good.
    pub(crate) refused: AtomicU64,
    /// Attempts without an answer, or with an answer that asks for another attempt.
    pub(crate) failed: AtomicU64,
    /// Samples in accepted requests, without those of `refused_samples`.
    pub(crate) sent_samples: AtomicU64,
    /// Samples in refused requests, and those that the target refused of others.
    pub(crate) refused_samples: AtomicU64,
    /// Series whose end was marked.
    pub(crate) ended_series: AtomicU64,
    /// Series whose end cannot be marked, for lack of memory.
    pub(crate) unmarked_series: AtomicU64,
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}
