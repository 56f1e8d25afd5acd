//! Behaviour of the registry beyond Dovecot's counting.

use std::net::Ipv4Addr;

use fantail_event::{Dialect, Event, EventView, Ip, Timestamp, ValueRef};
use fantail_metrics::{
    Exponential, Limits, Linear, Method, MetricSettings, Modifier, Registry, RegistryErrorKind,
};

use crate::fixture::{
    counts, discrete, event, event_between, list, settings, text, with_sent, words,
};

#[track_caller]
fn check(limits: Limits, settings: &MetricSettings, events: Vec<Event>, expected: &str) {
    let mut registry = Registry::with_limits(Dialect::V2_4, limits);
    let id = registry.add(settings.clone()).unwrap();
    for event in events {
        with_sent(&event, |sent| assert!(registry.observe(id, sent)));
    }
    let snapshot = registry.snapshot();
    let overflowed = snapshot.metrics()[0].overflowed();
    let got = format!("{} overflowed={overflowed}", counts(&snapshot, 0));
    assert_eq!(got, expected);
}

fn at_most(series: usize) -> Limits {
    Limits {
        series_per_metric: series,
        ..Limits::default()
    }
}

#[test]
fn values_of_different_types_with_the_same_text_share_a_series() {
    let ip = Ip::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let values = [
        text("5"),
        ValueRef::Int(5),
        words("5"),
        ValueRef::from(ip),
        text("127.0.0.1"),
        ValueRef::Int(-5),
        ValueRef::Time(Timestamp::default()),
    ];
    let events = values.map(|value| event(vec![("g", value)])).into();
    let by = settings("m", "", &[("g", discrete())]);
    check(
        Limits::default(),
        &by,
        events,
        "=7 5=3 127.0.0.1=2 18446744073709551611=1 overflowed=0",
    );
}

#[test]
fn values_past_the_limit_share_one_series() {
    let by = settings("m", "", &[("g", discrete())]);
    let events = || {
        ["a", "b", "c", "a", "d", "b", "c"]
            .map(|v| event(vec![("g", text(v))]))
            .into()
    };
    // The limit includes the metric itself, `other`, and a series for events
    // without a value.
    check(at_most(5), &by, events(), "=7 a=2 b=2 other=3 overflowed=3");
    check(at_most(0), &by, events(), "=7 other=7 overflowed=7");
    let all = Limits {
        series: 4,
        ..Limits::default()
    };
    check(all, &by, events(), "=7 a=2 other=5 overflowed=5");
    // A value named `other` is counted in the same series: no two have one
    // name.
    let events = ["other", "a", "b"]
        .map(|v| event(vec![("g", text(v))]))
        .into();
    check(at_most(5), &by, events, "=3 other=2 a=1 overflowed=1");
}

#[test]
fn nested_values_past_the_limit_keep_their_sums() {
    let by = settings("m", "", &[("g", discrete()), ("h", discrete())]);
    let events = ["a1", "a2", "b1", "a3", "c1", "a1"]
        .map(|v| event(vec![("g", text(&v[..1])), ("h", text(&v[1..]))]))
        .into();
    // The metric counts 5 series, `a` 3, and each below it 1.
    check(
        at_most(10),
        &by,
        events,
        "=6 a=4 a_1=2 a_2=1 a_other=1 other=2 other_other=2 overflowed=5",
    );
}

#[test]
fn buckets_past_the_limit() {
    let linear = Method::Linear(Linear::new(0, 100, 1).unwrap());
    let by = settings("m", "", &[("x", linear)]);
    let events = [5, 6, 7, 5]
        .map(|x| event(vec![("x", ValueRef::Int(x))]))
        .into();
    check(at_most(4), &by, events, "=4 x_5_5=2 other=2 overflowed=2");
}

/// Every integer has a bucket. Dovecot's process crashes at −2^63, and after a
/// shortened linear step.
#[test]
fn integers_that_end_dovecot() {
    let values = [i64::MIN, i64::MIN + 1, -1, 0, 1, 25, 26, 27, i64::MAX];
    let events = || values.map(|x| event(vec![("x", ValueRef::Int(x))])).into();
    let linear = Method::Linear(Linear::new(5, 26, 10).unwrap());
    check(
        Limits::default(),
        &settings("m", "", &[("x", linear)]),
        events(),
        "=9 x_ninf_5=5 x_16_25=1 x_26_26=1 x_27_inf=2 overflowed=0",
    );
    let exponential = Method::Exponential(Exponential::new(0, 62, 2).unwrap());
    check(
        Limits::default(),
        &settings("m", "", &[("x", exponential)]),
        events(),
        "=9 x_ninf_1=5 x_17_32=3 x_4611686018427387905_inf=1 overflowed=0",
    );
}

