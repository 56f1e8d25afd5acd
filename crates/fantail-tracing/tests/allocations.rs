//! An event allocates nothing once a few of its kind were seen, and a span only what the
//! registry allocates for an extension. A program of its own, for an allocator of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fantail_event::Timestamp;
use fantail_testkit::allocator::{CountingAllocator, allocations};
use fantail_tracing::{LayerBuilder, LayerFilter};
use tracing::{Dispatch, debug, info, info_span};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const CONFIG: &str = "metric reads {\n filter = message=read* AND user=anna AND bytes>10\n \
                      fields = bytes\n group_by user {\n }\n}\n\
                      metric sessions {\n filter = event=session\n}\n";

/// The allocations of 100 rounds, after some more.
fn counted(dispatch: &Dispatch, round: impl Fn()) -> usize {
    tracing::dispatcher::with_default(dispatch, || {
        // The samples of the distributions grow up to their limit.
        (0..2000).for_each(|_| round());
        let before = allocations();
        (0..100).for_each(|_| round());
        allocations() - before
    })
}

fn event() {
    info!(bytes = 17, path = ?Some("/a"), float = 1.5, "read {} bytes", 17);
    debug!(other = 3, "not matched");
}

struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {}
}

#[test]
fn an_event_that_is_counted_allocates_nothing() {
    let (layer, handle) = fantail_tracing::layer(CONFIG).unwrap();
    let dispatch = tracing_subscriber::registry().with(layer).into();
    let session =
        tracing::dispatcher::with_default(&dispatch, || info_span!("session", user = "anna"));
    let count = counted(&dispatch, || session.in_scope(event));
    assert_eq!(count, 0);
    assert_eq!(handle.counters().matched, 2100);
}

#[test]
fn an_event_that_is_filtered_allocates_nothing() {
    let filter: LayerFilter = "message=read* AND user=anna".parse().unwrap();
    let layer = Nothing.with_filter(filter);
    let dispatch = tracing_subscriber::registry().with(layer).into();
    let session =
        tracing::dispatcher::with_default(&dispatch, || info_span!("session", user = "anna"));
    assert_eq!(counted(&dispatch, || session.in_scope(event)), 0);
}

#[test]
fn a_span_allocates_only_its_extension() {
    // A longer duration than all before can allocate.
    let builder = LayerBuilder::new(CONFIG).clock(|| Timestamp::from_unix_micros(1));
    let (layer, handle) = builder.build().unwrap();
    let dispatch = tracing_subscriber::registry().with(layer).into();
    let count = counted(&dispatch, || {
        let span = info_span!("session", user = "anna", id = 17);
        span.record("id", 18);
    });
    assert_eq!(count, 100);
    assert_eq!(handle.counters().matched, 2100);
}
