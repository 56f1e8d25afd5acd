//! Reload: reads the configuration again while the server runs.
//!
//! All steps that may fail come before the first change: a refused configuration
//! changes nothing.

use std::sync::Arc;

use fantail_config::{MetricRequest, Settings};

use super::{Control, Source, crashes};
use crate::{
    ControlError, ControlErrorKind, Log,
    handle::{Live, count},
};

impl Control {
    /// Puts a configuration into force that was read again, and logs the outcome.
    pub(super) fn finish_reload(
        &self,
        prepared: Result<Live, ControlError>,
    ) -> Result<(), ControlError> {
        let live = match prepared {
            Ok(live) => live,
            Err(error) => {
                count(&self.tally.reloads_refused);
                let log = &self.log;
                log.say(format_args!("the configuration stays as it was:\n{error}"));
                return Err(error);
            }
        };
        count(&self.tally.reloads);
        self.log.say(format_args!("the configuration was reloaded"));
        self.enforce(live);
        Ok(())
    }
}

/// Changes of the metrics at run time.
impl Live {
    /// Returns this configuration with another metric.
    pub(super) fn add(&self, request: &MetricRequest) -> Result<Live, ControlError> {
        let mut settings = self.settings.clone();
        let mut metrics = settings.metrics.iter();
        if metrics.any(|metric| metric.settings.name == request.name) {
            return Err(ControlErrorKind::MetricExists.into());
        }
        let metric = request.resolve(settings.dialect, &settings.exporters);
        let metric =
            metric.map_err(|refused| ControlError::new(ControlErrorKind::Metric, refused))?;
        crashes::check(&metric, settings.dialect)?;
        settings.metrics.push(metric);
        self.with_metrics(settings, self.added + 1)
    }

    /// Returns this configuration without a metric.
    pub(super) fn remove(&self, name: &[u8]) -> Result<Live, ControlError> {
        let mut settings = self.settings.clone();
        let mut metrics = settings.metrics.iter();
        let at = metrics.position(|metric| metric.settings.name == name);
        let at = at.ok_or(ControlErrorKind::UnknownMetric)?;
        let was_added = at >= settings.metrics.len() - self.added;
        settings.metrics.remove(at);
        self.with_metrics(settings, self.added - usize::from(was_added))
    }

    fn with_metrics(&self, settings: Settings, added: usize) -> Result<Live, ControlError> {
        let plan = self.compile(&settings);
        let plan = plan.map_err(|error| ControlError::new(ControlErrorKind::Metric, error))?;
        Ok(Self {
            settings,
            added,
            plan: Arc::new(plan),
            ..self.clone()
        })
    }
}

/// Reads and compiles a configuration, and opens its exporters.
pub(super) fn prepare(source: &Source, old: &Live, log: &Log) -> Result<Live, ControlError> {
    let (mut settings, _) = source.read().accept()?;
    let configured = settings.metrics.len();
    keep_added(&mut settings, old, log);
    let added = settings.metrics.len() - configured;
    let refused = |error| ControlError::new(ControlErrorKind::Configuration, error);
    let plan = old.compile(&settings).map_err(refused)?;
    let exporters = old.exporters.follow(&settings)?;
    let live = Live {
        settings,
        added,
        plan: Arc::new(plan),
        exporters,
        observers: Arc::clone(&old.observers),
        session_rules: old.session_rules.clone(),
    };
    Ok(live)
}

/// Keeps the metrics that were added at run time, as far as they fit the new
/// configuration.
fn keep_added(settings: &mut Settings, old: &Live, log: &Log) {
    let from = old.settings.metrics.len() - old.added;
    for metric in old.settings.metrics.iter().skip(from) {
        let exports = metric.exporters.iter().all(|name| {
            let mut exporters = settings.exporters.iter();
            exporters.any(|known| known.name == name.value)
        });
        let mut metrics = settings.metrics.iter();
        let named = metrics.any(|known| known.settings.name == metric.settings.name);
        if exports && !named && settings.dialect == old.settings.dialect {
            settings.metrics.push(metric.clone());
        } else {
            let name = metric.settings.name.escape_ascii();
            log.say(format_args!(
                "the metric {name}, added at run time, does not fit the new configuration and is removed"
            ));
        }
    }
}
