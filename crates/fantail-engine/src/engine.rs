//! A configuration at work.

use std::fmt;

use fantail_config::{Settings, Transport};
use fantail_event::{Dialect, EventView, SentEvent};
use fantail_filter::Filter;
use fantail_format::{Formatter, FormatterSettings, Moment};
use fantail_metrics::{MetricId, Registry, Snapshot};

use crate::{ExportSink, ExporterId};

/// Metrics and exporters, fed with events.
#[derive(Debug)]
pub struct Engine {
    metrics: Vec<Metric>,
    registry: Registry,
    unnamed: Unnamed,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Metric {
    id: MetricId,
    filter: Filter,
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
        let mut metrics = Vec::with_capacity(settings.metrics.len());
        for metric in &settings.metrics {
            let id = registry
                .add(metric.settings.clone())
                .map_err(EngineError::new)?;
            let export = metric
                .exporter
                .as_ref()
                .map(|name| formatter(settings, metric, &name.value));
            metrics.push(Metric {
                id,
                filter: metric.filter.clone(),
                export: export.transpose()?,
            });
        }
        let unnamed = unnamed_rule(settings.dialect, &metrics);
        Ok(Self {
            metrics,
            registry,
            unnamed,
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
        for metric in &self.metrics {
            if !metric.filter.evaluate(sent) {
                continue;
            }
            self.registry.observe(metric.id, sent);
            if let Some((exporter, formatter)) = &metric.export {
                self.payload.clear();
                formatter.write(sent, moment, &mut self.payload);
                sink.export(*exporter, &self.payload);
            }
        }
    }

    /// What the metrics have counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }
}

/// 2.3's stats process passes unnamed events over. 2.4's does so only if each
/// metric's filter requires a name (see `docs/differences.md`).
fn unnamed_rule(dialect: Dialect, metrics: &[Metric]) -> Unnamed {
    if dialect == Dialect::V2_3 || metrics.iter().all(|metric| metric.filter.requires_name()) {
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
