//! `fantail-event`: escaping, the text form of events, inheritance.
//!
//! One iteration is one whole recording; criterion's figures per element are
//! for one event. Subtract the group's `baseline`, which walks the same data.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; and the recording is known to be right"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_event::{EffectiveBuffers, Event, Parser, escape, text};

/// Escapes and unescapes bytes; an event's text is one of them.
fn escaping(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let events = recording.texts().events;
    let escaped: Vec<_> = events.iter().map(|event| escape::escape(event)).collect();
    let mut group = group(criterion, "escape", events.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &events {
                black_box(event);
            }
        });
    });
    let mut out = Vec::new();
    group.bench_function("copy", |bencher| {
        bencher.iter(|| {
            for event in &events {
                out.clear();
                out.extend_from_slice(black_box(event));
                black_box(&out);
            }
        });
    });
    group.bench_function("escape_into", |bencher| {
        bencher.iter(|| {
            for event in &events {
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
            for event in &events {
                black_box(escape::unescape(black_box(event)));
            }
        });
    });
    group.finish();
}

/// Parses and writes the text form of events.
fn text_form(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let texts = recording.texts();
    let (categories, dialect) = (&texts.categories, recording.dialect);
    let parse = |event| Event::parse(event, categories, dialect).unwrap();
    let events: Vec<Event> = texts.events.iter().map(|event| parse(event)).collect();
    let mut parser = Parser::new();
    let mut group = group(criterion, "text", events.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &texts.events {
                black_box(arguments(event).count());
            }
        });
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            for event in &texts.events {
                _ = black_box(parser.parse(event, categories, dialect));
            }
        });
    });
    let mut out = Vec::new();
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            for event in &events {
                out.clear();
                text::write(event.as_event_ref(), &mut out);
                black_box(&out);
            }
        });
    });
    group.finish();
}

/// Computes the effective event of an event.
fn effective(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut group = group(criterion, "effective", sendings.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent));
            }
        });
    });
    let mut buffers = EffectiveBuffers::new();
    group.bench_function("gather", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(buffers.gather(sent)));
            }
        });
    });
    group.finish();
}

fn arguments(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    event.split(|&byte| byte == b'\t')
}

criterion_group!(benches, escaping, text_form, effective);
criterion_main!(benches);
