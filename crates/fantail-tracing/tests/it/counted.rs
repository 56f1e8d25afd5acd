//! Events that are only counted are recorded by slot. The same events, recorded as a whole
//! for an explanation, must give the same counts.

use std::{error::Error, fmt};

use fantail_tracing::LayerBuilder;
use tracing::{debug, error, event, field::Empty, info, info_span, trace_span, warn};
use tracing_subscriber::prelude::*;

use crate::{Clock, samples};

#[derive(Debug)]
struct Refused(Option<Box<Refused>>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|inner| inner as _)
    }
}

fn program(clock: &Clock) {
    clock.advance(2_000_000);
    let session = info_span!("session", user = "anna", attempts = 2_u64, status = Empty);
    session.in_scope(|| {
        info!(status = 200, ratio = 1.5, ok = true, "request {} done", 1);
        warn!(status = -1_i64, user = "bob", "request 2 failed");
        info!(status = Empty, user = Some("carl"), "request 3 done");
        info!(user = None::<&str>, huge = u64::MAX, "request 4 done");
        event!(name: "login", tracing::Level::ERROR, user = "dora", duration = 17);
        let inner = trace_span!("inner", status = 404, r#type = "x", target = "mine");
        inner.in_scope(|| {
            debug!(number = i128::MAX, "inner event");
            info!(parent: None, "orphan");
            info!(parent: &session, status = 500, "child");
            clock.advance(1500);
        });
        session.record("status", 503);
        session.record("user", "emil");
        info!("after the record");
        let error = Refused(Some(Box::new(Refused(None))));
        error!(error = &error as &(dyn Error + 'static), "failed");
        clock.advance(20);
    });
    drop(session);
    info!(target: "other", user = "", "no span");
}

/// Checks that the counts do not depend on how events are recorded.
#[track_caller]
fn check(config: &str) {
    let run = |whole: bool| {
        let clock = Clock::default();
        let ticks = clock.clone();
        let builder = LayerBuilder::new(config).clock(move || ticks.now());
        let (layer, handle) = builder.build().unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let explained = whole.then(|| handle.explain("event=none").unwrap());
            program(&clock);
            drop(explained);
        });
        samples(&handle)
    };
    let counted = run(false);
    assert!(counted.iter().any(|line| !line.ends_with(" 0")), "{config}");
    assert_eq!(counted, run(true), "{config}");
}

fn metric(filter: &str, settings: &str) -> String {
    format!("metric m {{\n filter = {filter}\n{settings}}}\n")
}

#[test]
fn filters_match_the_same_events() {
    for filter in [
        "message=request*",
        "user=anna",
        "user=emil AND message=*",
        "NOT user=anna AND message=*",
        "status>=500",
        "status=200 OR status=404",
        "NOT status=* AND message=*",
        "ratio>1 AND ok=true",
        "huge>1",
        "attempts=2 AND event=login",
        "event=login AND duration=0",
        "event=session",
        "event=inner AND duration>1ms",
        "duration<1ms AND message=*",
        "level=warn OR severity>=17",
        "target=other",
        "target=it* AND user=anna",
        "field.target=mine",
        "type=x AND NOT event=*",
        "number>1 OR number=170*",
        "error=refused",
        "error.sources=refused",
        "span=inner",
        "source_location=\"*counted.rs\" OR user=anna",
        "user=\"\" AND message=*",
    ] {
        check(&metric(filter, ""));
    }
}

#[test]
fn metrics_read_the_same_values() {
    for settings in [
        " group_by user {\n }\n",
        " group_by status {\n }\n group_by user {\n }\n",
        " group_by level {\n }\n group_by target {\n }\n",
        " group_by span {\n }\n",
        " fields = status attempts huge\n",
        " fields = duration\n group_by type {\n }\n",
        " group_by duration {\n method exponential {\n min_magnitude = 1\n max_magnitude = 6\n base = 10\n }\n }\n",
    ] {
        check(&metric("event=* OR message=*", settings));
    }
}

#[test]
fn several_metrics_count_the_same() {
    let metrics = [
        "event=session",
        "user=*",
        "message=*",
        "status>1",
        "duration>=0",
        "ok=true",
    ];
    let metrics = metrics.iter().enumerate();
    let text: String = metrics
        .map(|(at, filter)| format!("metric m{at} {{\n filter = {filter}\n}}\n"))
        .collect();
    check(&text);
}
