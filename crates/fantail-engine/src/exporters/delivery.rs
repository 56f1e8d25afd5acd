//! From the settings of delivery to those of a queue.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
    time::Duration,
};

use fantail_config::{
    Delivery, Exporter, Level, Overflow as Room, Spool, Throttle as Limits, Transport as Target,
};
use fantail_transport::{
    DeliveryLevel, Overflow, QueueSettings, RateLimit, RetrySettings, SpoolSettings, Throttle,
    ThrottleSettings,
};

use super::target::{fsync, path};

/// The settings of an exporter's queue.
#[must_use]
pub fn queue_settings(delivery: &Delivery) -> QueueSettings {
    QueueSettings {
        payloads: delivery.queue_size.get(),
        bytes: usize::try_from(delivery.queue_bytes).unwrap_or(usize::MAX),
        overflow: overflow(delivery.queue_overflow),
        level: match &delivery.level {
            Level::BestEffort => DeliveryLevel::BestEffort,
            Level::Spool(spool) => DeliveryLevel::Spool(spool_settings(spool)),
            Level::Acknowledged(spool) => DeliveryLevel::Acknowledged(spool_settings(spool)),
        },
        retry: RetrySettings {
            first: delivery.retry_first,
            longest: delivery.retry_longest,
            attempts: delivery.retry_attempts,
            ..RetrySettings::default()
        },
        max_age: delivery.max_age,
    }
}

/// The folder in which an exporter's events wait, if they wait on disk.
#[must_use]
pub fn spool_folder(exporter: &Exporter) -> Option<&[u8]> {
    match &exporter.delivery.level {
        Level::BestEffort => None,
        Level::Spool(spool) | Level::Acknowledged(spool) => Some(&spool.path),
    }
}

/// Whether an exporter's events go nowhere and wait nowhere: then no queue is
/// needed.
#[must_use]
pub fn discards(exporter: &Exporter) -> bool {
    let delivery = &exporter.delivery;
    matches!(exporter.transport, Target::Drop)
        && matches!(delivery.level, Level::BestEffort)
        && delivery.dead_letters.is_none()
}

/// The sampling and rate limit of an exporter, if it has any.
#[must_use]
pub fn throttle(limits: &Limits) -> Option<Throttle> {
    let rate = limits.rate.map(|events| RateLimit {
        events,
        period: Duration::from_secs(1),
        burst: limits.burst.unwrap_or(events),
    });
    let settings = ThrottleSettings {
        sample: limits.sample.filter(|one_in| *one_in > NonZeroU32::MIN),
        rate,
    };
    let idle = settings == ThrottleSettings::default();
    (!idle).then(|| Throttle::new(settings, RandomState::new().hash_one(0)))
}

fn spool_settings(spool: &Spool) -> SpoolSettings {
    SpoolSettings {
        bytes: spool.size,
        overflow: overflow(spool.overflow),
        fsync: fsync(spool.sync),
        ..SpoolSettings::new(path(&spool.path))
    }
}

const fn overflow(room: Room) -> Overflow {
    match room {
        Room::DropNewest => Overflow::DropNewest,
        Room::DropOldest => Overflow::DropOldest,
    }
}
