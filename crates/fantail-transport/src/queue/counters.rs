//! Counters and status of a queue.

use std::time::{Duration, SystemTime};

/// Why a payload was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The memory of the queue was full.
    Full,
    /// The spool on disk was full.
    SpoolFull,
    /// All attempts that the settings allow failed.
    Failed,
    /// The target refused it for good.
    Refused,
    /// The payload waited longer than the maximum age.
    Expired,
    /// Its record in the spool was damaged, torn or removed.
    Damaged,
    /// The queue was closed before it was sent.
    Closed,
}

impl DropReason {
    /// All reasons, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Full,
        Self::SpoolFull,
        Self::Failed,
        Self::Refused,
        Self::Expired,
        Self::Damaged,
        Self::Closed,
    ];

    /// Returns a short name for labels of metrics.
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

/// Counters of payloads since the queue was started.
///
/// `queued + recovered = sent + all dropped + waiting`, where `waiting` is in
/// [`QueueStatus`]. A concurrent reader of a spooled queue may see payloads
/// between two of these. Damaged payloads count as waiting until the reader of
/// the spool reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueCounters {
    /// Payloads that were offered, including dropped ones.
    pub queued: u64,
    /// Payloads found in the spool when the queue was started.
    pub recovered: u64,
    /// Payloads that arrived at the target.
    pub sent: u64,
    /// Bytes of the payloads that arrived.
    pub sent_bytes: u64,
    /// Payloads that were sent again. A payload that is sent three times counts
    /// twice.
    pub retried: u64,
    /// Attempts that ended with an error.
    pub failures: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl QueueCounters {
    /// Returns the number of payloads dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        let count = self.dropped.get(reason.index());
        debug_assert!(count.is_some(), "{reason:?} is not in `ALL`");
        count.copied().unwrap_or(0)
    }

    /// Returns the number of dropped payloads.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Counts payloads of a queue without a target: as sent while it is open,
    /// as dropped afterwards.
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
        let count = self.dropped.get_mut(reason.index());
        debug_assert!(count.is_some(), "{reason:?} is not in `ALL`");
        if let Some(count) = count {
            *count += payloads;
        }
    }
}

/// The state of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Counters of payloads.
    pub counters: QueueCounters,
    /// Payloads in memory, on disk or being sent.
    pub waiting: u64,
    /// Payloads that were cut to the length limit of the target. They count as
    /// sent; a payload that is sent again counts again.
    pub shortened: u64,
    /// Bytes of payloads in memory or being sent.
    pub memory_bytes: u64,
    /// Bytes of the spool on disk.
    pub spool_bytes: u64,
    /// Age of the oldest waiting payload.
    pub oldest: Option<Duration>,
    /// The last error of the target or the spool; `None` after it works again.
    pub last_error: Option<LastError>,
}

/// Whether the target and the spool of a queue are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Both were opened.
    Open,
    /// One could not be opened; the queue goes on trying.
    Failed(LastError),
    /// One is still being opened.
    Pending,
}

/// The last error of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The message.
    pub message: String,
    /// The time of day.
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
