//! Bytes of a series, for 100,000 series, of fantail and of other libraries.
//!
//! It counts the requests to the allocator, not time. There are series with one
//! value, with ten, and 2,000 series with 1,000 values each.

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program whose output is the result"
)]

use fantail_benches::series::{self, Fantail, PrometheusClient, Subject};
use fantail_event::{Event, EventBuilder, Timestamp, ValueRef};
use fantail_testkit::allocator::{CountingAllocator, live_bytes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const LEVEL: [&str; 1] = ["user"];

fn bytes<S: Subject>(series: u32, values: u32, make: fn() -> S) -> usize {
    // Each user has four events: one level has a quarter of the series.
    let events = series::events(series);
    let one_each: Vec<_> = events.iter().filter(|event| is_first(event)).collect();
    let before = live_bytes();
    let mut subject = make();
    for round in 0..values {
        for event in &one_each {
            let spread = i64::from(round.wrapping_mul(2_654_435_761) % 100_000);
            let sent = event.as_event_ref().sent().unwrap_or_default();
            let sent = Timestamp::from_unix_micros(sent.unix_micros() + spread);
            let event = EventBuilder::from((*event).clone()).sent(sent).build();
            // The event is within all limits.
            series::with(&event.unwrap_or_default(), |sent| subject.observe(sent));
        }
    }
    let after = live_bytes();
    drop(subject);
    (after - before).unsigned_abs() / one_each.len()
}

fn is_first(event: &Event) -> bool {
    let name = event.as_event_ref().field(b"cmd_name");
    name == Some(ValueRef::Str(b"SELECT"))
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
