//! `fantail-metrics` and its exposition compared with prometheus-client, for
//! busy machines: all take turns, and the fastest round of each counts.
//! `metrics.rs` and `exposition.rs` measure the same with criterion.
//!
//! It also measures how long events wait for a snapshot: while it is made, and
//! when they first write to what it shares.

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

/// Runs all in turn, and prints for each the fastest round, divided by `unit`
/// operations, and its ratio to the first: the median of all rounds, because a
/// slow machine slows a whole round.
fn rounds(title: &str, count: usize, unit: u32, all: &mut [(&str, &mut dyn FnMut() -> Duration)]) {
    let mut rounds: Vec<Vec<Duration>> = Vec::new();
    for _ in 0..count {
        rounds.push(all.iter_mut().map(|(_, run)| run()).collect());
    }
    println!("{title}");
    for (at, (name, _)) in all.iter().enumerate() {
        let fastest = rounds.iter().map(|round| round[at]).min();
        let ratio = |round: &Vec<Duration>| round[at].as_secs_f64() / round[0].as_secs_f64();
        let mut ratios: Vec<f64> = rounds.iter().map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let (fastest, ratio) = (fastest.unwrap_or_default() / unit, ratios[count / 2]);
        println!("  {name:<28} {fastest:>12?} {ratio:>8.4}");
    }
}

fn pass(subject: &mut dyn Subject, events: &[Event]) {
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
    black_box(Fantail::write(&snapshot));
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

/// Measures the delay of events, by number of series and of values.
fn waiting(users: u32, values: u32) {
    let events = series::events(users);
    let mut ours = Fantail::new(&LEVELS);
    (0..values).for_each(|_| pass(&mut ours, &events));
    let mut fastest = [Duration::MAX; 5];
    for _ in 0..5 {
        let before = time(|| pass(&mut ours, &events));
        let start = Instant::now();
        let snapshot = ours.snapshot();
        let made = start.elapsed();
        let mut slowest = Duration::ZERO;
        let shared = time(|| {
            for event in &events {
                let one = time(|| series::with(event, |sent| ours.observe(sent)));
                slowest = slowest.max(one);
            }
        });
        drop(snapshot);
        let unshared = ours.snapshot();
        drop(unshared);
        let after = time(|| pass(&mut ours, &events));
        let all = [made, before, shared, slowest, after];
        fastest = std::array::from_fn(|at| fastest[at].min(all[at]));
    }
    let [made, before, shared, slowest, after] = fastest;
    let count = users * 4;
    println!("{count} series with {values} values");
    println!(
        "  a snapshot {made:?}; an update before {:?}, first while it is held {:?} \
         (the slowest one {slowest:?}), after {:?}",
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
