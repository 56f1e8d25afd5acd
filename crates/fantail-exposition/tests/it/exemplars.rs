//! Exemplars in OpenMetrics, and families about limits.

use std::process::Command;

use fantail_event::{Dialect, SentEvent, Timestamp, ValueRef};
use fantail_exposition::{Exposition, ExpositionOptions, Format};
use fantail_metrics::{Limits, MetricSettings, Registry, Snapshot};
use fantail_testkit::{python, skip};

use crate::{
    checkers::complaints,
    exposition::answer,
    hostile::{discrete, event, hostile_values, linear, metric, observed},
};

fn metrics() -> Vec<MetricSettings> {
    let plain = |name, group_by: &[_]| MetricSettings {
        description: Vec::new(),
        ..metric(name, &["n"], group_by)
    };
    vec![
        plain("one", &[]),
        plain("two", &[("cmd", discrete())]),
        plain("took", &[("duration", linear(2_000, 1_000))]),
        plain("sized", &[("cmd", discrete()), ("n", linear(10, 10))]),
    ]
}

/// Plays an event of 1.5 ms for each session; `n` is the length of the session.
fn played(field: Option<&[u8]>, sessions: &[Vec<u8>]) -> Snapshot {
    let mut registry = Registry::new(Dialect::V2_4);
    registry.keep_exemplars(field);
    let ids: Vec<_> = metrics()
        .into_iter()
        .map(|m| registry.add(m).unwrap())
        .collect();
    for (session, second) in sessions.iter().zip(1_700_000_000..) {
        let times = [1_000_000, 1_001_500].map(Timestamp::from_unix_micros);
        let n = i64::try_from(session.len()).unwrap();
        let fields = vec![
            ("session", ValueRef::from(session)),
            ("cmd", ValueRef::from("a")),
            ("n", ValueRef::Int(n)),
        ];
        let event = event(times, fields);
        let sent = SentEvent::alone(&event);
        let time = Timestamp::new(second, 250_000).unwrap();
        ids.iter()
            .for_each(|id| assert!(registry.observe_at(*id, &sent, time)));
    }
    registry.snapshot()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains(" # ")).collect()
}

#[test]
fn open_metrics_has_them() {
    let sessions = [&b"A\"1"[..], b"longer than ten"].map(<[u8]>::to_vec);
    let snapshot = played(Some(b"session"), &sessions);
    let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
    let last = r#"{session="longer than ten"}"#;
    let first = r#"{session="A\"1"}"#;
    let (took, at) = ("0.001500", "1700000001.250000");
    let expected = [
        format!("dovecot_one_total 2 # {last} 1 {at}"),
        format!("dovecot_one_duration_seconds_total 0.003000 # {last} {took} {at}"),
        format!("dovecot_two_total{{cmd=\"a\"}} 2 # {last} 1 {at}"),
        format!("dovecot_two_duration_seconds_total{{cmd=\"a\"}} 0.003000 # {last} {took} {at}"),
        format!("dovecot_took_bucket{{le=\"0.002\"}} 2 # {last} {took} {at}"),
        format!("dovecot_sized_bucket{{cmd=\"a\",le=\"10.0\"}} 1 # {first} 3 1700000000.250000"),
        format!("dovecot_sized_bucket{{cmd=\"a\",le=\"+Inf\"}} 2 # {last} 15 {at}"),
    ];
    assert_eq!(lines(&text), expected);
    // Prometheus text has no exemplars.
    let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::Prometheus));
    assert_eq!(lines(&text), [""; 0]);
    let snapshot = played(None, &sessions);
    let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
    assert_eq!(lines(&text), [""; 0]);
}

/// Name and value together have at most 128 characters.
#[test]
fn the_standard_limits_them() {
    let length = 128 - "session".len();
    for (value, count) in [
        ("x".repeat(length), 5),
        ("x".repeat(length + 1), 0),
        ("é".repeat(60), 5),
    ] {
        let snapshot = played(Some(b"session"), &[value.clone().into_bytes()]);
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
        let found = lines(&text)
            .iter()
            .filter(|line| !line.contains("sized"))
            .count();
        assert_eq!(found, count, "{value}");
    }
}