/// Counts every type of value, and none, with every method.
#[test]
fn all_methods_take_all_values() {
    let methods = [
        discrete(),
        Method::Discrete(vec![Modifier::Domain]),
        Method::Linear(Linear::new(0, 10, 5).unwrap()),
        Method::Exponential(Exponential::new(1, 2, 10).unwrap()),
    ];
    let values = || {
        [
            Some(text("a@b")),
            Some(text("")),
            Some(ValueRef::Int(3)),
            Some(ValueRef::Time(Timestamp::from_unix_micros(5))),
            Some(ValueRef::from(Ip::from(std::net::IpAddr::from([
                1, 2, 3, 4,
            ])))),
            Some(words("x@y x@y")),
            Some(words("")),
            None,
        ]
    };
    let expected = [
        "=8 a@b=1 =2 3=1 1.2.3.4=1 x@y=1",
        "=8 b=1 =2 3=1 1.2.3.4=1 y=1",
        "=8 g_1_5=1",
        "=8 g_ninf_10=1",
    ];
    for (method, expected) in methods.into_iter().zip(expected) {
        let events = values()
            .map(|v| event(v.map(|v| ("g", v)).into_iter().collect()))
            .into();
        let by = settings("m", "g", &[("g", method)]);
        check(
            Limits::default(),
            &by,
            events,
            &format!("{expected} overflowed=0"),
        );
    }
}

#[test]
fn lists_multiply_up_to_a_limit() {
    let many = |prefix: &str, count: usize| {
        let elements = (0..count).map(|n| format!("{prefix}{n}"));
        list(elements.collect())
    };
    let by = settings("m", "", &[("l", discrete()), ("k", discrete())]);
    let mut registry = Registry::new(Dialect::V2_4);
    let id = registry.add(by).unwrap();
    let hostile = event(vec![("l", many("a", 20_000)), ("k", many("b", 20_000))]);
    with_sent(&hostile, |sent| assert!(registry.observe(id, sent)));
    assert_eq!(registry.series(), 1 + registry.limits().updates_per_event);
    let snapshot = registry.snapshot();
    assert_eq!(snapshot.metrics()[0].overflowed(), 15_904 + 4_096 * 20_000);
}

/// The series without children count each event once, for any values.
/// each event.
#[test]
fn events_without_a_value_are_accounted_for() {
    let exponential = Method::Exponential(Exponential::new(1, 2, 10).unwrap());
    let by = settings("m", "", &[("g", discrete()), ("x", exponential)]);
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let mut registry = Registry::with_limits(dialect, at_most(11));
        let id = registry.add(by.clone()).unwrap();
        let values = || {
            [
                None,
                Some(text("a")),
                Some(ValueRef::Int(7)),
                Some(words("")),
            ]
        };
        let mut events = 0;
        for g in values() {
            for x in values() {
                let fields = [g.map(|v| ("g", v)), x.map(|v| ("x", v))];
                let event = event(fields.into_iter().flatten().collect());
                with_sent(&event, |sent| assert!(registry.observe(id, sent)));
                events += 1;
            }
        }
        let snapshot = registry.snapshot();
        let metric = &snapshot.metrics()[0];
        let leaves = metric
            .series()
            .iter()
            .filter(|series| metric.is_leaf(series));
        assert_eq!(
            leaves.map(|leaf| leaf.duration().count()).sum::<u64>(),
            events
        );
        assert!(registry.series() <= 11);
    }
}

/// An event type that is not Dovecot's.
struct Plain(i64);

impl EventView for Plain {
    fn name(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        (key == b"size").then_some(ValueRef::Int(self.0))
    }
}

#[test]
fn events_of_other_types_are_counted() {
    let mut registry = Registry::new(Dialect::V2_4);
    let id = registry.add(settings("m", "size", &[])).unwrap();
    let event: &dyn EventView = &Plain(7);
    assert!(registry.observe(id, event));
    let snapshot = registry.snapshot();
    let series = snapshot.metrics()[0].series().get(0).unwrap();
    assert_eq!((series.duration().count(), series.duration().sum()), (1, 0));
    assert_eq!(
        (series.fields()[0].count(), series.fields()[0].sum()),
        (1, 7)
    );
}

/// The clock of a client was set back: Dovecot's stats process crashes.
#[test]
fn a_negative_duration_counts_as_none() {
    let early = event_between([10, 9], Vec::new());
    let mut registry = Registry::new(Dialect::V2_4);
    let id = registry.add(settings("m", "duration", &[])).unwrap();
    with_sent(&early, |sent| assert!(registry.observe(id, sent)));
    let snapshot = registry.snapshot();
    let series = snapshot.metrics()[0].series().get(0).unwrap();
    assert_eq!((series.duration().count(), series.duration().max()), (1, 0));
    assert_eq!(series.fields()[0].max(), 0);
}

