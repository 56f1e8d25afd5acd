//! Bytes that a series takes in metrics-exporter-prometheus, as
//! `benches/memory.rs` counts them for others.
//!
//! It keeps each value until somebody scrapes: bytes are counted before and
//! after a scrape.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

/// Bytes in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

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

/// Bytes a series before and after a scrape.
fn bytes(series: u32, values: u32) -> (usize, usize) {
    let bounds: Vec<f64> = (0..10).map(|n| 0.001 * f64::from(1 << n)).collect();
    let before = IN_USE.load(Ordering::Relaxed);
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
    let unscraped = IN_USE.load(Ordering::Relaxed) - before;
    drop(handle.render());
    let scraped = IN_USE.load(Ordering::Relaxed) - before;
    let series = series as usize;
    (unscraped / series, scraped / series)
}

fn main() {
    for (series, values) in [(2_000, 1), (2_000, 10), (2_000, 1_000)] {
        let (unscraped, scraped) = bytes(series, values);
        println!("{values:>5} values: {unscraped} bytes a series, {scraped} after a scrape");
    }
}
