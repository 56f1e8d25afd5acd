//! How much a queue holds, for how long, and where.

use std::time::Duration;

use crate::{RetrySettings, SpoolSettings, spool::Overflow};

/// How a queue treats what is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Payloads that wait in memory at most; 65,536 by default.
    pub payloads: usize,
    /// Bytes of payloads that wait in memory at most; 64 MiB by default.
    pub bytes: usize,
    /// What is dropped when the memory is full.
    pub overflow: Overflow,
    /// What is promised of payloads that were offered.
    pub level: DeliveryLevel,
    /// How often and when a target is tried again.
    pub retry: RetrySettings,
    /// Payloads that have waited longer are dropped; by default none are.
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

/// What is promised of payloads that were offered; `docs/exporters.md` has
/// the whole table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeliveryLevel {
    /// They wait in memory, and are lost with the process.
    #[default]
    BestEffort,
    /// They wait on disk until they were handed to the target, whatever that
    /// means for it.
    Spool(SpoolSettings),
    /// They wait on disk until the target confirmed them; for transports
    /// that [confirm](crate::Transport::confirms).
    Acknowledged(SpoolSettings),
}

impl DeliveryLevel {
    /// Where payloads wait on disk.
    #[must_use]
    pub const fn spool(&self) -> Option<&SpoolSettings> {
        match self {
            Self::BestEffort => None,
            Self::Spool(spool) | Self::Acknowledged(spool) => Some(spool),
        }
    }
}