#[test]
fn what_cannot_be_added_leaves_no_trace() {
    let mut registry = Registry::new(Dialect::V2_4);
    registry.add(settings("a", "", &[])).unwrap();
    let levels = vec![("g", discrete()); 65];
    for (bad, kind, message) in [
        (
            settings("a", "x", &[]),
            RegistryErrorKind::DuplicateName,
            "metric 'a' exists already",
        ),
        (
            settings("", "", &[]),
            RegistryErrorKind::EmptyName,
            "the name of a metric is empty",
        ),
        (
            settings("deep", "", &levels),
            RegistryErrorKind::TooManyLevels,
            "metric 'deep' has more than 64 levels of group_by",
        ),
    ] {
        let error = registry.add(bad.clone()).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (kind, message.to_owned())
        );
        let all = vec![settings("a", "", &[]), settings("b", "", &[]), bad];
        let error = registry.replace_all(all, |_| true).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(registry.series(), 1);
        assert_eq!(registry.ids().count(), 1);
    }
}

#[test]
fn removed_metrics_are_gone() {
    let mut registry = Registry::new(Dialect::V2_4);
    let first = registry.add(settings("a", "", &[])).unwrap();
    let second = registry.add(settings("b", "", &[])).unwrap();
    assert!(registry.remove(b"a"));
    assert!(!registry.remove(b"a"));
    let again = registry.add(settings("a", "", &[])).unwrap();
    assert_ne!(first, again);
    with_sent(&event(Vec::new()), |sent| {
        assert!(!registry.observe(first, sent));
        assert!(registry.observe(second, sent));
    });
    assert_eq!(registry.settings(first), None);
    assert_eq!(registry.id(b"a"), Some(again));
    let snapshot = registry.snapshot();
    let names: Vec<&[u8]> = snapshot
        .metrics()
        .iter()
        .map(|m| &*m.settings().name)
        .collect();
    assert_eq!(names, [b"b", b"a"]);
    assert_eq!([counts(&snapshot, 0), counts(&snapshot, 1)], ["=1", "=0"]);
    // Thousands of metrics are added and removed, and their series are freed.
    for _ in 0..10_000 {
        let id = registry
            .add(settings("c", "", &[("g", discrete())]))
            .unwrap();
        with_sent(&event(vec![("g", text("x"))]), |sent| {
            assert!(registry.observe(id, sent));
        });
        assert!(registry.remove(b"c"));
    }
    assert_eq!(registry.series(), 2);
}

#[test]
fn a_new_configuration_keeps_what_did_not_change() {
    let mut registry = Registry::new(Dialect::V2_4);
    let old = vec![
        settings("a", "", &[]),
        settings("b", "", &[]),
        settings("c", "", &[]),
        settings("d", "", &[]),
    ];
    let ids = registry.replace_all(old, |_| true).unwrap();
    let count = |registry: &mut Registry, ids: &[_]| {
        with_sent(&event(Vec::new()), |sent| {
            ids.iter().all(|id| registry.observe(*id, sent))
        })
    };
    assert!(count(&mut registry, &ids));
    // a is moved, b changed, d removed, e added; c has another filter.
    let new = vec![
        settings("e", "", &[]),
        settings("c", "", &[]),
        settings("b", "x", &[]),
        settings("a", "", &[]),
    ];
    let c = ids[2];
    let new_ids = registry.replace_all(new, |id| id != c).unwrap();
    assert_eq!(new_ids[3], ids[0]);
    assert!(ids[1..].iter().all(|id| !new_ids.contains(id)));
    assert!(count(&mut registry, &new_ids));
    let snapshot = registry.snapshot();
    let got: Vec<String> = (0..4)
        .map(|at| {
            let name =
                String::from_utf8_lossy(&snapshot.metrics()[at].settings().name).into_owned();
            name + &counts(&snapshot, at)
        })
        .collect();
    assert_eq!(got, ["e=1", "c=1", "b=1", "a=2"]);
    assert_eq!(registry.series(), 4);
}

#[test]
fn a_reset_keeps_the_series() {
    let mut registry = Registry::new(Dialect::V2_4);
    let by = settings(
        "m",
        "",
        &[("x", Method::Linear(Linear::new(0, 10, 10).unwrap()))],
    );
    let id = registry.add(by).unwrap();
    let one = event(vec![("x", ValueRef::Int(4))]);
    with_sent(&one, |sent| assert!(registry.observe(id, sent)));
    registry.reset();
    assert_eq!(counts(&registry.snapshot(), 0), "=0 x_1_10=0");
    with_sent(&one, |sent| assert!(registry.observe(id, sent)));
    let snapshot = registry.snapshot();
    assert_eq!(counts(&snapshot, 0), "=1 x_1_10=1");
    assert_eq!(
        snapshot.metrics()[0].series().get(1).unwrap().own_sum(),
        Some(4)
    );
}
