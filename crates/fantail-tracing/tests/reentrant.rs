//! Events within events. A program of its own: a subscriber gets them only if no other
//! is the default of a thread.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt;

use fantail_exposition::Format;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

/// A value that sends events while it is formatted.
struct Noisy;

impl fmt::Debug for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _span = info_span!("formatting").entered();
        info!(inner = 1, "inner");
        f.write_str("noisy")
    }
}

/// tokio-rs/tracing#2704, #3364.
#[test]
fn an_event_within_the_format_of_a_value_is_counted_too() {
    let config = "metric outer {\n filter = value=noisy AND after=1\n}\n\
                  metric inner {\n filter = inner=1 AND span=formatting\n}\n\
                  metric spans {\n filter = event=formatting\n}\n";
    let (layer, handle) = fantail_tracing::layer(config).unwrap();
    tracing_subscriber::registry().with(layer).init();
    info!(value = ?Noisy, after = 1, "outer");
    drop(info_span!("open", value = ?Noisy));
    let text = handle.scrape(Format::Prometheus, Vec::new()).unwrap();
    let text = String::from_utf8(text).unwrap();
    for expected in ["outer_total 1", "inner_total 2", "spans_total 2"] {
        assert!(
            text.lines().any(|line| line == expected),
            "{expected}: {text}"
        );
    }
}
