//! `fantail-metrics`: an update of a metric with two levels of `group_by`,
//! compared with prometheus-client.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{
    group,
    series::{self, Fantail, LEVELS, PrometheusClient, Subject},
};

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

criterion_group!(benches, update);
criterion_main!(benches);
