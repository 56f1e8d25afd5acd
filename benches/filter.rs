//! `fantail-syntax` and `fantail-filter`: parsing filters, and matching them
//! one by one.
//!
//! In `match` one iteration is one whole recording for each filter; criterion's
//! figures per element are for one event and one filter.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; and the filters are known to be right"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_filter::Filter;

/// Filters as people write them; the second is from the article that this
/// project began with.
const FILTERS: &[(&str, &str)] = &[
    ("name", "event=imap_command_finished"),
    (
        "article",
        r#"event=imap_command_finished AND tagged_reply_state=OK AND
           (cmd_name = "SELECT" OR cmd_name = "EXAMINE") AND NOT mailbox = "INBOX""#,
    ),
    ("category", "category=storage"),
    ("wildcard", "event=*_command_* AND cmd_name=*E*T*"),
    ("number", "net_out_bytes > 1KB"),
    ("network", "remote_ip=127.0.0.0/8"),
];

fn parsing(criterion: &mut Criterion) {
    let mut group = group(criterion, "parse", FILTERS.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for (_, text) in FILTERS {
                black_box(text);
            }
        });
    });
    group.bench_function("parse_and_compile", |bencher| {
        bencher.iter(|| {
            for (_, text) in FILTERS {
                _ = black_box(black_box(text).parse::<Filter>());
            }
        });
    });
    group.finish();
}

fn matching(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let mut group = group(criterion, "match", sendings.len());
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for sending in &sendings {
                sending.with(&categories, |sent| _ = black_box(sent));
            }
        });
    });
    for (name, text) in FILTERS {
        let filter: Filter = text.parse().unwrap();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                for sending in &sendings {
                    sending.with(&categories, |sent| _ = black_box(filter.matches(sent)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parsing, matching);
criterion_main!(benches);
