//! `fantail-event`: escaping, the text form of events, inheritance.
//!
//! One iteration is one whole recording; criterion's figures per element are
//! for one event. Subtract the group's `baseline`, which walks the same data.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; and the recording is known to be right"
)]

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fantail_benches::Capture;
use fantail_event::{Event, Level, SentEvent, escape, text};

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn group<'a>(criterion: &'a mut Criterion, name: &str, capture: &Capture) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(capture.events.len() as u64));
    group.warm_up_time(Duration::from_secs(1));
    group
}

/// Bytes to their escaped form and back, an event's text as one.
fn escaping(criterion: &mut Criterion) {
    let capture = Capture::dovecot_2_4();
    let escaped: Vec<Vec<u8>> = capture
        .events
        .iter()
        .map(|event| escape::escape(event).into_owned())
        .collect();
    let mut group = group(criterion, "escape", &capture);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                black_box(event.as_slice());
            }
        });
    });
    let mut out = Vec::new();
    group.bench_function("copy", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                out.clear();
                out.extend_from_slice(black_box(event));
                black_box(&out);
            }
        });
    });
    group.bench_function("escape_into", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                out.clear();
                escape::escape_into(black_box(event), &mut out);
                black_box(&out);
            }
        });
    });
    group.bench_function("unescape", |bencher| {
        bencher.iter(|| {
            for event in &escaped {
                black_box(escape::unescape(black_box(event)));
            }
        });
    });
    group.bench_function("unescape_nothing", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                black_box(escape::unescape(black_box(event)));
            }
        });
    });
    group.finish();
}

/// The text form to an event and back.
fn text_form(criterion: &mut Criterion) {
    let capture = Capture::dovecot_2_4();
    let events = parse_all(&capture);
    let mut group = group(criterion, "text", &capture);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                black_box(arguments(event).count());
            }
        });
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            for event in &capture.events {
                black_box(parse(event, &capture));
            }
        });
    });
    let mut out = Vec::new();
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            for event in &events {
                out.clear();
                text::write(event, &mut out);
                black_box(&out);
            }
        });
    });
    group.finish();
}

/// An event with two ancestors to one event with all that it inherits.
fn flatten(criterion: &mut Criterion) {
    let capture = Capture::dovecot_2_4();
    let events = parse_all(&capture);
    let refs: Vec<&Event<'_>> = events.iter().collect();
    let sent: Vec<SentEvent<'_>> = refs
        .windows(3)
        .map(|chain| SentEvent {
            level: Level::Info,
            event: chain[0],
            parents: &chain[1..],
            global: &[],
            categories: &capture.categories,
        })
        .collect();
    let mut group = group(criterion, "flatten", &capture);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for sent in &sent {
                black_box(sent.event);
            }
        });
    });
    group.bench_function("clone", |bencher| {
        bencher.iter(|| {
            for sent in &sent {
                black_box(black_box(sent.event).clone());
            }
        });
    });
    group.bench_function("flatten", |bencher| {
        bencher.iter(|| {
            for sent in &sent {
                black_box(black_box(sent).flatten());
            }
        });
    });
    group.finish();
}

fn arguments(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    event.split(|&byte| byte == b'\t')
}

fn parse<'a>(event: &'a [u8], capture: &Capture) -> Event<'a> {
    text::parse(arguments(event), &capture.categories, capture.dialect).unwrap()
}

fn parse_all(capture: &Capture) -> Vec<Event<'_>> {
    capture
        .events
        .iter()
        .map(|event| parse(event, capture))
        .collect()
}

criterion_group!(benches, escaping, text_form, flatten);
criterion_main!(benches);
