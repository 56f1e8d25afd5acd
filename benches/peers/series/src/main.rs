//! Bytes of a series in metrics-exporter-prometheus, counted as in
//! `benches/memory.rs`.
//!
//! It keeps each value until a scrape: bytes are counted before and after a
//! scrape.

use fantail_testkit::allocator::{CountingAllocator, live_bytes};
use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Returns the bytes of a series before and after a scrape.
fn bytes(series: u32, values: u32) -> (usize, usize) {
    let bounds: Vec<f64> = (0..10).map(|n| 0.001 * f64::from(1 << n)).collect();
    let before = live_bytes();
    let builder = PrometheusBuilder::new();
    let recorder = builder.set_buckets(&bounds).expect("bounds").build_recorder();
    let handle = recorder.handle();
    let metadata = Metadata::new(module_path!(), Level::INFO, None);
    for round in 0..values {
        for number in 0..series {
            let user = format!("user{number:06}@example.com");
            let key = Key::from_parts("commands", vec![Label::new("user", user)]);
            let micros = 100 + round.wrapping_mul(2_654_435_761) % 100_000;
            recorder
                .register_histogram(&key, &metadata)
                .record(f64::from(micros) / 1e6);
        }
    }
    let unscraped = (live_bytes() - before).unsigned_abs();
    drop(handle.render());
    let scraped = (live_bytes() - before).unsigned_abs();
    let series = series as usize;
    (unscraped / series, scraped / series)
}

fn main() {
    for (series, values) in [(2_000, 1), (2_000, 10), (2_000, 1_000)] {
        let (unscraped, scraped) = bytes(series, values);
        println!("{values:>5} values: {unscraped} bytes a series, {scraped} after a scrape");
    }
}
