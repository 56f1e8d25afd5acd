//! `fantail-transport`: the cost of handing payloads over for a producer, and
//! the cost of spooling them for the disk's thread.
//!
//! Figures per element are for one payload of 400 bytes. The baseline fills a
//! batch, and drops it.

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion's macros make public functions; a bench may stop"
)]

use std::{hint::black_box, thread, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::group;
use fantail_transport::{
    Batch, BatchLimits, Delivery, DropTransport, Overflow, Payloads, Queue, QueueSettings,
    Transport, TransportError,
    spool::{self, Fsync, SpoolSettings},
};

const PAYLOAD: [u8; 400] = [b'x'; 400];

/// The number of payloads of an iteration.
const PAYLOADS: usize = 1024;

/// A target that accepts nothing for an hour.
struct Stuck;

impl Transport for Stuck {
    fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
        Ok(())
    }

    fn deliver(&mut self, _: Payloads<'_>) -> Delivery {
        thread::sleep(Duration::from_secs(3600));
        Delivery::new()
    }
}

/// Fills and offers batches of this number of payloads.
fn each_batch(size: usize, batch: &mut Batch, mut hand_over: impl FnMut(&mut Batch)) {
    for _ in 0..PAYLOADS / size {
        for _ in 0..size {
            batch.push(black_box(&PAYLOAD));
        }
        hand_over(batch);
        batch.clear();
    }
}

fn start(transport: impl Transport + 'static, payloads: usize, overflow: Overflow) -> Queue {
    let settings = QueueSettings {
        payloads,
        overflow,
        ..QueueSettings::default()
    };
    Queue::start("bench", Box::new(transport), settings).expect("threads are to be had")
}

fn offers(criterion: &mut Criterion) {
    let mut group = group(criterion, "offer", PAYLOADS);
    let mut batch = Batch::new();
    for size in [1, 64] {
        group.bench_function(format!("baseline/{size}"), |bencher| {
            bencher.iter(|| each_batch(size, &mut batch, |batch| _ = black_box(batch)));
        });
        let queues = [
            ("drop", start(DropTransport, 65_536, Overflow::DropNewest)),
            ("full_newest", start(Stuck, 4_096, Overflow::DropNewest)),
            ("full_oldest", start(Stuck, 4_096, Overflow::DropOldest)),
        ];
        for (name, queue) in &queues {
            group.bench_function(format!("{name}/{size}"), |bencher| {
                bencher.iter(|| each_batch(size, &mut batch, |batch| queue.offer(batch)));
            });
        }
    }
    group.finish();
}

fn spools(criterion: &mut Criterion) {
    let mut group = group(criterion, "spool", PAYLOADS);
    let folder = tempfile::tempdir().expect("a folder for the spool");
    let mut batch = Batch::new();
    let policies = [
        ("never", Fsync::Never),
        ("interval", Fsync::Interval(Duration::from_secs(1))),
    ];
    for (name, fsync) in policies {
        let settings = SpoolSettings {
            bytes: 256 << 20,
            overflow: Overflow::DropOldest,
            fsync,
            ..SpoolSettings::new(folder.path().join(name))
        };
        let (mut writer, mut reader) = spool::open(&settings).expect("the spool opens");
        group.bench_function(format!("append/{name}"), |bencher| {
            bencher.iter(|| {
                each_batch(64, &mut batch, |batch| {
                    assert!(writer.append(batch.payloads()).error.is_none());
                });
                if writer
                    .sync_due()
                    .is_some_and(|due| due <= std::time::Instant::now())
                {
                    assert!(writer.sync().is_ok());
                }
            });
        });
        let mut read = Batch::new();
        group.bench_function(format!("append_and_read/{name}"), |bencher| {
            bencher.iter(|| {
                each_batch(64, &mut batch, |batch| {
                    assert!(writer.append(batch.payloads()).error.is_none());
                });
                for _ in 0..PAYLOADS / 64 {
                    assert!(reader.read(&mut read, BatchLimits::default()).is_ok());
                    assert!(reader.settle(read.len()).is_ok());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, offers, spools);
criterion_main!(benches);
