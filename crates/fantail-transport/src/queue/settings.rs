//! Settings of a queue.

use std::time::Duration;

use crate::{RetrySettings, SpoolSettings, spool::Overflow};

/// Settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Maximum number of payloads in memory, by default 65,536.
    pub payloads: usize,
    /// Maximum bytes of payloads in memory, by default 64 MiB.
    pub bytes: usize,
    /// The payloads that are dropped when the memory is full.
    pub overflow: Overflow,
    /// The delivery level.
    pub level: DeliveryLevel,
    /// Repetition of failed attempts.
    pub retry: RetrySettings,
    /// Maximum age of payloads; older ones are dropped. No limit by default.
    pub max_age: Option<Duration>,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            payloads: 65_536,
            bytes: 64 << 20,
            overflow: Overflow::default(),
            level: DeliveryLevel::default(),
            retry: RetrySettings::default(),
            max_age: None,
        }
    }
}

/// The promise about payloads that were offered. `docs/exporters.md` has the
/// whole table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeliveryLevel {
    /// Payloads wait in memory and are lost with the process.
    #[default]
    BestEffort,
    /// Payloads wait on disk until they are handed to the target.
    Spool(SpoolSettings),
    /// Payloads wait on disk until the target confirmed them. Needs a transport
    /// that [confirms](crate::Transport::confirms).
    Acknowledged(SpoolSettings),
}

impl DeliveryLevel {
    /// Returns the settings of the spool, if the level has one.
    #[must_use]
    pub const fn spool(&self) -> Option<&SpoolSettings> {
        match self {
            Self::BestEffort => None,
            Self::Spool(spool) | Self::Acknowledged(spool) => Some(spool),
        }
    }
}
