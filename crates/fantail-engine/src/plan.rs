//! A configuration, compiled.
//!
//! A plan never changes. The shards of a program share it; another configuration is
//! another plan.

mod error;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use fantail_config::{Settings, TransportSettings};
use fantail_event::{Dialect, EffectiveEvent};
use fantail_filter::{Filter, FilterSet, Mentions, handshake};
use fantail_format::{EventFormatter, EventIds, ExportContext, Formatter, FormatterSettings};
use fantail_metrics::{Limits, MetricSettings, Registry, RegistryError, internal::check_all};

pub use self::error::{PlanError, PlanErrorKind};
use crate::{ExporterId, SessionRules, matching::MetricSlots, series::SeriesPlan, sessions};

/// The metrics of a configuration, ready for events.
#[derive(Debug)]
pub struct Plan {
    pub(crate) dialect: Dialect,
    /// In the order of the filters in the set.
    pub(crate) metrics: Vec<PlannedMetric>,
    /// The positions of metrics by name; made when first used.
    by_name: OnceLock<HashMap<Vec<u8>, usize>>,
    /// How many of them are plain.
    pub(crate) plain_metrics: usize,
    /// Whether one of them exports.
    pub(crate) exports: bool,
    pub(crate) filters: FilterSet,
    pub(crate) unnamed: Unnamed,
    pub(crate) series: SeriesPlan,
    /// Present if a metric uses session summaries.
    pub(crate) sessions: Option<Arc<SessionRules>>,
}

#[derive(Debug)]
pub(crate) struct PlannedMetric {
    pub(crate) settings: Arc<MetricSettings>,
    pub(crate) filter: Filter,
    pub(crate) slots: MetricSlots,
    /// In the order of the configuration; usually none or one.
    pub(crate) exports: Box<[Export]>,
}

/// How an event is exported.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) exporter: ExporterId,
    pub(crate) formatter: ExportFormatter,
}

/// A configured format, or a format of the program.
#[derive(Debug, Clone)]
pub(crate) enum ExportFormatter {
    Configured(Box<Formatter>),
    Custom(Arc<dyn EventFormatter>),
}

impl ExportFormatter {
    /// Whether it writes nothing of any event.
    pub(crate) fn is_silent(&self) -> bool {
        match self {
            Self::Configured(formatter) => formatter.is_silent(),
            Self::Custom(_) => false,
        }
    }

    pub(crate) fn write(
        &self,
        metric: &[u8],
        event: &EffectiveEvent<'_>,
        ids: &mut EventIds,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Configured(formatter) => formatter.write_numbered(event, ids, context, out),
            Self::Custom(formatter) => formatter.write(metric, event, context, out),
        }
    }
}

impl PlannedMetric {
    /// Whether it uses only the duration of events.
    pub(crate) const fn is_plain(&self) -> bool {
        self.exports.is_empty() && self.slots.is_empty()
    }
}

/// What happens to events without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// No metric sees them.
    Skipped,
    /// The filters of all metrics are evaluated.
    Matched,
}

impl Plan {
    /// Compiles settings.
    ///
    /// # Errors
    /// A metric cannot be registered, or names an exporter that is not there;
    /// settings that were read without an error have neither.
    pub fn new(settings: &Settings) -> Result<Self, PlanError> {
        Self::with_sessions(settings, SessionRules::default())
    }

