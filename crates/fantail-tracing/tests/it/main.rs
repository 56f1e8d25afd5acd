//! Programs that use `tracing`, with a fantail layer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a test that cannot go on has failed, and its numbers are small"
)]

mod client;
mod concurrent;
mod counted;
#[cfg(feature = "exporters")]
mod exporters;
mod filters;
mod handle;
mod inherited;
mod metrics;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use fantail_event::Timestamp;
use fantail_exposition::Format;
use fantail_tracing::{LayerBuilder, LayerHandle};
use tracing_subscriber::prelude::*;

/// A clock that the test sets, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn advance(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Runs a program with this configuration; returns the handle.
pub(crate) fn run(text: &str, program: impl FnOnce(&Clock)) -> LayerHandle {
    let clock = Clock::default();
    let ticks = clock.clone();
    let (layer, handle) = LayerBuilder::new(text)
        .clock(move || ticks.now())
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || program(&clock));
    handle
}

/// The samples of a scrape.
pub(crate) fn samples(handle: &LayerHandle) -> Vec<String> {
    let text = handle.scrape(Format::Prometheus, Vec::new()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(str::to_owned).collect()
}

/// Checks the samples of a program with this configuration.
#[track_caller]
pub(crate) fn check(text: &str, program: impl FnOnce(&Clock), expected: &[&str]) {
    assert_eq!(samples(&run(text, program)), expected);
}
