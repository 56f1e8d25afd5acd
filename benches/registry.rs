//! `fantail-metrics` and its exposition beside prometheus-client, for machines
//! that do something else besides: all take turns, and the fastest round of
//! each counts. `metrics.rs` and `exposition.rs` measure the same by criterion.
//!
//! Besides, how long events wait for a snapshot: while it is made, and when
//! they first write to what it shares.

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program whose output is the result"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use fantail_benches::series::{self, Fantail, LEVELS, PrometheusClient, Subject};
use fantail_event::Event;

fn time<R>(run: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}

/// Runs all in turn, and prints the fastest round of each, divided by `unit`
/// things done.
fn rounds(title: &str, count: usize, unit: u32, all: &mut [(&str, &mut dyn FnMut() -> Duration)]) {
    let mut fastest = vec![Duration::MAX; all.len()];
    for _ in 0..count {
        for (fastest, (_, run)) in fastest.iter_mut().zip(all.iter_mut()) {
            *fastest = run().min(*fastest);
        }
    }
    println!("{title}");
    let first = fastest.first().copied().unwrap_or_default();
    for ((name, _), fastest) in all.iter().zip(fastest) {
        let times = fastest.as_secs_f64() / first.as_secs_f64();
        println!("  {name:<28} {:>12?} {times:>6.2}", fastest / unit);
    }
}

fn pass(subject: &mut dyn Subject, events: &[Event<'_>]) {
    for event in events {
        series::with(event, |sent| subject.observe(sent));
    }
}

fn update() {
    let events = series::events(1_000);
    let (mut ours, mut counters, mut histogram) = (
        Fantail::new(&LEVELS),
        PrometheusClient::with_counters(&LEVELS),
        PrometheusClient::with_histogram(&LEVELS),
    );
    rounds(
        "an update, 4,000 series",
        1_000,
        4_000,
        &mut [
            ("fantail", &mut || time(|| pass(&mut ours, &events))),
            ("prometheus-client counters", &mut || {
                time(|| pass(&mut counters, &events))
            }),
            ("prometheus-client histogram", &mut || {
                time(|| pass(&mut histogram, &events))
            }),
        ],
    );
}

fn exposition() {
    let events = series::events(25_000);
    let mut ours = Fantail::new(&LEVELS);
    let mut peer = PrometheusClient::with_counters(&LEVELS);
    pass(&mut ours, &events);
    pass(&mut peer, &events);
    let snapshot = ours.snapshot();
    Fantail::write(&snapshot);
    rounds(
        "100,000 series as OpenMetrics",
        40,
        1,
        &mut [
            ("fantail, snapshot and text", &mut || time(|| ours.expose())),
            ("fantail, snapshot", &mut || time(|| ours.snapshot())),
            ("fantail, text", &mut || time(|| Fantail::write(&snapshot))),
            ("prometheus-client", &mut || time(|| peer.expose())),
        ],
    );
}

/// What events wait, with so many series that have so many values.
fn waiting(users: u32, values: u32) {
    let events = series::events(users);
    let mut ours = Fantail::new(&LEVELS);
    (0..values).for_each(|_| pass(&mut ours, &events));
    let before = time(|| pass(&mut ours, &events));
    let mut snapshots = Vec::new();
    for _ in 0..5 {
        snapshots.push(time(|| ours.snapshot()));
    }
    let start = Instant::now();
    let snapshot = ours.snapshot();
    let first = start.elapsed();
    let mut slowest = Duration::ZERO;
    let shared = time(|| {
        for event in &events {
            let one = time(|| series::with(event, |sent| ours.observe(sent)));
            slowest = slowest.max(one);
        }
    });
    drop(snapshot);
    let after = time(|| pass(&mut ours, &events));
    let count = users * 4;
    println!("{count} series with {values} values");
    println!(
        "  the snapshot {first:?}, further ones {:?}",
        snapshots.iter().min()
    );
    println!(
        "  an update before {:?}, while it is held {:?} (one {slowest:?}), after {:?}",
        before / count,
        shared / count,
        after / count
    );
}

fn main() {
    update();
    exposition();
    waiting(25_000, 1);
    waiting(25_000, 20);
    waiting(500, 1_000);
    waiting(250_000, 1);
}
