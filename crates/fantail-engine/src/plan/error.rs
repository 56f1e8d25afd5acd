//! Errors of the settings of a plan.

use std::{error::Error, fmt};

use fantail_metrics::RegistryError;

/// Settings that do not fit together.
///
/// ```
/// use fantail_config::{LoadOptions, load_text};
/// use fantail_engine::{Plan, PlanError, PlanErrorKind};
///
/// let text = "metric logins {\n  filter = event=login\n}\n";
/// let mut settings = load_text("a.conf", text, &LoadOptions::default()).accept()?.settings;
/// settings.metrics.push(settings.metrics[0].clone());
/// let error: PlanError = Plan::new(&settings).err().unwrap();
/// // Two metrics have one name.
/// assert!(matches!(error.kind(), PlanErrorKind::Metric(_)));
/// # Ok::<(), fantail_config::Refused>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    kind: PlanErrorKind,
}

/// The reason why settings do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanErrorKind {
    /// A metric refers to an exporter that does not exist.
    UnknownExporter {
        /// The name of the metric.
        metric: Vec<u8>,
        /// The name of the exporter.
        exporter: Vec<u8>,
    },
    /// A metric cannot be registered, or its declared series do not fit.
    Metric(RegistryError),
}

impl PlanError {
    /// Returns the reason.
    #[must_use]
    pub const fn kind(&self) -> &PlanErrorKind {
        &self.kind
    }
}

impl From<PlanErrorKind> for PlanError {
    fn from(kind: PlanErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PlanErrorKind::UnknownExporter { metric, exporter } => write!(
                f,
                "metric '{}' exports to '{}', which is not configured; add an event_exporter of that name",
                String::from_utf8_lossy(metric),
                String::from_utf8_lossy(exporter)
            ),
            PlanErrorKind::Metric(error) => error.fmt(f),
        }
    }
}

impl Error for PlanError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            PlanErrorKind::UnknownExporter { .. } => None,
            PlanErrorKind::Metric(error) => Some(error),
        }
    }
}
