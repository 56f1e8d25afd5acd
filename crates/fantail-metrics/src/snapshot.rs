//! What the metrics were at one moment.
//!
//! A snapshot is values alone: it can be sent to another thread, merged with
//! those of other shards, and written in any form. It does not change when
//! the registry does.

use std::{collections::HashMap, sync::Arc};

use fantail_event::Dialect;

use crate::{
    Distribution, Exemplar, GroupBy, Label, MetricSettings,
    merge::{self, Node},
    state::{Restored, State},
    tree::TreeSeries,
};

/// The metrics of a registry, or of several merged.
#[derive(Debug, Clone)]
pub struct Snapshot {
    dialect: Dialect,
    metrics: Vec<MetricSnapshot>,
    exemplar_field: Option<Arc<[u8]>>,
}

/// A metric and all its series.
#[derive(Debug, Clone)]
pub struct MetricSnapshot {
    pub(crate) settings: Arc<MetricSettings>,
    /// The metric itself first, each before those below it, siblings in the
    /// order in which they came up: as Dovecot dumps them.
    pub(crate) series: Vec<Series>,
    pub(crate) overflowed: u64,
    pub(crate) dropped: u64,
}

/// A metric itself, or one of its sub-metrics.
#[derive(Debug, Clone)]
pub struct Series {
    pub(crate) depth: usize,
    pub(crate) label: OwnedLabel,
    /// Of the duration, then of each field of the settings.
    pub(crate) distributions: Box<[Distribution]>,
    pub(crate) own_sum: Option<i128>,
    pub(crate) exemplar: Option<Box<Exemplar>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum OwnedLabel {
    Value(Box<[u8]>),
    Bucket(u32),
    Other,
    Missing,
}

impl From<Label<'_>> for OwnedLabel {
    fn from(label: Label<'_>) -> Self {
        match label {
            Label::Value(value) => Self::Value(value.into()),
            Label::Bucket(bucket) => Self::Bucket(bucket),
            Label::Other => Self::Other,
            Label::Missing => Self::Missing,
        }
    }
}

impl Snapshot {
    pub(crate) const fn new(
        dialect: Dialect,
        metrics: Vec<MetricSnapshot>,
        exemplar_field: Option<Arc<[u8]>>,
    ) -> Self {
        Self {
            dialect,
            metrics,
            exemplar_field,
        }
    }

    /// The dialect of the registry.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The field that [exemplars](Series::exemplar) have the values of.
    #[must_use]
    pub fn exemplar_field(&self) -> Option<&[u8]> {
        self.exemplar_field.as_deref()
    }

    /// The metrics in the order in which they were added.
    #[must_use]
    pub fn metrics(&self) -> &[MetricSnapshot] {
        &self.metrics
    }

    /// Adds the values of another shard.
    ///
    /// Metrics with the same name and settings are merged, those that are not
    /// here are added at the end. One with the same name and other settings
    /// (the other shard was configured at another time) is left out; the
    /// return value tells how many.
    pub fn merge(&mut self, other: Self) -> usize {
        let names: HashMap<Vec<u8>, usize> = self
            .metrics
            .iter()
            .enumerate()
            .map(|(at, metric)| (metric.settings.name.clone(), at))
            .collect();
        let mut left_out = 0;
        for metric in other.metrics {
            let here = names.get(&metric.settings.name);
            match here.and_then(|at| self.metrics.get_mut(*at)) {
                None => self.metrics.push(metric),
                Some(here) if here.settings == metric.settings => here.merge(metric),
                Some(_) => left_out += 1,
            }
        }
        left_out
    }

