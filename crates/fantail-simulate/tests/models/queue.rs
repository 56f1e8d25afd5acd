//! The queue: producers, the sender, the disk writer, and those that wait for them.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex},
    time::Duration,
};

use fantail_simulate::{system::SIMULATED, world::World};
use fantail_transport::{
    Batch, Delivery, DeliveryLevel, Payloads, Queue, QueueSettings, SpoolSettings, Transport,
    TransportError, internal::lose_signal,
};
use shuttle::thread::{self, JoinHandle};

use crate::check;

/// Longer than a model runs.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// Payloads of a producer.
const PAYLOADS: u8 = 3;

/// A target that keeps what arrives.
#[derive(Debug, Clone, Default)]
struct Target(Arc<Mutex<Vec<Vec<u8>>>>);

impl Transport for Target {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        self.0.lock().unwrap().push(payload.to_vec());
        Ok(())
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        thread::yield_now();
        let mut delivery = Delivery::new();
        for payload in payloads.iter() {
            self.send(payload).unwrap();
        }
        delivery.arrived(payloads.len());
        delivery
    }
}

impl Target {
    /// Checks that all payloads of these producers arrived, in order.
    fn has_all_of(&self, producers: u8) {
        let arrived = self.0.lock().unwrap();
        for producer in 0..producers {
            let of = arrived.iter().filter(|payload| payload[0] == producer);
            let numbers: Vec<u8> = of.map(|payload| payload[1]).collect();
            let expected: Vec<u8> = (0..PAYLOADS).collect();
            assert_eq!(numbers, expected, "producer {producer}");
        }
    }
}

fn settings(level: DeliveryLevel) -> QueueSettings {
    QueueSettings {
        level,
        ..QueueSettings::default()
    }
}

fn spooled() -> QueueSettings {
    settings(DeliveryLevel::Spool(SpoolSettings {
        bytes: 64 * 1024,
        ..SpoolSettings::new("/spool")
    }))
}

/// Starts a queue on threads of the model.
fn start(target: &Target, settings: QueueSettings, before: Option<&Queue>) -> Queue {
    let mut builder = Queue::builder("model", Box::new(target.clone()));
    if let Some(before) = before {
        builder = builder.after(before);
    }
    let built = builder.settings(settings).on(&SIMULATED).build();
    let (queue, workers) = built.unwrap();
    for worker in workers {
        thread::spawn(move || worker.run());
    }
    queue
}

fn offer(queue: &Queue, producer: u8, number: u8) {
    let mut batch = Batch::new();
    batch.push(&[producer, number]);
    queue.offer(&mut batch);
}

fn produce(queue: &Queue, producer: u8) -> JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || {
        for number in 0..PAYLOADS {
            offer(&queue, producer, number);
        }
    })
}

fn is_balanced(queue: &Queue, offered: u64) {
    let counters = queue.counters();
    assert_eq!(counters.queued, offered);
    assert_eq!(counters.sent, offered, "{counters:?}");
}

/// Producers hand over payloads while the queue is closed afterwards.
fn hands_over(settings: QueueSettings) {
    let target = Target::default();
    let queue = start(&target, settings, None);
    let producers = [0, 1].map(|producer| produce(&queue, producer));
    for producer in producers {
        producer.join().unwrap();
    }
    assert!(queue.close(PATIENCE));
    target.has_all_of(2);
    is_balanced(&queue, 2 * u64::from(PAYLOADS));
}

#[test]
fn payloads_pass_from_memory_to_the_target() {
    check(|| hands_over(settings(DeliveryLevel::BestEffort)));
}

#[test]
fn payloads_pass_from_the_disk_to_the_target() {
    check(|| hands_over(spooled()));
}

/// A queue is flushed, and told to reopen its target, while payloads come in.
fn flushes(settings: QueueSettings) {
    let target = Target::default();
    let queue = start(&target, settings, None);
    let producer = produce(&queue, 0);
    offer(&queue, 1, 0);
    queue.reopen();
    assert!(queue.flush(PATIENCE));
    producer.join().unwrap();
    assert!(queue.flush(PATIENCE));
    drop(queue.wait_until_open(PATIENCE));
    assert!(queue.close(PATIENCE));
    target.has_all_of(1);
}

#[test]
fn flushes_end_in_memory() {
    check(|| flushes(settings(DeliveryLevel::BestEffort)));
}

#[test]
fn flushes_end_with_a_spool() {
    check(|| flushes(spooled()));
}

/// A reload replaces a queue by another one with the same spool, while producers
/// change over one after another.
#[test]
fn a_reload_hands_the_spool_over() {
    check(|| {
        let target = Target::default();
        let old = start(&target, spooled(), None);
        let new = start(&target, spooled(), Some(&old));
        let producers = [0, 1].map(|producer| {
            let (old, new) = (old.clone(), new.clone());
            thread::spawn(move || {
                offer(&old, producer, 0);
                for number in 1..PAYLOADS {
                    offer(&new, producer, number);
                }
            })
        });
        for producer in producers {
            producer.join().unwrap();
        }
        assert!(old.close(PATIENCE));
        assert!(new.close(PATIENCE));
        target.has_all_of(2);
    });
}

/// The last handle of a queue is dropped while its threads work: they end.
#[test]
fn a_dropped_queue_ends() {
    check(|| {
        let target = Target::default();
        let built = Queue::builder("model", Box::new(target))
            .settings(spooled())
            .on(&SIMULATED)
            .build();
        let (queue, workers) = built.unwrap();
        let threads = workers
            .into_iter()
            .map(|worker| thread::spawn(move || worker.run()));
        let threads: Vec<JoinHandle<()>> = threads.collect();
        offer(&queue, 0, 0);
        drop(queue);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The models find a signal that never comes, whichever it is of those that a run needs.
#[test]
fn a_lost_signal_is_found() {
    let is_found = |lost| {
        let model = move || {
            World::start(0, None, false);
            lose_signal(Some(lost));
            hands_over(spooled());
        };
        let run = || shuttle::check_random(model, 300);
        panic::catch_unwind(AssertUnwindSafe(run)).is_err()
    };
    let found: Vec<u32> = (0..8).filter(|lost| is_found(*lost)).collect();
    lose_signal(None);
    println!("{found:?}");
    assert!(!found.is_empty());
}
