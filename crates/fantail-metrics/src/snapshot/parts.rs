//! Parts of snapshots, for answers that contain a few series of a metric.

use fantail_event::Dialect;

use super::{MetricSnapshot, Snapshot, order::Position, series::Series};

/// Returns a snapshot of these metrics.
#[must_use]
pub const fn of_metrics(dialect: Dialect, metrics: Vec<MetricSnapshot>) -> Snapshot {
    Snapshot::new(dialect, metrics, None)
}

/// Adds the values of another shard to a metric. Both must have the same settings,
/// except for the description.
pub fn merge(into: &mut MetricSnapshot, other: &MetricSnapshot) {
    debug_assert_eq!(into.settings.name, other.settings.name);
    debug_assert_eq!(into.settings.group_by, other.settings.group_by);
    debug_assert_eq!(into.settings.fields, other.settings.fields);
    into.merge(other);
}

/// Returns the metric with only the series that `keep` accepts, and their ancestors.
/// The values are shared, not copied. Heavy hitters are left out.
pub fn subset(
    metric: &MetricSnapshot,
    mut keep: impl FnMut(usize, &Series<'_>) -> bool,
) -> MetricSnapshot {
    let all = metric.ordered();
    let mut kept: Vec<Position> = Vec::new();
    // The last series and its ancestors, each with whether it is in `kept`.
    let mut path: Vec<(Position, bool)> = Vec::new();
    for (at, (position, series)) in all.positions().iter().zip(all.iter()).enumerate() {
        path.truncate(position.depth as usize);
        path.push((*position, false));
        if at == 0 || keep(at, &series) {
            for (position, is_kept) in &mut path {
                if !std::mem::replace(is_kept, true) {
                    kept.push(*position);
                }
            }
        }
    }
    MetricSnapshot {
        order: kept.into(),
        top: None,
        ..metric.clone()
    }
}
