//! What the metrics were at one moment.
//!
//! A snapshot is values alone: it can be sent to another thread, merged with
//! those of other shards, and written in any form. It does not change when
//! the registry does. Taking one is cheap: it shares unchanged segments with the
//! registry, and its first reader puts the series in order.

pub(crate) mod merge;
pub(crate) mod order;
mod series;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use fantail_event::Dialect;

use self::order::Position;
pub use self::series::{RunOrSeries, Series, SeriesList, SeriesRun};
use crate::{Label, MetricSettings, store::shared_segment::SharedSegment};

/// The metrics of a registry, or of several merged.
#[derive(Debug, Clone)]
pub struct Snapshot {
    dialect: Dialect,
    metrics: Vec<MetricSnapshot>,
    exemplar_field: Option<Arc<[u8]>>,
}

/// A metric and all its series.
#[derive(Clone)]
pub struct MetricSnapshot {
    settings: Arc<MetricSettings>,
    segments: Vec<SharedSegment>,
    /// The order of the series in the segments. It is computed on first use (with
    /// one level of `group_by`, on the first merge); all segments of a registry
    /// but the last are full.
    order: OnceLock<Vec<Position>>,
    overflowed: u64,
    dropped: u64,
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

    /// Returns the dialect of the registry.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the field that [exemplars](Series::exemplar) have the values of.
    #[must_use]
    pub fn exemplar_field(&self) -> Option<&[u8]> {
        self.exemplar_field.as_deref()
    }

    /// Returns the metrics in the order in which they were added.
    #[must_use]
    pub fn metrics(&self) -> &[MetricSnapshot] {
        &self.metrics
    }

    /// Adds the values of another shard.
    ///
    /// Metrics with the same name and settings are merged, those that are not
    /// here are added at the end. One with the same name and other settings
    /// (the other shard was configured at another time) is left out; the
    /// return value tells how many. If exemplars have another field there,
    /// there is [none](Self::exemplar_field) afterwards.
    pub fn merge(&mut self, other: Self) -> usize {
        if self.exemplar_field != other.exemplar_field {
            self.exemplar_field = None;
        }
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
                Some(here) if here.settings == metric.settings => here.merge(&metric),
                Some(_) => left_out += 1,
            }
        }
        left_out
    }

    pub(crate) fn metrics_mut(&mut self) -> &mut [MetricSnapshot] {
        &mut self.metrics
    }
}

impl MetricSnapshot {
    pub(crate) const fn new(
        settings: Arc<MetricSettings>,
        segments: Vec<SharedSegment>,
        overflowed: u64,
        dropped: u64,
    ) -> Self {
        Self {
            settings,
            segments,
            order: OnceLock::new(),
            overflowed,
            dropped,
        }
    }

    /// Of series in this order.
    pub(crate) fn with_order(
        settings: Arc<MetricSettings>,
        segments: Vec<SharedSegment>,
        order: Vec<Position>,
        overflowed: u64,
        dropped: u64,
    ) -> Self {
        Self {
            settings,
            segments,
            order: order.into(),
            overflowed,
            dropped,
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.overflowed = self.overflowed.saturating_add(other.overflowed);
        self.dropped = self.dropped.saturating_add(other.dropped);
        let (segments, order) = merge::merge(self.ordered(), other.ordered());
        self.segments = segments;
        self.order = order.into();
    }

    /// Returns the settings it was added with.
    #[must_use]
    pub fn settings(&self) -> &MetricSettings {
        &self.settings
    }

    /// Returns all series: the metric itself first, each before those below it,
    /// siblings in the order in which they came up.
    #[must_use]
    pub fn series(&self) -> SeriesList<'_> {
        match self.order.get() {
            None if self.settings.group_by.len() <= 1 => SeriesList::flat(&self.segments),
            _ => self.ordered(),
        }
    }

    /// All series, each with its place.
    fn ordered(&self) -> SeriesList<'_> {
        let order = self
            .order
            .get_or_init(|| order::of_segments(&self.segments));
        SeriesList::new(&self.segments, order)
    }

    /// Returns how many updates went to a series `other`, or were left out, for
    /// lack of room: see [`Limits`](crate::Limits).
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Returns how many series were dropped because nothing happened to them
    /// for a time: see [`Registry::drop_idle`](crate::Registry::drop_idle).
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns whether nothing is below a series, nor ever will be: it has all
    /// levels, or the last of its labels is [missing](Label::Missing). Each
    /// event is counted in one of these (or in several, by lists), as long as
    /// none is [dropped](Self::dropped).
    #[must_use]
    pub fn is_leaf(&self, series: &Series<'_>) -> bool {
        series.depth() == self.settings.group_by.len() || series.label() == Label::Missing
    }
}

impl fmt::Debug for MetricSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricSnapshot")
            .field("settings", &self.settings)
            .field("series", &self.series())
            .field("overflowed", &self.overflowed)
            .field("dropped", &self.dropped)
            .finish()
    }
}
