//! Limits for the values that clients send.

/// Protective limits of a [`Registry`](crate::Registry).
///
/// Clients choose the values: without limits, a `group_by` of user names can
/// fill the memory, as it does in Dovecot. At a limit, new integers and strings
/// are counted in a series `other` next to the known series, so that sums stay
/// correct. [`MetricSnapshot::overflowed`](crate::MetricSnapshot::overflowed)
/// counts these updates.
///
/// A series uses about 80 bytes, its label, and 40 bytes for each field of the
/// metric; each of these distributions uses 1 to 4 KB if it has hundreds of
/// values. The limits apply to one registry. Each shard has the full limits;
/// [`Snapshot::merged`](crate::Snapshot::merged) applies them to all shards
/// together.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_metrics::{Limits, Registry};
///
/// let limits = Limits { series: 1_000, ..Limits::default() };
/// let registry = Registry::with_limits(Dialect::V2_4, limits);
/// assert_eq!(registry.limits().series, 1_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of series of one metric. A series above the last
    /// level counts two more for each level below it: an `other`, and one for
    /// events without a value.
    pub series_per_metric: usize,
    /// The maximum number of series of all metrics together.
    pub series: usize,
    /// The maximum number of series of one metric that one event may update:
    /// lists in several levels multiply. Further updates are omitted and
    /// counted as overflowed.
    pub updates_per_event: usize,
}

impl Default for Limits {
    /// Returns 100,000 series a metric, 1,000,000 in all, 4,096 updates an
    /// event.
    fn default() -> Self {
        Self {
            series_per_metric: 100_000,
            series: 1_000_000,
            updates_per_event: 4_096,
        }
    }
}
