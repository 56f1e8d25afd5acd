//! `fantail-metrics`: adding values to a distribution, and its quantiles.
//!
//! One iteration adds all durations of a recording, repeated up to the number
//! in the name; criterion's figures per element are for one value.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_metrics::{Distribution, Percentile};

fn durations(count: usize) -> Vec<u64> {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut durations = Vec::with_capacity(sendings.len());
    for sending in &sendings {
        sending.with(&categories, |sent| {
            durations.push(sent.event.duration_micros().unsigned_abs());
        });
    }
    durations.into_iter().cycle().take(count).collect()
}

/// Few values are stored exactly, many as a sketch.
fn recording(criterion: &mut Criterion) {
    for count in [400, 100_000] {
        let values = durations(count);
        let mut group = group(criterion, &format!("distribution/{count}"), count);
        group.bench_function("baseline", |bencher| {
            bencher.iter(|| {
                values
                    .iter()
                    .fold(0_u64, |sum, value| sum.wrapping_add(black_box(*value)))
            });
        });
        group.bench_function("record", |bencher| {
            bencher.iter(|| {
                let mut distribution = Distribution::new();
                for value in &values {
                    distribution.record(black_box(*value));
                }
                distribution
            });
        });
        group.finish();
    }
}

fn reading(criterion: &mut Criterion) {
    for count in [400, 100_000] {
        let distribution: Distribution = durations(count).into_iter().collect();
        let percentile = Percentile::parse(b"95");
        let mut group = group(criterion, &format!("quantiles/{count}"), 1);
        group.bench_function("baseline", |bencher| {
            bencher.iter(|| black_box(&distribution).count());
        });
        group.bench_function("median_and_percentile", |bencher| {
            bencher.iter(|| {
                let quantiles = black_box(&distribution).quantiles();
                (quantiles.median(), quantiles.percentile(percentile))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, recording, reading);
criterion_main!(benches);
