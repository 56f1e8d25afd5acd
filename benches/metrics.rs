//! `fantail-metrics`: an update of a metric with two levels of `group_by`,
//! compared with prometheus-client; and merging the shards of workers.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{
    group,
    series::{self, Fantail, LEVELS, PrometheusClient, Subject},
};
use fantail_event::Event;
use fantail_metrics::{Limits, Snapshot};

/// Updates 4,000 existing series; one iteration updates each of them once.
fn update(criterion: &mut Criterion) {
    let events = series::events(1_000);
    let mut group = group(criterion, "update", events.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &events {
                series::with(event, |sent| _ = black_box(sent));
            }
        });
    });
    let mut run = |name: &str, subject: &mut dyn Subject| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for event in &events {
                    series::with(event, |sent| subject.observe(sent));
                }
            });
        });
    };
    run("fantail", &mut Fantail::new(&LEVELS));
    run(
        "prometheus-client counters",
        &mut PrometheusClient::with_counters(&LEVELS),
    );
    run(
        "prometheus-client histogram",
        &mut PrometheusClient::with_histogram(&LEVELS),
    );
    group.finish();
}

/// Brings events into an order that is the same for each seed (xorshift64*).
fn shuffle(events: &mut [Event], seed: u64) {
    let mut state = seed + 1;
    for at in (1..events.len()).rev() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let number = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        events.swap(at, number as usize % (at + 1));
    }
}

/// Merges the shards of several workers, in which the same series were created in
/// another order, as a dump and a scrape do.
fn merge(criterion: &mut Criterion) {
    let limits = Limits {
        series_per_metric: usize::MAX / 2,
        series: usize::MAX / 2,
        ..Limits::default()
    };
    for (name, levels) in [("one level", &LEVELS[1..]), ("two levels", &LEVELS[..])] {
        for workers in [2, 4, 8, 16_u64] {
            let mut events = series::events(25_000);
            let shards = (0..workers).map(|worker| {
                let mut shard = Fantail::new(levels);
                shuffle(&mut events, worker);
                for event in &events {
                    series::with(event, |sent| shard.observe(sent));
                }
                shard.snapshot()
            });
            let shards: Vec<Snapshot> = shards.collect();
            let metrics = shards.iter().flat_map(Snapshot::metrics);
            let count = metrics.map(|metric| metric.series().len()).sum();
            let title = format!("merge, {name}, {workers} workers");
            let mut group = group(criterion, &title, count);
            group.bench_function("baseline", |bencher| {
                bencher.iter(|| {
                    for metric in shards.iter().flat_map(Snapshot::metrics) {
                        for series in metric.series().iter() {
                            black_box(series);
                        }
                    }
                });
            });
            group.bench_function("fantail", |bencher| {
                bencher.iter_with_large_drop(|| Snapshot::merged(black_box(&shards), &limits));
            });
            group.finish();
        }
    }
}

criterion_group!(benches, update, merge);
criterion_main!(benches);
