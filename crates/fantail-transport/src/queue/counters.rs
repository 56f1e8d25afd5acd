//! What became of payloads, counted.

use std::time::{Duration, SystemTime};

/// Why a payload was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue in memory was full.
    Full,
    /// The spool on disk was full.
    SpoolFull,
    /// The target did not take it, however often it was tried.
    Failed,
    /// The target refused it for good.
    Refused,
    /// It waited longer than it may.
    Expired,
    /// The spool has lost it: its file was damaged, torn or removed.
    Damaged,
    /// The queue was closed before its turn came.
    Closed,
}

impl DropReason {
    /// All reasons, in the order in which they are best shown.
    pub const ALL: [Self; 7] = [
        Self::Full,
        Self::SpoolFull,
        Self::Failed,
        Self::Refused,
        Self::Expired,
        Self::Damaged,
        Self::Closed,
    ];

    /// A short name, fit for a label of a metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::SpoolFull => "spool_full",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Damaged => "damaged",
            Self::Closed => "closed",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// What became of the payloads so far.
///
/// Nothing goes missing: `queued + recovered = sent + all dropped + waiting`,
/// where what waits is told by [`QueueStatus`]; but a look at a spooled queue
/// may catch payloads between two of these. Damaged payloads count as waiting
/// until the spool is read that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueCounters {
    /// Payloads offered, whatever became of them.
    pub queued: u64,
    /// Payloads found in the spool when the queue was started.
    pub recovered: u64,
    /// Payloads that arrived at the target.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Payloads sent again; one that is sent three times counts as two.
    pub retried: u64,
    /// Attempts that ended with an error.
    pub failures: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl QueueCounters {
    /// Payloads dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.index()).copied().unwrap_or(0)
    }

    /// Payloads dropped for any reason.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Payloads were offered and forgotten; dropped, if nothing is taken more.
    pub(super) fn add_discarded(&mut self, payloads: u64, bytes: u64, is_open: bool) {
        self.queued += payloads;
        if is_open {
            self.sent += payloads;
            self.sent_bytes += bytes;
        } else {
            self.add_dropped(DropReason::Closed, payloads);
        }
    }

    pub(crate) fn add_dropped(&mut self, reason: DropReason, payloads: u64) {
        if let Some(count) = self.dropped.get_mut(reason.index()) {
            *count += payloads;
        }
    }
}

/// How a queue is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueStatus {
    /// What became of the payloads so far.
    pub counters: QueueCounters,
    /// Payloads that wait, in memory, on disk or on their way.
    pub waiting: u64,
    /// Payloads of which the target got only a part, as it takes no longer
    /// ones; they count as sent, and one that is sent again is counted again.
    pub shortened: u64,
    /// Bytes of payloads that wait in memory or are on their way.
    pub memory_bytes: u64,
    /// Bytes that the spool takes on disk.
    pub spool_bytes: u64,
    /// How long the oldest of them has been waiting.
    pub oldest: Option<Duration>,
    /// The last error, also if all has been well since.
    pub last_error: Option<LastError>,
}

/// The last error of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// What it was.
    pub message: String,
    /// When it was.
    pub time: SystemTime,
}

#[cfg(test)]
mod tests {
    use super::{DropReason, QueueCounters};

    #[test]
    fn each_reason_has_its_own_count() {
        let mut counters = QueueCounters::default();
        for (count, reason) in (1..).zip(DropReason::ALL) {
            counters.add_dropped(reason, count);
        }
        for (count, reason) in (1..).zip(DropReason::ALL) {
            assert_eq!(counters.dropped(reason), count, "{}", reason.name());
        }
        assert_eq!(counters.dropped_in_all(), 28);
    }
}