    /// [`new`](Self::new) with other rules for the summaries of sessions.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_sessions(settings: &Settings, rules: SessionRules) -> Result<Self, PlanError> {
        // All at once: they are matched together.
        let filters = settings.metrics.iter().map(|metric| &metric.filter);
        let mut filters: FilterSet = filters.collect();
        let mut metrics = Vec::with_capacity(settings.metrics.len());
        for metric in &settings.metrics {
            let exporters = metric.exporters.iter();
            let exports = exporters.map(|name| formatter(settings, metric, &name.value));
            metrics.push(PlannedMetric {
                settings: Arc::new(metric.settings.clone()),
                filter: metric.filter.clone(),
                slots: MetricSlots::new(&metric.settings, &mut filters),
                exports: exports.collect::<Result<_, _>>()?,
            });
        }
        let series = SeriesPlan::new(settings, &mut filters);
        let plan = Self {
            dialect: settings.dialect,
            plain_metrics: metrics.iter().filter(|metric| metric.is_plain()).count(),
            exports: metrics.iter().any(|metric| !metric.exports.is_empty()),
            metrics,
            by_name: OnceLock::new(),
            unnamed: unnamed_rule(settings.dialect, &filters),
            filters,
            series,
            sessions: SessionRules::is_asked_for(settings).then(|| Arc::new(rules)),
        };
        plan.check().map_err(PlanErrorKind::Metric)?;
        Ok(plan)
    }

    /// Checks that a registry accepts the settings, so that an engine can take any plan.
    fn check(&self) -> Result<(), RegistryError> {
        let settings: Vec<_> = self.metric_settings().collect();
        // Only declared series can exceed the limits.
        if !self.series.declares() {
            return check_all(&settings);
        }
        let mut trial = Registry::new(self.dialect);
        let ids = trial.replace_all(settings, |_| false)?;
        self.series.apply(&mut trial, &ids)
    }

    /// Whose rules apply.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The filter for the clients of a stats server: it matches what any metric
    /// wants, and the events that sessions are made of if a metric asks for
    /// sessions. Empty if nothing is wanted.
    #[must_use]
    pub fn handshake(&self) -> Vec<u8> {
        let sessions = self
            .sessions
            .as_ref()
            .and_then(|_| sessions::wanted(self.dialect));
        let metrics = self.metrics.iter().map(|metric| &metric.filter);
        handshake(metrics.chain(&sessions))
    }

    /// Returns the names of the categories that filters mention or that tell the
    /// services of sessions: a server [reserves](fantail_event::CategoryTree::reserve)
    /// them.
    #[must_use]
    pub fn categories(&self) -> BTreeSet<Vec<u8>> {
        let mut mentions = Mentions::new();
        let metrics = self.metrics.iter();
        metrics.for_each(|metric| mentions.add(&metric.filter));
        let mut names: BTreeSet<Vec<u8>> = mentions.categories().map(<[u8]>::to_vec).collect();
        if self.sessions.is_some() {
            names.extend(sessions::service_categories().map(<[u8]>::to_vec));
        }
        names
    }

    /// Has a format of the program write what metrics export to this exporter.
    pub fn use_formatter(&mut self, exporter: ExporterId, formatter: &Arc<dyn EventFormatter>) {
        let exports = self.metrics.iter_mut().flat_map(|it| &mut it.exports);
        for export in exports.filter(|export| export.exporter == exporter) {
            export.formatter = ExportFormatter::Custom(Arc::clone(formatter));
        }
    }

    /// The limits of series, which hold for all engines of the plan together.
    #[must_use]
    pub const fn series_limits(&self) -> Limits {
        self.series.limits()
    }

    /// Returns the canonical filter of the metric with this name, or an empty text. A
    /// saved state compares it to see whether the metric is still the same.
    #[must_use]
    pub fn filter_text(&self, metric: &[u8]) -> Vec<u8> {
        let by_name = self.by_name.get_or_init(|| {
            let metrics = self.metrics.iter().enumerate();
            metrics
                .map(|(at, planned)| (planned.settings.name.clone(), at))
                .collect()
        });
        let found = by_name.get(metric).and_then(|at| self.metrics.get(*at));
        found.map_or_else(Vec::new, |planned| planned.filter.to_string().into_bytes())
    }

    pub(crate) fn metric_settings(&self) -> impl Iterator<Item = Arc<MetricSettings>> {
        let metrics = self.metrics.iter();
        metrics.map(|metric| Arc::clone(&metric.settings))
    }
}

/// Dovecot 2.3 skips unnamed events. Dovecot 2.4 skips them only if every metric's
/// filter requires a name (see `docs/differences.md`).
fn unnamed_rule(dialect: Dialect, filters: &FilterSet) -> Unnamed {
    if dialect == Dialect::V2_3 || filters.requires_name() {
        Unnamed::Skipped
    } else {
        Unnamed::Matched
    }
}

fn formatter(
    settings: &Settings,
    metric: &fantail_config::Metric,
    name: &[u8],
) -> Result<Export, PlanError> {
    let known = settings
        .exporters
        .iter()
        .position(|exporter| *exporter.name == *name);
    let Some((at, exporter)) = known.and_then(|at| Some((at, settings.exporters.get(at)?))) else {
        return Err(PlanError::from(PlanErrorKind::UnknownExporter {
            metric: metric.settings.name.clone(),
            exporter: name.to_vec(),
        }));
    };
    let formatter = Formatter::new(FormatterSettings {
        format: exporter.format,
        time_style: exporter.time_style,
        parts: metric.include,
        fields: metric.settings.fields.clone(),
        rules: exporter.rules.clone(),
        event_id: exporter.event_id,
        // As Dovecot does for its own formats; other formats have their own limits.
        cut_long_strings: matches!(exporter.transport, TransportSettings::Log(_))
            && exporter.format.is_dovecots(),
        dialect: settings.dialect,
    });
    Ok(Export {
        exporter: ExporterId(at),
        formatter: ExportFormatter::Configured(Box::new(formatter)),
    })
}
