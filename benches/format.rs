//! `fantail-format`: a sent event to bytes, everything included.
//!
//! One iteration is one whole recording; criterion's figures per element are
//! for one event. `flatten` is what both formats begin with.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_event::Timestamp;
use fantail_format::{Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};

fn formats(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut group = group(criterion, "format", sendings.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent));
            }
        });
    });
    group.bench_function("flatten", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent.flatten()));
            }
        });
    });
    let moment = Moment {
        hostname: b"mail.example.org",
        now: Timestamp::from_unix_micros(0),
    };
    let mut out = Vec::new();
    for (name, format, time_style) in [
        ("json", Format::Json, TimeStyle::Unix),
        ("tab_text", Format::TabText, TimeStyle::Rfc3339),
    ] {
        let formatter = Formatter::new(FormatterSettings {
            format,
            time_style,
            parts: Parts::ALL,
            fields: Vec::new(),
            cut_long_strings: false,
            dialect: recording.dialect,
        });
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for sending in &sendings {
                    out.clear();
                    sending.with(&categories, |sent| formatter.write(sent, moment, &mut out));
                    black_box(&out);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
