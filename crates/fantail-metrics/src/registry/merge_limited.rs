//! Merging shards under the series limits of a single registry.
//!
//! Each shard has the full limits, so that events need no coordination.
//! Together the shards may exceed the limits. Then the series of the first
//! shard are kept, and those of the next shards until the limits are reached,
//! as if their events had come later. So a series stays visible unless an
//! earlier shard needs its budget.

use std::{hash::RandomState, sync::Arc};

use crate::{
    Label, Limits, MetricSnapshot, Snapshot,
    label::OTHER,
    registry::tree::{SeriesBudget, Tree, cost},
};

impl Snapshot {
    /// Merges the values of several shards within the limits of one registry:
    /// values above the limits go to series `other`, and count as overflowed.
    /// Returns `None` without shards.
    ///
    /// Metrics that do not [merge](Self::merge) with those of earlier shards
    /// are omitted.
    #[must_use]
    pub fn merged(shards: &[Self], limits: &Limits) -> Option<Self> {
        let (first, others) = shards.split_first()?;
        let mut whole = first.clone();
        whole.merge_all(others);
        // A single shard is within the limits.
        if shards.len() < 2 || whole.is_within(limits) {
            return Some(whole);
        }
        Some(fold(&whole, shards, limits))
    }

    fn is_within(&self, limits: &Limits) -> bool {
        // The sum of all shards is an upper bound, and usually far below the
        // limits: then no series is read.
        let metrics = self.metrics().iter();
        let at_most = metrics.clone().map(|metric| {
            let levels = metric.settings().group_by.len();
            metric.series().len().saturating_mul(cost(levels))
        });
        let most = metrics.clone().map(|metric| series_limit(metric, limits));
        let most = most.min().unwrap_or(limits.series_per_metric);
        if at_most.sum::<usize>() <= limits.series.min(most) {
            return true;
        }
        let mut all = 0;
        let mut metrics = metrics;
        let each_fits = metrics.all(|metric| {
            let used = used(metric);
            all += used;
            used <= series_limit(metric, limits)
        });
        each_fits && all <= limits.series
    }
}

fn series_limit(metric: &MetricSnapshot, limits: &Limits) -> usize {
    let own = metric.rules().series_limit;
    own.unwrap_or(limits.series_per_metric)
}

/// Returns the number of series of a metric that a registry counts for its
/// limits.
fn used(metric: &MetricSnapshot) -> usize {
    let levels = metric.settings().group_by.len();
    let series = metric.series().iter().map(|series| match series.label() {
        // The parent reserved these series.
        Label::Missing | Label::Other | Label::Value(OTHER) => 0,
        Label::Value(_) | Label::Bucket(_) => cost(levels.saturating_sub(series.depth())),
    });
    series.sum()
}

/// Adds the series of all shards to trees with the limits of one registry.
fn fold(whole: &Snapshot, shards: &[Snapshot], limits: &Limits) -> Snapshot {
    let mut used = 0;
    let keys = RandomState::new();
    let metrics = whole.metrics().iter();
    let metrics = metrics.map(|one| Folded::new(one, &keys, &mut used));
    let mut trees: Vec<Folded<'_>> = metrics.collect();
    // The series of the first shard always fit.
    for shard in shards {
        for folded in &mut trees {
            let settings = folded.metric.settings();
            let part = shard
                .metrics()
                .iter()
                .find(|one| one.settings() == settings);
            if let Some(part) = part {
                let mut budget = SeriesBudget {
                    metric: series_limit(folded.metric, limits),
                    used: &mut used,
                    all: limits.series,
                };
                let over = folded.tree.absorb(part.series(), &mut budget);
                folded.overflowed = folded.overflowed.saturating_add(over);
            }
        }
    }
    let metrics = trees.into_iter().map(Folded::finish).collect();
    let exemplar_field = whole.exemplar_field().map(Arc::from);
    Snapshot::new(whole.dialect(), metrics, exemplar_field)
}

/// A metric to which the shards are added.
struct Folded<'a> {
    /// The settings and sums of the metric.
    metric: &'a MetricSnapshot,
    tree: Tree,
    overflowed: u64,
}

impl<'a> Folded<'a> {
    fn new(metric: &'a MetricSnapshot, keys: &RandomState, used: &mut usize) -> Self {
        Self {
            metric,
            tree: Tree::new(metric.settings(), keys, used),
            overflowed: metric.overflowed(),
        }
    }

    fn finish(self) -> MetricSnapshot {
        let settings = Arc::new(self.metric.settings().clone());
        let dropped = self.metric.dropped();
        let whole = MetricSnapshot::new(settings, self.tree.share(), self.overflowed, dropped);
        let top = self.metric.shared_top().cloned();
        whole.with_rules(*self.metric.rules()).with_top(top)
    }
}
