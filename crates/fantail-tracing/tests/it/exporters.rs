//! What exporters write of spans and events.

use std::{fs, path::Path, time::Duration};

use fantail_event::Timestamp;
use fantail_tracing::{LayerBuilder, LayerHandle};
use serde_json::{Value, json};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

fn config(file: &Path, filter: &str, more: &str) -> String {
    format!(
        "event_exporter lines {{\n format = json\n driver = file\n file_path = {}\n {more}\n}}\n\
         metric all {{\n filter = {filter}\n exporter = lines\n \
         exporter_include = name hostname fields\n}}\n",
        file.display()
    )
}

fn run(text: &str, program: impl FnOnce(&LayerHandle)) {
    let now = || Timestamp::from_unix_micros(1_795_328_191_000_000);
    let builder = LayerBuilder::new(text).clock(now).host("web1");
    let (layer, handle) = builder.build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || program(&handle));
    assert!(handle.flush(Duration::from_secs(60)));
}

#[allow(clippy::disallowed_methods, reason = "a test reads what was exported")]
fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn program() {
    let session = info_span!("session", user = "anna");
    session.in_scope(|| info!(bytes = 17, ok = true, ratio = 0.5, "read"));
}

#[test]
fn an_event_has_all_its_fields_and_those_of_its_spans() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    run(&config(&file, "user=*", ""), |_| program());
    let found = lines(&file);
    assert_eq!(found.len(), 2);
    let fields = &found[0]["fields"];
    assert_eq!(fields["message"], json!("read"));
    assert_eq!(fields["user"], json!("anna"));
    assert_eq!(fields["bytes"], json!(17));
    assert_eq!(fields["ratio"], json!(0.5));
    assert_eq!(fields["span"], json!(["session"]));
    assert_eq!(fields["level"], json!("INFO"));
    assert_eq!(fields["target"], json!(module_path!()));
    assert_eq!(found[0]["hostname"], json!("web1"));
    assert_eq!(found[1]["event"], json!("session"));
    assert_eq!(found[1]["fields"]["duration"], json!(0));
}

#[test]
fn a_rate_limit_and_a_reload_keep_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    run(
        &config(&one, "message=read", "sample = 1000000000"),
        |handle| {
            (0..10).for_each(|_| program());
            assert_eq!(handle.exporters()[0].sampled, 10);
            handle
                .reload(&config(&one, "message=read", "sample = 1000000000"))
                .unwrap();
            assert_eq!(handle.exporters()[0].sampled, 10);
            handle.reload(&config(&two, "message=read", "")).unwrap();
            program();
        },
    );
    assert_eq!(lines(&two).len(), 1);
}

/// Only the end of a request decides whether it is exported.
#[test]
fn a_tail_filter_exports_slow_and_failed_spans() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    let text = config(&file, "event=request AND (duration>1s OR error=*)", "");
    let clock = crate::Clock::default();
    let ticks = clock.clone();
    let builder = LayerBuilder::new(&text).clock(move || ticks.now());
    let (layer, handle) = builder.build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        for (path, micros, error) in [
            ("/fast", 1_000, None),
            ("/slow", 1_500_000, None),
            ("/failed", 1_000, Some("no disk")),
        ] {
            let request = info_span!("request", path, error = tracing::field::Empty);
            request.in_scope(|| info!("an event in the request"));
            clock.advance(micros);
            if let Some(error) = error {
                request.record("error", error);
            }
        }
    });
    assert!(handle.flush(Duration::from_secs(60)));
    let paths = lines(&file);
    let paths: Vec<&Value> = paths.iter().map(|line| &line["fields"]["path"]).collect();
    assert_eq!(paths, [&json!("/slow"), &json!("/failed")]);
}
