//! Errors.

use std::{error::Error, fmt};

use fantail_config::Refused;
use fantail_engine::PlanError;

/// A configuration that a layer cannot use.
///
/// `Debug` writes the same text as `Display`: a `main` that returns it shows the lines
/// of the configuration.
///
/// ```
/// let error = fantail_tracing::layer::<tracing_subscriber::Registry>("metric logins {\n}\n");
/// let text = error.err().ok_or("it has no filter")?.to_string();
/// assert!(text.contains("tracing.conf:1"), "{text}");
/// # Ok::<(), &str>(())
/// ```
pub struct ConfigError {
    kind: ConfigErrorKind,
}

/// The kind of a [`ConfigError`].
///
/// ```
/// use fantail_tracing::{ConfigErrorKind, layer};
/// use tracing_subscriber::Registry;
///
/// let error = layer::<Registry>("metric logins {\n filter = status>=\n}\n").err();
/// let error = error.ok_or("the filter is incomplete")?;
/// assert!(matches!(error.kind(), ConfigErrorKind::Refused(_)));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The text has errors; the source has their positions.
    Refused(Refused),
    /// The metrics cannot be registered together.
    Plan(PlanError),
    /// An exporter cannot start, or the feature `exporters` is off.
    Exporter {
        /// The name of the exporter.
        name: String,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ConfigError {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &ConfigErrorKind {
        &self.kind
    }
}

impl From<ConfigErrorKind> for ConfigError {
    fn from(kind: ConfigErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            // The lines of a compiler, ready for a terminal.
            ConfigErrorKind::Refused(refused) => refused.fmt(f),
            ConfigErrorKind::Plan(error) => error.fmt(f),
            ConfigErrorKind::Exporter { name, .. } => {
                write!(f, "the exporter `{name}` cannot start")
            }
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            ConfigErrorKind::Refused(_) => None,
            ConfigErrorKind::Plan(error) => error.source(),
            ConfigErrorKind::Exporter { source, .. } => Some(&**source),
        }
    }
}