    /// Puts what was counted before a restart in front of what is here, for
    /// each metric with the same name and settings if `keep` agrees:
    /// [`Registry::restore`](crate::Registry::restore) for whoever has no
    /// registry at hand. No limits apply.
    pub fn restore(
        &mut self,
        state: State,
        mut keep: impl FnMut(&MetricSettings, &[u8]) -> bool,
    ) -> Restored {
        let mut restored = Restored::default();
        let same_dialect = state.dialect() == self.dialect;
        let mut saved: HashMap<Vec<u8>, (MetricSnapshot, Vec<u8>)> = state
            .into_metrics()
            .map(|(metric, note)| (metric.settings.name.clone(), (metric, note)))
            .collect();
        restored.left_out = saved.len();
        for here in &mut self.metrics {
            let Some((mut before, note)) = saved.remove(&here.settings.name) else {
                continue;
            };
            if same_dialect && before.settings == here.settings && keep(&here.settings, &note) {
                std::mem::swap(here, &mut before);
                here.merge(before);
                restored.metrics += 1;
                restored.left_out -= 1;
            }
        }
        restored
    }
}

impl MetricSnapshot {
    pub(crate) fn new<'a>(
        settings: Arc<MetricSettings>,
        series: impl Iterator<Item = TreeSeries<'a>>,
        overflowed: u64,
        dropped: u64,
    ) -> Self {
        let nodes = series.map(|series| Node {
            parent: series.parent,
            label: series.label.into(),
            distributions: series.distributions,
            own_sum: series.own_sum,
            exemplar: series.exemplar,
        });
        Self {
            settings,
            series: merge::in_preorder(nodes.collect()),
            overflowed,
            dropped,
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.overflowed = self.overflowed.saturating_add(other.overflowed);
        self.dropped = self.dropped.saturating_add(other.dropped);
        let series = std::mem::take(&mut self.series);
        self.series = merge::merge(series, other.series);
    }

    /// The settings it was added with.
    #[must_use]
    pub fn settings(&self) -> &MetricSettings {
        &self.settings
    }

    /// All series: the metric itself first, each before those below it,
    /// siblings in the order in which they came up.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// How many updates went to a series `other`, or were left out, for lack
    /// of room: see [`Limits`](crate::Limits).
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// How many series were dropped because nothing happened to them for a
    /// time: see [`Registry::drop_idle`](crate::Registry::drop_idle).
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing is below a series, nor ever will be: it has all
    /// levels, or the last of its labels is [missing](Label::Missing). Each
    /// event is counted in one of these (or in several, by lists), as long as
    /// none is [dropped](Self::dropped).
    #[must_use]
    pub fn is_leaf(&self, series: &Series) -> bool {
        series.depth == self.settings.group_by.len() || series.label == OwnedLabel::Missing
    }
}

impl Series {
    /// How many levels below the metric it is; 0 is the metric itself.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// What distinguishes it from the others below the same series; the
    /// metric itself has the empty value.
    #[must_use]
    pub fn label(&self) -> Label<'_> {
        match &self.label {
            OwnedLabel::Value(value) => Label::Value(value),
            OwnedLabel::Bucket(bucket) => Label::Bucket(*bucket),
            OwnedLabel::Other => Label::Other,
            OwnedLabel::Missing => Label::Missing,
        }
    }

    /// The level of `group_by` that made it; `None` for the metric itself.
    #[must_use]
    pub fn level<'a>(&self, settings: &'a MetricSettings) -> Option<&'a GroupBy> {
        settings.group_by.get(self.depth.checked_sub(1)?)
    }

    /// The durations, in microseconds; their count is that of the events.
    #[must_use]
    pub fn duration(&self) -> &Distribution {
        static EMPTY: std::sync::LazyLock<Distribution> =
            std::sync::LazyLock::new(Distribution::new);
        self.distributions.first().unwrap_or(&EMPTY)
    }

    /// The values of each field of the settings, in their order.
    #[must_use]
    pub fn fields(&self) -> &[Distribution] {
        self.distributions.get(1..).unwrap_or_default()
    }

    /// For a bucket of the last level, the exact sum of the values that fell
    /// in it, signed. Kept where the last level is quantized by another field
    /// than the duration.
    #[must_use]
    pub const fn own_sum(&self) -> Option<i128> {
        self.own_sum
    }

    /// Its last event, if those are kept: see
    /// [`Registry::keep_exemplars`](crate::Registry::keep_exemplars).
    #[must_use]
    pub fn exemplar(&self) -> Option<&Exemplar> {
        self.exemplar.as_deref()
    }
}
