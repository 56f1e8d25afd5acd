//! The handle: reload, check, explain.

use tracing::{debug, info, info_span};
use tracing_subscriber::prelude::*;

use crate::samples;

fn with_layer(text: &str, program: impl FnOnce(&fantail_tracing::LayerHandle)) {
    let (layer, handle) = fantail_tracing::layer(text).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || program(&handle));
}

fn program() {
    let _session = info_span!("session", user = "anna").entered();
    info!(bytes = 17, "read");
    debug!(bytes = 4, "written");
}

#[test]
fn a_metric_that_stays_keeps_its_counts() {
    let one = "metric reads {\n filter = message=read\n}\n";
    let both = "metric reads {\n filter = message=read\n}\n\
                metric writes {\n filter = message=written\n}\n";
    with_layer(one, |handle| {
        program();
        assert_eq!(samples(handle)[0], "reads_total 1");
        handle.reload(both).unwrap();
        program();
        let after = samples(handle);
        assert_eq!(
            (&*after[0], &*after[2]),
            ("reads_total 2", "writes_total 1")
        );
        let error = handle
            .reload("metric reads {\n filter = message=\n}\n")
            .unwrap_err();
        assert!(error.to_string().starts_with("tracing.conf:2:"), "{error}");
        program();
        assert_eq!(samples(handle)[0], "reads_total 3");
        handle.reload("").unwrap();
        program();
        assert!(samples(handle).is_empty());
    });
}

#[test]
fn a_span_that_is_open_during_a_reload_gives_its_fields() {
    with_layer("metric m {\n filter = event=session\n}\n", |handle| {
        let _session = info_span!("session", user = "anna").entered();
        handle
            .reload("metric n {\n filter = user=anna AND message=hello\n}\n")
            .unwrap();
        info!("hello");
        assert_eq!(samples(handle)[0], "n_total 1");
    });
}

#[test]
fn a_check_names_what_no_callsite_has() {
    let text = "metric a {\n filter = event=sesion AND user=anna\n}\n\
                metric b {\n filter = event=session\n fields = byte\n group_by usr {\n }\n}\n\
                metric c {\n filter = target=nowhere*\n}\n\
                metric d {\n filter = event=session AND user=anna AND level=info\n}\n\
                metric e {\n filter = message=* AND duration>1s AND bytes>1\n}\n";
    with_layer(text, |handle| {
        program();
        let found: Vec<String> = handle.check().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "metric `a`: no callsite has the name `sesion`; did you mean `session`?",
                "metric `b`: no callsite has the field `byte`; did you mean `bytes`?",
                "metric `b`: no callsite has the field `usr`; did you mean `user`?",
                "metric `c`: no callsite has the target `nowhere*`",
            ]
        );
    });
}

#[test]
fn a_check_names_a_filter_that_no_callsite_fits() {
    with_layer(
        "metric a {\n filter = event=session AND level=error\n}\n",
        |handle| {
            // Another metric has the callsite enabled.
            handle
                .reload(
                    "metric a {\n filter = event=session AND level=error\n}\n\
                 metric b {\n filter = event=session\n}\n",
                )
                .unwrap();
            program();
            let found: Vec<String> = handle.check().iter().map(ToString::to_string).collect();
            assert_eq!(
                found,
                [
                    r#"metric `a`: no callsite fits the filter `((event="session" AND "level"="error"))`"#
                ]
            );
        },
    );
}

#[test]
fn an_explanation_shows_each_event_of_the_program() {
    with_layer("", |handle| {
        program();
        let explain = handle.explain("user=anna AND bytes>10").unwrap();
        program();
        let explained = explain.take();
        let matches: Vec<bool> = explained
            .iter()
            .map(|it| it.explanation.matches())
            .collect();
        assert_eq!(matches, [true, false, false]);
        let text = explained[1].to_string();
        assert!(text.contains("bytes>10\n"), "{text}");
        let event = explained[1].event.as_event_ref();
        assert_eq!(event.field(b"user"), Some("anna".into()));
        drop(explain);
        assert!(handle.explain("user=").is_err());
    });
}
