//! Exemplars: the last event of each series, on request.

use fantail_event::{Dialect, SentEvent, Timestamp, ValueRef};
use fantail_metrics::{
    Exemplar, GroupBy, Linear, Method, MetricId, MetricSettings, Registry, Snapshot,
};

use crate::fixture::{event_between, text};

fn registry(field: Option<&[u8]>) -> (Registry, MetricId) {
    let mut registry = Registry::new(Dialect::V2_4);
    registry.keep_exemplars(field);
    let level = |field: &[u8], method| GroupBy {
        field: field.to_vec(),
        method,
    };
    let metric = registry.add(MetricSettings {
        name: b"m".to_vec(),
        group_by: vec![
            level(b"cmd", Method::Discrete(Vec::new())),
            level(b"n", Method::Linear(Linear::new(0, 10, 5).unwrap())),
        ],
        ..MetricSettings::default()
    });
    (registry, metric.unwrap())
}

/// Counts an event with this session and number, received at this second.
fn count(registry: &mut Registry, metric: MetricId, session: &str, n: i64, second: i64) {
    let fields = vec![
        ("cmd", text("a")),
        ("n", ValueRef::Int(n)),
        ("session", ValueRef::from(session)),
    ];
    let event = event_between([1, 1_000_001], fields);
    let time = Timestamp::new(second, 0).unwrap();
    assert!(registry.observe_at(metric, &SentEvent::alone(&event), time));
}

/// Checks session, own value and second of each series with an exemplar.
#[track_caller]
fn check(snapshot: &Snapshot, expected: &[(&str, i64, i64)]) {
    let exemplars = snapshot.metrics()[0].series().iter();
    let exemplars = exemplars.filter_map(|series| series.exemplar());
    let got: Vec<_> = exemplars
        .map(|one: &Exemplar| {
            assert_eq!(one.duration, 1_000_000);
            let session = String::from_utf8(one.value.clone()).unwrap();
            (session, one.own.unwrap(), one.time.seconds())
        })
        .collect();
    let got: Vec<_> = got.iter().map(|(s, n, t)| (s.as_str(), *n, *t)).collect();
    assert_eq!(got, expected);
}

#[test]
fn the_last_event_of_each_bucket() {
    let (mut registry, metric) = registry(Some(b"session"));
    count(&mut registry, metric, "A", 1, 10);
    count(&mut registry, metric, "B", 2, 11);
    count(&mut registry, metric, "C", 7, 12);
    // These events have no value for an exemplar.
    count(&mut registry, metric, "", 3, 13);
    count(&mut registry, metric, &"x".repeat(129), 3, 13);
    check(&registry.snapshot(), &[("B", 2, 11), ("C", 7, 12)]);
    assert_eq!(registry.snapshot().exemplar_field(), Some(&b"session"[..]));
    registry.reset();
    check(&registry.snapshot(), &[]);
}

#[test]
fn shards_give_the_later_one() {
    let (mut one, metric) = registry(Some(b"session"));
    let (mut other, other_metric) = registry(Some(b"session"));
    count(&mut one, metric, "A", 1, 10);
    count(&mut other, other_metric, "B", 1, 9);
    count(&mut other, other_metric, "C", 6, 9);
    let mut all = one.snapshot();
    assert_eq!(all.merge(&other.snapshot()), 0);
    check(&all, &[("A", 1, 10), ("C", 6, 9)]);
}

#[test]
fn none_unless_asked_for() {
    let (mut registry, metric) = registry(None);
    count(&mut registry, metric, "A", 1, 10);
    check(&registry.snapshot(), &[]);
    assert_eq!(registry.snapshot().exemplar_field(), None);
    registry.keep_exemplars(Some(b"session"));
    count(&mut registry, metric, "B", 1, 11);
    check(&registry.snapshot(), &[("B", 1, 11)]);
    registry.keep_exemplars(None);
    check(&registry.snapshot(), &[]);
}

#[test]
fn dropped_series_take_theirs_along() {
    use std::time::Duration;
    let (mut registry, metric) = registry(Some(b"session"));
    count(&mut registry, metric, "A", 1, 10);
    let idle = Duration::from_secs(10);
    assert_eq!(registry.drop_idle(Duration::ZERO, idle), 0);
    count(&mut registry, metric, "B", 7, 11);
    assert_eq!(registry.drop_idle(Duration::from_secs(11), idle), 1);
    check(&registry.snapshot(), &[("B", 7, 11)]);
}

#[test]
fn those_of_another_field_are_forgotten() {
    let (mut registry, metric) = registry(Some(b"session"));
    count(&mut registry, metric, "A", 1, 10);
    // As after a change of another setting.
    registry.keep_exemplars(Some(b"session"));
    check(&registry.snapshot(), &[("A", 1, 10)]);
    let before = registry.snapshot();
    registry.keep_exemplars(Some(b"cmd"));
    check(&registry.snapshot(), &[]);
    count(&mut registry, metric, "B", 1, 11);
    check(&registry.snapshot(), &[("a", 1, 11)]);
    let mut both = before.clone();
    assert_eq!(both.merge(&registry.snapshot()), 0);
    assert_eq!(both.exemplar_field(), None);
    check(&before, &[("A", 1, 10)]);
}

#[test]
fn a_snapshot_keeps_its_own() {
    let (mut registry, metric) = registry(Some(b"session"));
    count(&mut registry, metric, "A", 1, 10);
    let before = registry.snapshot();
    count(&mut registry, metric, "B", 2, 11);
    check(&before, &[("A", 1, 10)]);
    check(&registry.snapshot(), &[("B", 2, 11)]);
}
