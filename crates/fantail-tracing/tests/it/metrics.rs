//! What spans and events are counted as.

use std::{error::Error, fmt};

use tracing::{debug, error, event, field::Empty, info, info_span, trace, warn};

use crate::{Clock, check};

fn metric(filter: &str) -> String {
    format!("metric m {{\n filter = {filter}\n}}\n")
}

/// How many spans and events of the program match a filter.
#[track_caller]
fn counts(filter: &str, program: impl FnOnce(&Clock), expected: u64) {
    let handle = crate::run(&metric(filter), program);
    let samples = crate::samples(&handle);
    assert_eq!(samples[0], format!("m_total {expected}"), "{filter}");
}

#[test]
fn a_span_is_an_event_with_its_duration_when_it_closes() {
    check(
        &metric("event=request"),
        |clock| {
            let span = info_span!("request");
            clock.advance(1_500_000);
            drop(span);
            info_span!("request").in_scope(|| clock.advance(20));
        },
        &["m_total 2", "m_duration_seconds_total 1.500020"],
    );
}

#[test]
fn an_open_span_is_not_counted() {
    let open = std::cell::RefCell::new(None);
    counts(
        "event=*",
        |_| _ = open.replace(Some(info_span!("request"))),
        0,
    );
}

#[test]
fn an_event_has_the_name_that_the_macro_was_given() {
    let program = |_: &Clock| {
        event!(name: "login", tracing::Level::INFO, user = "anna");
        event!(name: "logout", tracing::Level::INFO, user = "anna");
        info!(user = "anna");
    };
    counts("event=login", program, 1);
    counts("event=log*", program, 2);
    counts("user=anna", program, 3);
    counts("event=*", program, 2);
}

#[test]
fn levels_targets_and_sources_can_be_filtered() {
    let program = |_: &Clock| {
        trace!("t");
        debug!("d");
        info!(target: "other::db", "i");
        warn!("w");
        error!("e");
    };
    counts("level=trace", program, 1);
    counts("level=WARN OR level=error", program, 2);
    counts("severity>=13", program, 2);
    counts("severity<5", program, 1);
    counts("category=warning", program, 1);
    counts("category=debug", program, 2);
    counts("target=other::*", program, 1);
    counts("NOT target=other::*", program, 4);
    let source = format!("source_location=\"{}\"", file!());
    counts(&source, program, 5);
    counts("source_location=other.rs", program, 0);
}

#[test]
fn values_keep_their_types() {
    let program = |_: &Clock| {
        info!(
            int = -5,
            large = u64::MAX,
            float = 1.5,
            truth = true,
            text = "a b",
            debug = ?Some(3),
            display = %"shown",
            wide = 7_i128,
            absent = None::<u64>,
            present = Some(4_u64),
            "the message {}", 1
        );
    };
    for filter in [
        "int<0",
        "int=-5",
        "large>5",
        "float>1 AND float<2",
        "truth=yes",
        "text=\"A B\"",
        "debug=\"Some(3)\"",
        "display=shown",
        "wide=7 AND wide>6",
        "absent=\"\"",
        "present=4",
        "message=\"the message 1\"",
    ] {
        counts(filter, program, 1);
    }
}

#[derive(Debug)]
struct Failed(Option<Box<Self>>, &'static str);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|it| it as _)
    }
}

#[test]
fn an_error_is_its_text_and_the_texts_of_its_sources() {
    let program = |_: &Clock| {
        let cause = Failed(Some(Box::new(Failed(None, "no disk"))), "no file");
        let error = Failed(Some(Box::new(cause)), "no mail");
        error!(error = &error as &dyn Error);
    };
    counts("error=\"no mail\"", program, 1);
    counts("error=*", program, 1);
    counts("error.sources=\"no disk\"", program, 1);
    counts("error.sources=\"no file\"", program, 1);
    counts("error.sources=\"no mail\"", program, 0);
}

#[test]
fn events_and_spans_inherit_the_fields_of_spans_around_them() {
    let program = |_: &Clock| {
        let session = info_span!("session", user = "anna", id = 1);
        let _session = session.enter();
        let command = info_span!("command", id = 2, status = Empty);
        command.in_scope(|| info!("in the command"));
        command.record("status", "ok");
        drop(command);
        info!("in the session");
    };
    counts("user=anna", program, 4);
    counts("message=\"in the command\" AND id=2", program, 1);
    counts("message=\"in the session\" AND id=1", program, 1);
    // Recorded after the event.
    counts("status=ok", program, 1);
    counts("event=command AND status=ok AND user=anna", program, 1);
}

#[test]
fn the_spans_around_an_event_are_a_list() {
    let program = |_: &Clock| {
        let _session = info_span!("session").entered();
        info_span!("command").in_scope(|| info!("in the command"));
        info!("in the session");
    };
    counts("NOT event=* AND span=command", program, 0);
    counts("message=* AND span=command", program, 1);
    counts("message=* AND span=session", program, 2);
    counts("event=command AND span=session", program, 1);
    counts("event=session AND span=command", program, 0);
}

#[test]
fn a_field_with_the_key_of_a_built_in_field_has_another_key() {
    let program = |_: &Clock| info!(target: "app", target = "host", level = "high", r#type = "x");
    counts("target=app", program, 1);
    counts("target=host", program, 0);
    counts(
        "field.target=host AND field.level=high AND type=x",
        program,
        1,
    );
}

#[test]
fn the_duration_of_an_event_is_zero() {
    let program = |clock: &Clock| {
        let span = info_span!("slow");
        clock.advance(2_000_000);
        span.in_scope(|| info!("in it"));
    };
    counts("duration>1s", program, 1);
    counts("duration<1s", program, 1);
}

#[test]
fn series_are_grouped_by_inherited_fields() {
    check(
        "metric m {\n filter = event=query\n group_by user {\n }\n group_by table {\n }\n}\n",
        |_| {
            for (user, table) in [("anna", "mails"), ("bob", "mails"), ("anna", "mails")] {
                let _session = info_span!("session", user).entered();
                info_span!("query", table).in_scope(|| ());
            }
        },
        &[
            "m_total{user=\"anna\",table=\"mails\"} 2",
            "m_total{user=\"bob\",table=\"mails\"} 1",
            "m_duration_seconds_total{user=\"anna\",table=\"mails\"} 0.000000",
            "m_duration_seconds_total{user=\"bob\",table=\"mails\"} 0.000000",
        ],
    );
}

#[test]
fn heavy_hitters_are_found_by_inherited_fields() {
    let text = "metric m {\n filter = message=read\n group_by user {\n method top {\n \
                weight = bytes\n }\n }\n}\n";
    let handle = crate::run(text, |_| {
        for (user, bytes) in [("anna", 17), ("bob", 4), ("anna", 3)] {
            info_span!("session", user).in_scope(|| info!(bytes, "read"));
        }
    });
    let samples = crate::samples(&handle);
    for expected in ["m_top{user=\"anna\"} 20", "m_top{user=\"bob\"} 4"] {
        assert!(
            samples.iter().any(|sample| sample == expected),
            "{expected} in {samples:?}"
        );
    }
    assert!(handle.check().is_empty());
}
