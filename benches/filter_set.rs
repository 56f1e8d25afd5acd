//! `fantail-filter`: many filters at once, compared with each of them alone.
//!
//! The set is measured in two ways: `slots` uses values that are in their slots
//! already, of events whose class is known; `set` uses a `SentEvent`, whose
//! fields are looked up.
//!
//! One iteration is 4,000 events; criterion's figures per element are for one
//! event. Other engines with the same filters and events: `benches/peers`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; and the filters are known to be right"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{group, rules::Lines, slots::Filled};
use fantail_filter::{Filter, FilterSet, Matcher, internal::ClassMatcher as _};

fn matching(criterion: &mut Criterion) {
    let lines = Lines::new();
    let events = lines.events();
    let mut group = group(criterion, "filter_set", events.events.len());
    group.sample_size(10);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for event in &events.events {
                black_box(events.sent(event));
            }
        });
    });
    for count in [1, 10, 100, 1_000, 10_000] {
        let rules = events.rules(count);
        let parse = |rule: &fantail_benches::rules::Rule| rule.filter().parse().unwrap();
        let filters: Vec<Filter> = rules.iter().map(parse).collect();
        let set: FilterSet = filters.iter().collect();
        let mut matcher = Matcher::new();
        group.bench_function(format!("set/{count}"), |bencher| {
            bencher.iter(|| {
                for event in &events.events {
                    black_box(matcher.evaluate(&set, &events.sent(event)));
                }
            });
        });
        let fill = |event| {
            let filled = Filled::new(set.slots(), &events, event);
            let class = matcher.classify(&set, &filled);
            (filled, class)
        };
        let filled: Vec<_> = events.events.iter().map(fill).collect();
        group.bench_function(format!("slots/{count}"), |bencher| {
            bencher.iter(|| {
                for (filled, class) in &filled {
                    black_box(matcher.match_class(&set, *class, filled).filters);
                }
            });
        });
        // With more filters, one iteration would take seconds.
        if count > 1_000 {
            continue;
        }
        group.bench_function(format!("naive/{count}"), |bencher| {
            bencher.iter(|| {
                for event in &events.events {
                    let sent = events.sent(event);
                    let found = filters.iter().filter(|filter| filter.evaluate(&sent));
                    black_box(found.count());
                }
            });
        });
    }
    group.finish();
}

fn compiling(criterion: &mut Criterion) {
    let lines = Lines::new();
    let rules = lines.events().rules(1_000);
    let parse = |rule: &fantail_benches::rules::Rule| rule.filter().parse().unwrap();
    let filters: Vec<Filter> = rules.iter().map(parse).collect();
    let mut group = group(criterion, "filter_set_compile", filters.len());
    group.bench_function("insert", |bencher| {
        bencher.iter(|| black_box(filters.iter().collect::<FilterSet>()));
    });
    group.finish();
}

criterion_group!(benches, matching, compiling);
criterion_main!(benches);
