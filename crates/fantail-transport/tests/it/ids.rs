//! Ids of payloads: the same in all attempts, and after a restart.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use fantail_transport::{
    Batch, BatchLimits, Delivery, DeliveryLevel, PayloadId, Payloads, Queue, QueueSettings,
    RetrySettings, SpoolSettings, Transport, TransportError, TransportErrorKind,
};

use crate::{queue::quick, target::wait_until};

const MAX_WAIT: Duration = Duration::from_secs(20);

/// What arrived at a target.
#[derive(Debug, Default)]
struct Seen {
    /// The payload of each id.
    payloads: BTreeMap<PayloadId, String>,
    /// The attempts with each payload.
    attempts: BTreeMap<String, usize>,
    dropped: u64,
    /// Whether the target answers; otherwise it takes all and says nothing.
    answers: bool,
}

/// A target that may lose its answers.
#[derive(Debug, Clone, Default)]
struct Target(Arc<Mutex<Seen>>);

impl Target {
    fn queue(&self, level: DeliveryLevel, payloads: usize) -> Queue {
        let settings = QueueSettings {
            level,
            payloads,
            retry: RetrySettings {
                attempts: None,
                ..quick().retry
            },
            ..quick()
        };
        Queue::start("test", Box::new(self.clone()), settings).unwrap()
    }

    fn with<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut self.0.lock().unwrap())
    }

    /// Checks that each payload has one id.
    fn has_one_id_each(&self) {
        self.with(|seen| {
            assert_eq!(seen.payloads.len(), seen.attempts.len(), "{seen:?}");
            let more = seen.attempts.values().filter(|attempts| **attempts > 1);
            assert!(more.count() > 0, "nothing was sent twice");
        });
    }
}

impl Transport for Target {
    fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
        panic!("payloads are delivered");
    }

    fn batch_limits(&self) -> BatchLimits {
        BatchLimits {
            payloads: 7,
            ..BatchLimits::default()
        }
    }

    fn note_dropped(&mut self, payloads: u64) {
        self.with(|seen| seen.dropped = payloads);
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let first = payloads.first_id().unwrap();
        self.with(|seen| {
            for (number, payload) in (first.number..).zip(payloads.iter()) {
                let payload = String::from_utf8(payload.to_vec()).unwrap();
                let id = PayloadId { number, ..first };
                let before = seen.payloads.insert(id, payload.clone());
                assert!(before.is_none_or(|before| before == payload), "{id:?}");
                *seen.attempts.entry(payload).or_default() += 1;
            }
            let mut delivery = Delivery::new();
            if seen.answers {
                // The others come again.
                delivery.arrived(payloads.len().min(3));
            } else {
                let error = io::Error::other("the answer is lost");
                delivery.stopped(TransportError::new(TransportErrorKind::Answer, error));
            }
            delivery
        })
    }
}

/// Offers payloads in batches of several sizes.
fn offer(queue: &Queue, prefix: &str, count: usize) {
    let mut batch = Batch::new();
    for number in 0..count {
        batch.push(format!("{prefix}{number}").as_bytes());
        if number % 5 < 2 {
            queue.offer(&mut batch);
        }
    }
    queue.offer(&mut batch);
}

#[test]
fn attempts_have_the_same_ids() {
    let target = Target::default();
    let queue = target.queue(DeliveryLevel::BestEffort, 10_000);
    offer(&queue, "a", 100);
    wait_until("it is sent twice", || {
        target.with(|seen| seen.attempts.values().any(|attempts| *attempts > 1))
    });
    offer(&queue, "b", 100);
    target.with(|seen| seen.answers = true);
    wait_until("all arrived", || queue.counters().sent == 200);
    target.has_one_id_each();
}

#[test]
fn a_restart_keeps_the_ids_of_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = SpoolSettings::new(folder.path().join("spool"));
    // Several files.
    spool.bytes = 64 * 1024;
    let level = DeliveryLevel::Spool(spool);
    let target = Target::default();
    for start in 0..3 {
        let queue = target.queue(level.clone(), 10_000);
        offer(&queue, &format!("{start}-{}", "x".repeat(300)), 30);
        assert!(queue.flush(MAX_WAIT), "all is on disk");
        wait_until("it is sent", || {
            target.with(|seen| !seen.attempts.is_empty())
        });
        assert!(queue.close(Duration::ZERO) || start > 2);
    }
    target.with(|seen| seen.answers = true);
    let queue = target.queue(level, 10_000);
    wait_until("all arrived", || queue.counters().sent == 90);
    target.has_one_id_each();
    target.with(|seen| {
        let mut runs: Vec<u64> = seen.payloads.keys().map(|id| id.run).collect();
        runs.dedup();
        assert!(runs.len() > 2, "the spool has several files");
    });
}

#[test]
fn a_target_learns_what_was_dropped() {
    let target = Target::default();
    let queue = target.queue(DeliveryLevel::BestEffort, 50);
    offer(&queue, "a", 80);
    wait_until("it is told", || target.with(|seen| seen.dropped == 30));
    target.with(|seen| seen.answers = true);
    wait_until("the others arrived", || queue.counters().sent == 50);
    target.has_one_id_each();
}