const PARSE: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode('utf-8')
families = text_string_to_metric_families(text)
exemplars = [s.exemplar for f in families for s in f.samples if s.exemplar]
assert len(exemplars) == text.count(' # {') and exemplars, len(exemplars)
assert all(list(e.labels) == ['session'] for e in exemplars)
assert all(float(e.timestamp) >= 1700000000 for e in exemplars)
";

#[test]
fn the_reference_parser_reads_them() {
    let Some(python) = python() else {
        return;
    };
    let run = |text: &str| {
        let mut command = Command::new(&python);
        command.args(["-c", PARSE]);
        complaints(command, text).unwrap_or_default()
    };
    if run("# EOF\n").contains("No module") {
        skip("Python has no prometheus_client");
        return;
    }
    // Each session is the last of a series, so that it is an exemplar. The
    // parser misreads escaped quotes in exemplars, so only values with an even
    // number of them are valid for it.
    let quotes = |value: &Vec<u8>| value.iter().filter(|byte| **byte == b'"').count();
    let readable = hostile_values().into_iter();
    for value in readable.filter(|value| !value.is_empty() && quotes(value) % 2 == 0) {
        let snapshot = played(Some(b"session"), &[b"first".to_vec(), value]);
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
        assert_eq!(run(&text), "", "{text}");
    }
}

#[test]
fn limits_are_told() {
    let mut registry = Registry::with_limits(
        Dialect::V2_4,
        Limits {
            series_per_metric: 5,
            ..Limits::default()
        },
    );
    let names = ["a/b", "ungrouped"];
    let levels = [vec![("cmd", discrete())], vec![]];
    let ids = names.iter().zip(levels);
    let ids: Vec<_> = ids
        .map(|(name, by)| registry.add(metric(name, &[], &by)).unwrap())
        .collect();
    // Declared series begin at zero.
    registry.declare(ids[0], &[b"OK"]).unwrap();
    for cmd in ["1", "2", "3", "4", "5"] {
        let never = [Timestamp::default(); 2];
        let event = event(never, vec![("cmd", ValueRef::from(cmd))]);
        observed(&mut registry, &ids, &event);
    }
    let snapshot = registry.snapshot();
    let overflowed = snapshot.metrics()[0].overflowed();
    assert!(overflowed > 0);
    let mut exposition = Exposition::new(Vec::new(), ExpositionOptions::new(Format::Prometheus));
    exposition.limits(&snapshot).unwrap();
    let (text, _) = exposition.finish().unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        format!(
            "# HELP fantail_overflowed_updates_total Updates without a series of their own, for lack of room\n\
             # TYPE fantail_overflowed_updates_total counter\n\
             fantail_overflowed_updates_total{{metric=\"a/b\"}} {overflowed}\n\
             # HELP fantail_dropped_series_total Series dropped because nothing happened to them\n\
             # TYPE fantail_dropped_series_total counter\n\
             fantail_dropped_series_total{{metric=\"a/b\"}} 0\n\
             # EOF\n"
        )
    );
}

#[test]
fn declared_series_begin_at_zero() {
    let mut registry = Registry::new(Dialect::V2_4);
    let settings = MetricSettings {
        description: Vec::new(),
        ..metric("logins", &[], &[("state", discrete())])
    };
    let id = registry.add(settings).unwrap();
    for state in [&b"OK"[..], b"NO"] {
        registry.declare(id, &[state]).unwrap();
    }
    let (text, _) = answer(
        &registry.snapshot(),
        ExpositionOptions::new(Format::OpenMetrics),
    );
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "dovecot_logins_total{state=\"OK\"} 0",
            "dovecot_logins_total{state=\"NO\"} 0",
            "dovecot_logins_duration_seconds_total{state=\"OK\"} 0.000000",
            "dovecot_logins_duration_seconds_total{state=\"NO\"} 0.000000",
        ]
    );
}
