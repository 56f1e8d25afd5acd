//! Merging shards under the series limits of a single registry.
//!
//! Each shard has the full limits, so that events need no coordination. Together
//! they may exceed them: then the series of the first shard are kept, and those
//! of the next ones while the limits allow, as if their events had come later.
//! So a series stays visible unless an earlier shard needs its budget.

use std::sync::Arc;

use crate::{
    Label, Limits, MetricSnapshot, Snapshot,
    label::OTHER,
    registry::tree::{SeriesBudget, Tree, cost},
};

impl Snapshot {
    /// Returns the values of several shards together, within the limits of one:
    /// what is beyond goes to series `other`, and counts as overflowed. `None`
    /// if there are no shards.
    ///
    /// What does not [merge](Self::merge) with the shards before it is left
    /// out.
    #[must_use]
    pub fn merged(shards: &[Self], limits: &Limits) -> Option<Self> {
        let mut each = shards.iter().cloned();
        let mut whole = each.next()?;
        for shard in each {
            whole.merge(shard);
        }
        // A single shard is within the limits.
        if shards.len() < 2 || whole.is_within(limits) {
            return Some(whole);
        }
        Some(fold(&whole, shards, limits))
    }

    fn is_within(&self, limits: &Limits) -> bool {
        // Nearly always they are far from it, and need not be looked at.
        let at_most = self.metrics().iter().map(|metric| {
            let levels = metric.settings().group_by.len();
            metric.series().len().saturating_mul(cost(levels))
        });
        if at_most.sum::<usize>() <= limits.series.min(limits.series_per_metric) {
            return true;
        }
        let used = self.metrics().iter().map(used);
        let (mut all, mut most) = (0, 0);
        for used in used {
            all += used;
            most = most.max(used);
        }
        most <= limits.series_per_metric && all <= limits.series
    }
}

/// What the series of a metric take of the limits, as a registry counts it.
fn used(metric: &MetricSnapshot) -> usize {
    let levels = metric.settings().group_by.len();
    let series = metric.series().iter().map(|series| match series.label() {
        // Their room was set aside with the series above them.
        Label::Missing | Label::Other | Label::Value(OTHER) => 0,
        Label::Value(_) | Label::Bucket(_) => cost(levels.saturating_sub(series.depth())),
    });
    series.sum()
}

/// Puts the series of all shards into trees that have room for those of one.
fn fold(whole: &Snapshot, shards: &[Snapshot], limits: &Limits) -> Snapshot {
    let mut used = 0;
    let metrics = whole.metrics().iter();
    let mut trees: Vec<Folded<'_>> = metrics.map(|one| Folded::new(one, &mut used)).collect();
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
                    metric: limits.series_per_metric,
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

/// A metric on its way.
struct Folded<'a> {
    /// Its settings and sums.
    metric: &'a MetricSnapshot,
    tree: Tree,
    overflowed: u64,
}

impl<'a> Folded<'a> {
    fn new(metric: &'a MetricSnapshot, used: &mut usize) -> Self {
        Self {
            metric,
            tree: Tree::new(metric.settings(), used),
            overflowed: metric.overflowed(),
        }
    }

    fn finish(self) -> MetricSnapshot {
        let settings = Arc::new(self.metric.settings().clone());
        let dropped = self.metric.dropped();
        MetricSnapshot::new(settings, self.tree.share(), self.overflowed, dropped)
    }
}
