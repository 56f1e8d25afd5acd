//! The metrics at one moment.
//!
//! A snapshot contains only values: it can be sent to another thread, merged
//! with those of other shards, and written in any form. It does not change with
//! the registry. Taking one is cheap: it shares unchanged segments with the
//! registry, and its first reader sorts the series.

pub(crate) mod merge;
pub(crate) mod order;
pub(crate) mod parts;
mod series;
mod union;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use fantail_event::Dialect;

use self::order::Position;
pub use self::series::{RunOrSeries, Series, SeriesList, SeriesRun};
use crate::{
    HeavyHitters, Label, MetricRules, MetricSettings, store::shared_segment::SharedSegment,
};

/// The metrics of one registry, or of several merged ones.
///
/// ```
/// use fantail_event::{Dialect, Event, SentEvent, Timestamp};
/// use fantail_metrics::{
///     GroupBy, Label, Limits, Method, MetricId, MetricSettings, MetricSnapshot, Registry, Series,
///     Snapshot,
/// };
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// let id: MetricId = registry.add(MetricSettings {
///     name: b"logins".to_vec(),
///     group_by: vec![GroupBy::new("user", Method::Discrete(Vec::new()))],
///     ..MetricSettings::default()
/// })?;
/// let login = Event::builder(Timestamp::from_unix_micros(0)).field("user", "anna").build()?;
/// registry.observe(id, &SentEvent::alone(&login));
///
/// let snapshots: [Snapshot; 2] = [registry.snapshot(), registry.snapshot()];
/// let both = Snapshot::merged(&snapshots, &Limits::default()).unwrap();
/// let metric: &MetricSnapshot = &both.metrics()[0];
/// let series: Vec<Series<'_>> = metric.series().iter().collect();
/// // The metric itself, and its one user.
/// assert_eq!(series.len(), 2);
/// assert_eq!(series[1].label(), Label::Value(b"anna"));
/// assert_eq!(series[1].duration().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// The order of the series in the segments. It is computed on first use;
    /// with one level of `group_by`, on the first merge. All segments of a
    /// registry except the last are full.
    order: OnceLock<Vec<Position>>,
    overflowed: u64,
    dropped: u64,
    rules: MetricRules,
    top: Option<Arc<HeavyHitters>>,
    /// See [`parts::epoch`].
    epoch: u64,
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

    /// Returns the field whose values are the [exemplars](Series::exemplar).
    #[must_use]
    pub fn exemplar_field(&self) -> Option<&[u8]> {
        self.exemplar_field.as_deref()
    }

    /// Returns the metrics in the order of their addition.
    #[must_use]
    pub fn metrics(&self) -> &[MetricSnapshot] {
        &self.metrics
    }

    /// Returns the metrics that a scrape has; see [`MetricRules::exposed`].
    pub fn exposed_metrics(&self) -> impl Iterator<Item = &MetricSnapshot> {
        self.metrics.iter().filter(|metric| metric.rules.exposed)
    }

    /// Adds the values of another shard.
    ///
    /// Metrics with the same name and settings are merged; metrics that exist
    /// only in `other` are added at the end. Metrics with the same name and
    /// different settings (the other shard has another configuration) are
    /// omitted; returns their number. If the field of exemplars differs, the
    /// result has [none](Self::exemplar_field).
    pub fn merge(&mut self, other: &Self) -> usize {
        self.merge_all(std::slice::from_ref(other))
    }

    /// Adds the values of other shards, as [`merge`](Self::merge) does one after another.
    pub(crate) fn merge_all(&mut self, others: &[Self]) -> usize {
        let names = self.metrics.iter().enumerate();
        let mut by_name: HashMap<Vec<u8>, usize> = names
            .map(|(at, metric)| (metric.settings.name.clone(), at))
            .collect();
        // The metrics of other shards that are added to each.
        let mut others_of: Vec<Vec<&MetricSnapshot>> = vec![Vec::new(); self.metrics.len()];
        let mut left_out = 0;
        for other in others {
            if self.exemplar_field != other.exemplar_field {
                self.exemplar_field = None;
            }
            for metric in &other.metrics {
                let here = by_name.get(&metric.settings.name).copied();
                let found = here.and_then(|at| self.metrics.get(at).zip(others_of.get_mut(at)));
                match found {
                    None => {
                        by_name.insert(metric.settings.name.clone(), self.metrics.len());
                        self.metrics.push(metric.clone());
                        others_of.push(Vec::new());
                    }
                    Some((here, others)) if here.settings == metric.settings => others.push(metric),
                    Some(_) => left_out += 1,
                }
            }
        }
        for (metric, others) in self.metrics.iter_mut().zip(others_of) {
            metric.merge_all(&others);
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
            rules: MetricRules {
                exposed: true,
                series_limit: None,
            },
            top: None,
            epoch: 0,
        }
    }

    pub(crate) fn with_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    pub(crate) const fn with_rules(mut self, rules: MetricRules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the heavy hitters.
    pub(crate) fn with_top(self, top: Option<Arc<HeavyHitters>>) -> Self {
        Self { top, ..self }
    }

    /// Creates a metric with series in this order.
    pub(crate) fn with_order(
        settings: Arc<MetricSettings>,
        segments: Vec<SharedSegment>,
        order: Vec<Position>,
        overflowed: u64,
        dropped: u64,
    ) -> Self {
        Self {
            order: order.into(),
            ..Self::new(settings, segments, overflowed, dropped)
        }
    }

    /// Adds the values of other shards.
    pub(crate) fn merge_all(&mut self, others: &[&Self]) {
        if others.is_empty() {
            return;
        }
        for other in others {
            self.overflowed = self.overflowed.saturating_add(other.overflowed);
            self.dropped = self.dropped.saturating_add(other.dropped);
            if let (Some(top), Some(other)) = (&mut self.top, &other.top) {
                Arc::make_mut(top).merge(other, |_| true);
            }
        }
        let lists: Vec<SeriesList<'_>> = others.iter().map(|other| other.ordered()).collect();
        let (segments, order) = merge::merge(self.ordered(), &lists);
        self.segments = segments;
        self.order = order.into();
    }

    /// Returns the settings of the metric.
    #[must_use]
    pub fn settings(&self) -> &MetricSettings {
        &self.settings
    }

    /// Returns the rules of the metric; of merged metrics, those of the first.
    #[must_use]
    pub const fn rules(&self) -> &MetricRules {
        &self.rules
    }

    /// Returns all series: the metric itself first, parents before children,
    /// siblings in the order of their creation.
    #[must_use]
    pub fn series(&self) -> SeriesList<'_> {
        match self.order.get() {
            None if self.settings.group_by.len() <= 1 => SeriesList::flat(&self.segments),
            _ => self.ordered(),
        }
    }

    /// Returns all series with their positions.
    fn ordered(&self) -> SeriesList<'_> {
        let order = self
            .order
            .get_or_init(|| order::of_segments(&self.segments));
        SeriesList::new(&self.segments, order)
    }

    /// Returns the number of updates that the [limits](crate::Limits) directed
    /// to a series `other` or omitted.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Returns the number of series that were dropped as idle: see
    /// [`Registry::drop_idle`](crate::Registry::drop_idle).
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns the heavy hitters, if the settings have them.
    #[must_use]
    pub fn top(&self) -> Option<&HeavyHitters> {
        self.top.as_deref()
    }

    pub(crate) const fn shared_top(&self) -> Option<&Arc<HeavyHitters>> {
        self.top.as_ref()
    }

    /// Returns whether a series can have no children: it has all levels, or the
    /// last of its labels is [missing](Label::Missing). Each event is counted
    /// in one of these series (in several for lists), while none is
    /// [dropped](Self::dropped).
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
            .field("top", &self.top)
            .finish()
    }
}
