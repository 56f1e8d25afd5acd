//! Many filters at once, compared: fantail's set, the naive walk, wirefilter,
//! A-Tree, CEL. Prints a table.
//!
//! One run interleaves all engines: in each round each engine matches events
//! for the same short time, and the best round counts. Each engine gets events
//! in its preferred form, prepared before: only matching is measured. All
//! engines must find the same number of matches.

mod engines;
mod memory;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use fantail_benches::rules::{Events, Lines, Rule};

use crate::engines::{ATree, Cel, Engine, Naive, Set, SlotSet, Wirefilter};

const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// The number of rounds. They are short, so that some are undisturbed on a busy
/// machine.
const ROUNDS: usize = 40;
/// The approximate time of a round in nanoseconds: slow engines walk only a part of
/// the events.
const ROUND_NANOS: f64 = 4e6;
/// The minimum time of a round: fast engines walk the events again until it has
/// passed.
const MIN_ROUND: Duration = Duration::from_millis(4);
const NAMES: [&str; 6] = [
    "naive walk",
    "set, any view",
    "set, slots filled",
    "A-Tree",
    "wirefilter",
    "CEL",
];

fn main() {
    let largest = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let largest = largest.unwrap_or(usize::MAX);
    let lines = Lines::new();
    let events = lines.events();
    println!("ns an event; in parentheses: times the set's with its slots filled\n");
    print!("| filters | matches an event |");
    for name in NAMES {
        print!(" {name} |");
    }
    println!("\n| ---: | ---: |{}", " ---: |".repeat(NAMES.len()));
    for count in COUNTS.into_iter().filter(|count| *count <= largest) {
        row(&events, &events.rules(count));
    }
    println!();
    memory::report(&events);
}

fn row(events: &Events<'_>, rules: &[Rule]) {
    let schema = engines::schema(rules);
    let mut all: Vec<Box<dyn Engine + '_>> = vec![
        Box::new(Naive::new(events, rules)),
        Box::new(Set::new(events, rules)),
        Box::new(SlotSet::new(events, rules)),
        Box::new(ATree::new(events, rules)),
        Box::new(Wirefilter::new(&schema, events, rules)),
        Box::new(Cel::new(events, rules)),
    ];
    let strides: Vec<usize> = all.iter_mut().map(|engine| stride(&mut **engine)).collect();
    let mut times = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for ((engine, stride), times) in all.iter_mut().zip(&strides).zip(&mut times) {
            times.push(pass(&mut **engine, *stride).1);
        }
    }
    let bests: Vec<f64> = times.iter().map(|times| fastest(times)).collect();
    let (matches, _) = pass(&mut *all[1], 1);
    let share = matches as f64 / events.events.len() as f64;
    print!("| {} | {share:.2} |", rules.len());
    for (index, ((best, stride), engine)) in bests.iter().zip(&strides).zip(&mut all).enumerate() {
        let same = pass(&mut **engine, *stride).0;
        print!(" {best:.0} ({:.1}) |", best / bests[2]);
        let expected = pass_of_set(events, rules, *stride);
        if same != expected {
            eprintln!("{}: {same} matches, not {expected}", NAMES[index]);
        }
    }
    println!();
}

fn pass_of_set(events: &Events<'_>, rules: &[Rule], stride: usize) -> usize {
    pass(&mut Set::new(events, rules), stride).0
}

/// Returns the stride with which the events fit into the time.
fn stride(engine: &mut dyn Engine) -> usize {
    let few = engine.events().div_ceil(16);
    let (_, nanos) = pass(engine, few);
    let all = nanos * engine.events() as f64;
    // Odd, because recordings repeat themselves more often in even steps.
    ((all / ROUND_NANOS).ceil() as usize).clamp(1, few) | 1
}

/// Returns the number of matches, and the nanoseconds of an event. The pass is
/// repeated for a short time, so that fast engines do not pay for the memory
/// that slow ones removed from the caches.
fn pass(engine: &mut dyn Engine, stride: usize) -> (usize, f64) {
    let walked = engine.events().div_ceil(stride);
    let mut matches = black_box(engine.walk(stride));
    let start = Instant::now();
    let mut times = 0;
    while times == 0 || start.elapsed() < MIN_ROUND {
        matches = black_box(engine.walk(stride));
        times += 1;
    }
    let nanos = start.elapsed().as_nanos() as f64;
    (matches, nanos / (walked * times) as f64)
}

/// Returns the fastest time: disturbances only make a run slower.
fn fastest(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}
