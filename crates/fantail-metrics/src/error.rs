//! Errors of metrics and registries.

use std::fmt;

/// An error of adding a metric or a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    kind: RegistryErrorKind,
    name: Vec<u8>,
}

/// The reason why a metric or a series cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryErrorKind {
    /// The registry has a metric with this name.
    DuplicateName,
    /// The name is empty.
    EmptyName,
    /// The metric has more than 64 levels of `group_by`.
    TooManyLevels,
    /// The registry has no such metric, or removed it.
    UnknownMetric,
    /// The number of values differs from the number of discrete levels of
    /// `group_by`.
    WrongLabels,
    /// The number of series has reached the [limits](crate::Limits).
    NoRoom,
}

impl RegistryError {
    pub(crate) fn new(kind: RegistryErrorKind, name: &[u8]) -> Self {
        Self {
            kind,
            name: name.to_vec(),
        }
    }

    /// Returns the reason.
    #[must_use]
    pub const fn kind(&self) -> RegistryErrorKind {
        self.kind
    }

    /// Returns the name of the metric.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = String::from_utf8_lossy(&self.name);
        match self.kind {
            RegistryErrorKind::DuplicateName => write!(f, "metric '{name}' exists already"),
            RegistryErrorKind::EmptyName => f.write_str("the name of a metric is empty"),
            RegistryErrorKind::TooManyLevels => {
                write!(f, "metric '{name}' has more than 64 levels of group_by")
            }
            RegistryErrorKind::UnknownMetric => f.write_str("there is no such metric"),
            RegistryErrorKind::WrongLabels => {
                write!(f, "metric '{name}' needs a value for each discrete level")
            }
            RegistryErrorKind::NoRoom => {
                write!(f, "metric '{name}' has no room for another series")
            }
        }
    }
}

impl std::error::Error for RegistryError {}
