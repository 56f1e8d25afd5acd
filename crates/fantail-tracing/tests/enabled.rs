//! Which callsites are enabled. A program of its own with one test: while another thread
//! has a subscriber, a callsite that the layer disables may count as enabled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use tracing::{Level, enabled};
use tracing_subscriber::prelude::*;

#[test]
fn a_callsite_that_no_metric_can_match_is_disabled() {
    let config = "metric m {\n filter = event=session AND severity>=9\n}\n";
    let (layer, handle) = fantail_tracing::layer(config).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _default = tracing::subscriber::set_default(subscriber);
    assert!(enabled!(Level::INFO));
    assert!(!enabled!(target: "x", Level::DEBUG));
    handle
        .reload("metric m {\n filter = target=x\n}\n")
        .unwrap();
    assert!(enabled!(target: "x", Level::DEBUG));
    assert!(!enabled!(target: "y", Level::ERROR));
    handle.reload("").unwrap();
    assert!(!enabled!(target: "x", Level::ERROR));

    // An explanation enables what its filter may match, until it ends.
    let explain = handle.explain("user=anna").unwrap();
    assert!(enabled!(Level::ERROR));
    drop(explain);
    assert!(!enabled!(Level::ERROR));
}
