//! Parts of snapshots: for answers that contain a few series of a metric, and for hosts
//! that publish series in parts.

use std::sync::Arc;

use fantail_event::Dialect;

use super::{
    MetricSnapshot, Snapshot,
    merge::{self, Builder},
    order::{Position, index},
    series::Series,
};
use crate::{Distribution, Label, MetricSettings};

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
    into.merge_all(&[other]);
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

/// Returns the number of a metric's counting in its registry: it changes whenever the
/// metric starts from zero. Of two snapshots with one number, each series of the later
/// has at least as many events, unless series were dropped as idle.
#[must_use]
pub const fn epoch(metric: &MetricSnapshot) -> u64 {
    metric.epoch
}

/// Returns a copy of the series with these indices, in order; an ancestor of a series
/// must be in the list, too, except for the metric itself. Without `with_root`, the
/// metric itself has no values. Heavy hitters are left out.
#[must_use]
pub fn pick(metric: &MetricSnapshot, indices: &[u32], with_root: bool) -> MetricSnapshot {
    let all = metric.series();
    let mut copies = Builder::default();
    match all.get(0).filter(|_| with_root) {
        Some(root) => copies.push_copy(root),
        None => push_empty_root(&metric.settings, &mut copies),
    }
    let mut order = vec![Position { at: 0, depth: 0 }];
    for series in indices.iter().filter_map(|at| all.get(*at as usize)) {
        copies.push_copy(series);
        order.push(Position {
            at: index(order.len()),
            depth: index(series.depth()),
        });
    }
    let (overflowed, dropped) = match with_root {
        true => (metric.overflowed, metric.dropped),
        false => (0, 0),
    };
    let settings = Arc::clone(&metric.settings);
    MetricSnapshot::with_order(settings, copies.finish(), order, overflowed, dropped)
}

fn push_empty_root(settings: &MetricSettings, into: &mut Builder) {
    let empty: Vec<_> = (0..=settings.fields.len())
        .map(|_| Distribution::new())
        .collect();
    let own_sum = settings.has_own_sums().then_some(0);
    into.push(Label::Value(b""), empty.into_iter(), own_sum);
}

/// Takes the newer value of each series: that with more events. Both are snapshots of
/// one counting, or parts of them. New series are taken if `admits` says so.
pub fn join(into: &mut MetricSnapshot, other: &MetricSnapshot, admits: bool) {
    into.overflowed = into.overflowed.max(other.overflowed);
    into.dropped = into.dropped.max(other.dropped);
    let (segments, order) = merge::join(into.ordered(), other.ordered(), admits);
    into.segments = segments;
    into.order = order.into();
}

/// Returns one metric with the series of disjoint parts of it; `None` without parts.
#[must_use]
pub fn union(parts: &[MetricSnapshot]) -> Option<MetricSnapshot> {
    let (first, others) = parts.split_first()?;
    let mut root = subset(first, |_, _| false);
    let roots: Vec<_> = others
        .iter()
        .map(|other| subset(other, |_, _| false))
        .collect();
    root.merge_all(&roots.iter().collect::<Vec<_>>());
    let lists: Vec<_> = parts.iter().map(MetricSnapshot::ordered).collect();
    let (segments, order) = merge::union(root.series().get(0)?, &lists);
    Some(MetricSnapshot {
        segments,
        order: order.into(),
        ..root
    })
}

/// Lets a metric share the settings of another one, which are equal.
pub fn share_settings(metric: &mut MetricSnapshot, like: &MetricSnapshot) {
    metric.settings = Arc::clone(&like.settings);
}
