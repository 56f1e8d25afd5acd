//! A configuration at work.

use std::fmt;

use fantail_config::{Settings, Transport};
use fantail_event::{Dialect, EventView, RawSending, SentEvent};
use fantail_filter::{FilterSet, Matcher};
use fantail_format::{Formatter, FormatterSettings, Moment};
use fantail_metrics::{MetricId, Registry, Snapshot};

use crate::{
    ExportSink, ExporterId,
    fast::{Fast, MetricSlots},
};

/// Metrics and exporters, fed with events.
#[derive(Debug)]
pub struct Engine {
    /// In the order of the filters in the set.
    metrics: Vec<Metric>,
    filters: FilterSet,
    matcher: Matcher,
    registry: Registry,
    unnamed: Unnamed,
    payload: Vec<u8>,
    fast: Fast,
}

#[derive(Debug)]
struct Metric {
    id: MetricId,
    slots: MetricSlots,
    export: Option<(ExporterId, Formatter)>,
}

/// What happens to events without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unnamed {
    /// No metric sees them.
    Skipped,
    /// Every metric's filter is evaluated as it stands.
    Matched,
}

impl Engine {
    /// An engine for these settings, all its metrics at zero.
    ///
    /// # Errors
    /// A metric cannot be registered, or names an exporter that is not there;
    /// settings that were read without an error have neither.
    pub fn new(settings: &Settings) -> Result<Self, EngineError> {
        let mut registry = Registry::new(settings.dialect);
        let mut filters = FilterSet::new();
        let mut metrics = Vec::with_capacity(settings.metrics.len());
        for metric in &settings.metrics {
            let added = registry.add(metric.settings.clone());
            let id = added.map_err(EngineError::new)?;
            let exporter = metric.exporter.as_ref();
            let export = exporter.map(|name| formatter(settings, metric, &name.value));
            filters.insert(&metric.filter);
            metrics.push(Metric {
                id,
                slots: MetricSlots::new(&metric.settings, &mut filters),
                export: export.transpose()?,
            });
        }
        Ok(Self {
            metrics,
            unnamed: unnamed_rule(settings.dialect, &filters),
            fast: Fast::new(&filters),
            filters,
            matcher: Matcher::new(),
            registry,
            payload: Vec::new(),
        })
    }

    /// Takes one event that was sent.
    ///
    /// Metrics come in the order of the configuration, as in Dovecot.
    pub fn handle(&mut self, sent: &SentEvent<'_>, moment: Moment<'_>, sink: &mut impl ExportSink) {
        if self.unnamed == Unnamed::Skipped && sent.name().is_none() {
            return;
        }
        // Gathered once, and only if some metric that matches exports.
        let mut flat = None;
        for filter in self.matcher.evaluate(&self.filters, sent) {
            let Some(metric) = self.metrics.get(filter.index()) else {
                continue;
            };
            self.registry.observe(metric.id, sent);
            if let Some((exporter, formatter)) = &metric.export {
                self.payload.clear();
                let flat = flat.get_or_insert_with(|| sent.flatten());
                formatter.write_flat(flat, moment, &mut self.payload);
                sink.export(*exporter, &self.payload);
            }
        }
    }

    /// As [`handle`](Self::handle), for an event as it was read. The outcome
    /// is the same; it costs a fraction of the time.
    pub fn handle_raw(
        &mut self,
        sending: &RawSending<'_>,
        moment: Moment<'_>,
        sink: &mut impl ExportSink,
    ) {
        if self.unnamed == Unnamed::Skipped && sending.event.name().is_none() {
            return;
        }
        let Self {
            metrics,
            registry,
            payload,
            ..
        } = self;
        // Gathered once, and only if some metric that matches exports.
        let mut flat = None;
        self.fast.handle(
            &self.filters,
            &mut self.matcher,
            sending,
            |filter, event| {
                let Some(metric) = metrics.get(filter.index()) else {
                    return;
                };
                event.count(registry, metric.id, &metric.slots);
                if let Some((exporter, formatter)) = &metric.export {
                    payload.clear();
                    let flat = flat.get_or_insert_with(|| {
                        sending.with_sent(|sent| sent.flatten().into_owned())
                    });
                    formatter.write_flat(flat, moment, payload);
                    sink.export(*exporter, payload);
                }
            },
        );
    }

    /// What the metrics have counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }
}

/// 2.3's stats process passes unnamed events over. 2.4's does so only if each
/// metric's filter requires a name (see `docs/differences.md`).
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
) -> Result<(ExporterId, Formatter), EngineError> {
    let known = settings
        .exporters
        .iter()
        .position(|exporter| *exporter.name == *name);
    let Some((at, exporter)) = known.and_then(|at| Some((at, settings.exporters.get(at)?))) else {
        return Err(EngineError::new(format_args!(
            "metric {} names the exporter {}, which is not configured",
            metric.settings.name.escape_ascii(),
            name.escape_ascii()
        )));
    };
    let formatter = Formatter::new(FormatterSettings {
        format: exporter.format,
        time_style: exporter.time_style,
        parts: metric.include,
        fields: metric.settings.fields.clone(),
        cut_long_strings: matches!(exporter.transport, Transport::Log),
        dialect: settings.dialect,
    });
    Ok((ExporterId(at), formatter))
}

/// Settings that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    message: String,
}

impl EngineError {
    fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}
