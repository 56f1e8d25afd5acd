//! The cost of a large set: time to compile, and memory.

use std::time::Instant;

use fantail_benches::rules::{Events, Rule};
use fantail_filter::{Filter, FilterSet, Matcher};
use fantail_testkit::allocator::{CountingAllocator, live_bytes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const FILTERS: usize = 100_000;

/// Compiles a hundred thousand filters and prints their time and memory.
pub(crate) fn report(events: &Events<'_>) {
    // Each filter has a comparison that no other has.
    let rules = events.rules(FILTERS);
    let unlike = |(number, rule): (usize, &Rule)| {
        format!("{} AND NOT session=\"{number:012}\"", rule.filter())
    };
    let texts: Vec<_> = rules.iter().enumerate().map(unlike).collect();
    let parse = |text: &String| text.parse::<Filter>().expect("a filter");
    let before = live_bytes();
    let start = Instant::now();
    let set: FilterSet = texts.iter().map(parse).collect();
    let compiled = start.elapsed();
    let bytes = (live_bytes() - before).unsigned_abs();
    let mut matcher = Matcher::new();
    let start = Instant::now();
    let mut slowest = std::time::Duration::ZERO;
    for event in &events.events {
        let start = Instant::now();
        matcher.evaluate(&set, &events.sent(event));
        slowest = slowest.max(start.elapsed());
    }
    let first = start.elapsed();
    let all = (live_bytes() - before).unsigned_abs();
    println!(
        "{FILTERS} filters: parsed and compiled in {compiled:.2?}; {} B a filter.",
        bytes / FILTERS
    );
    println!(
        "The first walk over the events, which makes all classes: {first:.2?}, one event at most {slowest:.2?}; {} B a filter with the matcher.",
        all / FILTERS
    );
    let mut set = set;
    let extra = parse(&"event=imap_command_finished AND user=extra".to_owned());
    let start = Instant::now();
    for _ in 0..1_000 {
        let id = set.insert(&extra);
        matcher.evaluate(&set, &events.sent(&events.events[0]));
        set.remove(id);
    }
    let each = start.elapsed() / 1_000;
    println!("A filter added, an event matched, the filter removed: {each:.2?}.");
}
