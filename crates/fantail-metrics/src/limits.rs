//! How much a registry takes from what clients send.

/// Protective limits of a [`Registry`](crate::Registry).
///
/// Values come from clients: without limits, a `group_by` of user names fills
/// the memory, as it does in Dovecot. Where a limit is reached, integers and
/// strings not seen before are counted in a series `other` beside those that
/// are known, so that sums stay right, and
/// [`MetricSnapshot::overflowed`](crate::MetricSnapshot::overflowed) tells how
/// often.
///
/// A series takes some 80 bytes and its label, and 40 bytes for each field
/// of the metric; 1 to 4 KB for each of them once it has hundreds of values.
/// The limits are those of one registry: shards have theirs each, and
/// [`Snapshot::merged`](crate::Snapshot::merged) makes them hold for all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Series of one metric. Each but those of the last level takes two more
    /// for each level below it: for an `other`, and for events without a value
    /// there.
    pub series_per_metric: usize,
    /// Series of all metrics together.
    pub series: usize,
    /// Series of one metric that one event may update: lists in several
    /// levels multiply. Further ones are left out, and counted as overflowed.
    pub updates_per_event: usize,
}

impl Default for Limits {
    /// 100,000 series a metric, 1,000,000 in all, 4,096 updates.
    fn default() -> Self {
        Self {
            series_per_metric: 100_000,
            series: 1_000_000,
            updates_per_event: 4_096,
        }
    }
}
