//! Names and values that break other programs' scrapes.

use std::collections::BTreeSet;

use fantail_event::{Dialect, Event, EventBuilder, SentEvent, Timestamp, ValueRef};
use fantail_exposition::{ExpositionOptions, Format, SkipReason};
use fantail_metrics::{
    Exponential, GroupBy, Limits, Linear, Method, MetricId, MetricSettings, Registry, Snapshot,
};

use crate::{
    exposition::{all_options, answer},
    rules,
};

pub(crate) fn metric(name: &str, fields: &[&str], group_by: &[(&str, Method)]) -> MetricSettings {
    MetricSettings {
        name: name.into(),
        description: b"\"quoted\" \\ \xff and\nmore".to_vec(),
        fields: fields.iter().map(|field| (*field).into()).collect(),
        group_by: group_by
            .iter()
            .map(|(field, method)| GroupBy::new(*field, method.clone()))
            .collect(),
        top: None,
    }
}

pub(crate) fn discrete() -> Method {
    Method::Discrete(Vec::new())
}

pub(crate) fn linear(max: u64, step: u64) -> Method {
    Method::Linear(Linear::new(0, max, step).unwrap())
}

/// Plays an event with each list of fields.
pub(crate) fn played(
    metrics: Vec<MetricSettings>,
    limits: Limits,
    events: Vec<Vec<(&str, ValueRef<'_>)>>,
) -> Snapshot {
    let mut registry = Registry::with_limits(Dialect::V2_4, limits);
    let ids: Vec<_> = metrics
        .into_iter()
        .map(|m| registry.add(m).unwrap())
        .collect();
    for fields in events {
        let times = [0, 1_500].map(Timestamp::from_unix_micros);
        observed(&mut registry, &ids, &event(times, fields));
    }
    registry.snapshot()
}

/// Returns an event with its times of creation and sending.
pub(crate) fn event([created, sent]: [Timestamp; 2], fields: Vec<(&str, ValueRef<'_>)>) -> Event {
    let set = |event: EventBuilder, (key, value): (&str, ValueRef<'_>)| event.field(key, value);
    let begun = Event::builder(created).sent(sent);
    fields.into_iter().fold(begun, set).build().unwrap()
}

/// Counts an event without ancestors.
pub(crate) fn observed(registry: &mut Registry, ids: &[MetricId], event: &Event) {
    let sent = SentEvent::alone(event);
    assert!(ids.iter().all(|id| registry.observe(*id, &sent)));
}

pub(crate) fn hostile_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        &b"plain"[..],
        b"",
        b"\"",
        b"\\",
        b"\\n",
        b"\n",
        b"\r\n\t\x00\x01\x7f",
        b"{}=,# \"} 5",
        "\u{2028}\u{2029}\u{85}\u{feff}".as_bytes(),
        "\u{fffd}".as_bytes(),
        "\u{fffd}ff".as_bytes(),
        b"\xff",
        b"\xfe",
        b"\xe2\x80",
        b"caf\xe9",
        b"caf\xe8",
        "日本語😀".as_bytes(),
        b" a",
        b"a ",
        b"other",
    ]
    .map(<[u8]>::to_vec)
    .into();
    for last in ["x", "y"] {
        values.push(format!("{}{last}", "long".repeat(2_560)).into());
        values.push(format!("{}{last}", "ä".repeat(5_000)).into());
        values.push([&[0xFF; 10_000][..], last.as_bytes()].concat());
    }
    values
}

/// Each value has a different label, and the answer is valid.
#[test]
fn values_stay_apart() {
    let values = hostile_values();
    let many = values.len();
    let events = values
        .iter()
        .map(|value| vec![("v", ValueRef::from(value))])
        .collect();
    let metrics = vec![
        metric("one", &["v"], &[("v", discrete())]),
        metric("two", &[], &[("v", discrete()), ("v", discrete())]),
        metric(
            "three",
            &[],
            &[("v", discrete()), ("duration", linear(2_000, 1_000))],
        ),
    ];
    let snapshot = played(metrics, Limits::default(), events);
    for options in all_options() {
        let (text, left_out) = answer(&snapshot, options.clone());
        assert!(left_out.is_empty());
        let families = rules::read(&text, options.format);
        for (name, kind) in [("one", "_total"), ("two", "_total"), ("three", "_count")] {
            let total = if kind == "_total" && options.format == Format::Prometheus {
                "_total"
            } else {
                ""
            };
            let samples = &families[&format!("dovecot_{name}{total}")].samples;
            let labels: BTreeSet<_> = samples
                .iter()
                .filter(|sample| sample.name.ends_with(kind))
                .map(|sample| format!("{:?}", sample.labels))
                .collect();
            assert_eq!(labels.len(), many, "{name}");
        }
    }
}

/// Events without a value, with an empty one, and with one of a type without
/// sub-metrics have no label: they are one sample.
#[test]
fn empty_labels_are_one_sample() {
    let time = || ValueRef::Time(Timestamp::default());
    let empty = || ValueRef::from("");
    let x = || ValueRef::from("x");
    let events = vec![
        vec![],
        vec![("a", empty()), ("b", empty())],
        vec![("a", empty()), ("b", time())],
        vec![("a", time()), ("b", x())],
        vec![("a", x())],
        vec![("a", x()), ("b", time())],
        vec![("b", x())],
    ];
    let by = metric("m", &["a"], &[("a", discrete()), ("b", discrete())]);
    let snapshot = played(vec![by], Limits::default(), events);
    let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
    rules::read(&text, Format::OpenMetrics);
    let samples: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("dovecot_m_total"))
        .collect();
    assert_eq!(
        samples,
        [
            "dovecot_m_total 4",
            r#"dovecot_m_total{b="x"} 1"#,
            r#"dovecot_m_total{a="x"} 2"#
        ]
    );
}

