//! `fantail-exposition`: 100,000 series as text, compared with
//! prometheus-client.
//!
//! Both write a count and a sum for each series.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{
    group,
    series::{self, Fantail, LEVELS, PrometheusClient, Subject},
};

fn exposition(criterion: &mut Criterion) {
    let events = series::events(25_000);
    let mut ours = Fantail::new(&LEVELS);
    let mut peer = PrometheusClient::with_counters(&LEVELS);
    for event in &events {
        series::with(event, |sent| {
            ours.observe(sent);
            peer.observe(sent);
        });
    }
    let mut group = group(criterion, "exposition", events.len());
    group.sample_size(10);
    let text = ours.expose();
    // The cost of copying the same number of bytes.
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| black_box(text.clone()));
    });
    group.bench_function("fantail snapshot", |bencher| {
        bencher.iter(|| black_box(ours.snapshot()));
    });
    let snapshot = ours.snapshot();
    group.bench_function("fantail text", |bencher| {
        bencher.iter(|| black_box(Fantail::write(&snapshot)));
    });
    group.bench_function("fantail snapshot and text", |bencher| {
        bencher.iter(|| black_box(ours.expose()));
    });
    group.bench_function("prometheus-client", |bencher| {
        bencher.iter(|| black_box(peer.expose()));
    });
    group.finish();
}

criterion_group!(benches, exposition);
criterion_main!(benches);
