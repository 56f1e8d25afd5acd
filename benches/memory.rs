//! Bytes that a series takes, for 100,000 series, ours and others'.
//!
//! Not a matter of time: it counts what each asks of the allocator. Series
//! with one value, with ten, and busy ones with 1,000 each (2,000 of them).

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program whose output is the result"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use fantail_benches::series::{self, Fantail, PrometheusClient, Subject};

/// Bytes in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[allow(
    unsafe_code,
    reason = "an allocator cannot be written without; it hands everything on"
)]
// SAFETY: the system's allocator does all the work under the same contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const LEVEL: [&str; 1] = ["user"];

fn bytes<S: Subject>(series: u32, values: u32, make: fn() -> S) -> usize {
    // Four events for each user: one level makes a quarter as many series.
    let events = series::events(series);
    let one_each: Vec<_> = events.iter().filter(|event| is_first(event)).collect();
    let before = IN_USE.load(Ordering::Relaxed);
    let mut subject = make();
    for round in 0..values {
        for event in &one_each {
            let mut event = (*event).clone();
            let spread = i64::from(round.wrapping_mul(2_654_435_761) % 100_000);
            event.sent = event.sent.map(|sent| {
                fantail_event::Timestamp::from_unix_micros(sent.unix_micros() + spread)
            });
            series::with(&event, |sent| subject.observe(sent));
        }
    }
    let after = IN_USE.load(Ordering::Relaxed);
    drop(subject);
    after.saturating_sub(before) / one_each.len()
}

fn is_first(event: &fantail_event::Event<'_>) -> bool {
    use fantail_event::Value;
    matches!(event.own_field(b"cmd_name"), Some(Value::Str(name)) if **name == *b"SELECT")
}

fn main() {
    println!("bytes per series       1 value  10 values  1,000 values");
    let row = |name: &str, bytes: [usize; 3]| {
        println!(
            "{name:<22} {:>7} {:>10} {:>13}",
            bytes[0], bytes[1], bytes[2]
        );
    };
    let sizes = [(100_000, 1), (100_000, 10), (2_000, 1_000)];
    let fantail = || Fantail::new(&LEVEL);
    row("fantail", sizes.map(|(s, v)| bytes(s, v, fantail)));
    let peer = || PrometheusClient::with_histogram(&LEVEL);
    row("prometheus-client", sizes.map(|(s, v)| bytes(s, v, peer)));
}