/// Levels with illegal, reserved or equal names, and a quantized level that is
/// not the last.
#[test]
fn odd_levels() {
    let exponential = Method::Exponential(Exponential::new(0, 1, 10).unwrap());
    let by = [
        ("le", discrete()),
        ("a-b", discrete()),
        ("a.b", exponential),
        ("__name__", discrete()),
        ("le", linear(10, 5)),
    ];
    let metrics = vec![
        metric("first", &["a-b", "a.b", "sum"], &by[..4]),
        metric("last", &[], &[by[0].clone(), by[4].clone()]),
    ];
    let events = (0..4)
        .map(|n| {
            vec![
                ("le", ValueRef::Int(n * 3)),
                ("a-b", ValueRef::Int(n)),
                ("a.b", ValueRef::Int(n * 5)),
            ]
        })
        .collect();
    let snapshot = played(metrics, Limits::default(), events);
    let (text, left_out) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
    rules::read(&text, Format::OpenMetrics);
    assert!(
        text.contains("dovecot_first_total{le_2=\"9\",a_b=\"3\",a_b_2=\"a.b_11_inf\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("dovecot_last_bucket{le_2=\"9\",le=\"+Inf\"} 1\n"),
        "{text}"
    );
    // Two fields with one name.
    let names: Vec<_> = left_out
        .iter()
        .map(|left| (&*left.name, left.reason))
        .collect();
    assert_eq!(names, [("dovecot_first_a_b", SkipReason::NameTaken)]);
}

/// Metrics whose samples would have the names of others.
#[test]
fn names_that_meet() {
    let metrics = vec![
        metric("a", &["b", "total"], &[]),
        metric("a_b", &[], &[]),
        metric("a_total", &[], &[]),
        metric("h", &[], &[("x", linear(10, 5))]),
        metric("h_bucket", &[], &[]),
        metric("h_count", &[], &[]),
        metric("h_created", &[], &[]),
        metric("il-legal", &[], &[]),
    ];
    let snapshot = played(
        metrics,
        Limits::default(),
        vec![vec![("x", ValueRef::Int(7))]],
    );
    for options in all_options() {
        let (text, left_out) = answer(&snapshot, options.clone());
        rules::read(&text, options.format);
        let names: Vec<_> = left_out
            .iter()
            .map(|left| (&*left.name, left.reason))
            .collect();
        let taken = |name| (name, SkipReason::NameTaken);
        assert_eq!(
            names,
            [
                taken("dovecot_a_total"),
                taken("dovecot_a_b"),
                taken("dovecot_a_total"),
                taken("dovecot_h_bucket"),
                taken("dovecot_h_count"),
                taken("dovecot_h_created"),
                ("il-legal", SkipReason::IllegalName),
            ]
        );
    }
}

/// A sum of negative values may decrease; values above a limit are in the last
/// bucket.
#[test]
fn histograms_of_odd_values() {
    let by = metric("h", &[], &[("x", linear(20, 10))]);
    let values = |all: &[i64]| all.iter().map(|x| vec![("x", ValueRef::Int(*x))]).collect();
    let text = |limits, all: &[i64], format| {
        let snapshot = played(vec![by.clone()], limits, values(all));
        let (text, _) = answer(&snapshot, ExpositionOptions::new(format));
        rules::read(&text, format);
        let samples = text
            .lines()
            .filter_map(|line| line.strip_prefix("dovecot_h_"));
        samples.collect::<Vec<_>>().join(" ")
    };
    let buckets = |counts: [u32; 4]| {
        let [a, b, c, d] = counts;
        format!(
            "bucket{{le=\"0.0\"}} {a} bucket{{le=\"10.0\"}} {b} \
             bucket{{le=\"20.0\"}} {c} bucket{{le=\"+Inf\"}} {d}"
        )
    };
    let usual = Limits::default();
    for format in [Format::OpenMetrics, Format::Prometheus] {
        let all = text(usual, &[1, 15, i64::MAX], format);
        let sum = "sum 9223372036854775823 count 3";
        assert_eq!(all, format!("{} {sum}", buckets([0, 1, 2, 3])));
        assert_eq!(
            text(usual, &[], format),
            format!("{} sum 0 count 0", buckets([0; 4]))
        );
        let few = Limits {
            series_per_metric: 4,
            ..usual
        };
        let past = text(few, &[1, 15, 2, 16], format);
        assert_eq!(past, format!("{} sum 34 count 4", buckets([0, 2, 2, 4])));
    }
    let negative = [i64::MIN, -1, 5];
    let counts = buckets([2, 3, 3, 3]);
    assert_eq!(text(usual, &negative, Format::OpenMetrics), counts);
    assert_eq!(
        text(usual, &negative, Format::Prometheus),
        format!("{counts} count 3")
    );
}
