//! Series that are dropped as idle, and series that exist before their first
//! event.

use std::time::Duration;

use fantail_event::{Dialect, ValueRef};
use fantail_metrics::{Limits, Linear, Method, MetricId, Modifier, Registry, RegistryErrorKind};

use crate::fixture::{counts, discrete, event, settings, text, with_sent, words};

const HOUR: Duration = Duration::from_secs(3_600);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn observe(registry: &mut Registry, id: MetricId, values: &[&'static str]) {
    for value in values {
        let (g, h) = value.split_once(' ').unwrap_or((value, ""));
        let event = event(vec![("g", text(g)), ("h", text(h))]);
        with_sent(&event, |sent| assert!(registry.observe(id, sent)));
    }
}

fn by(levels: &[&str], limits: Limits) -> (Registry, MetricId) {
    let levels: Vec<_> = levels.iter().map(|field| (*field, discrete())).collect();
    let mut registry = Registry::with_limits(Dialect::V2_4, limits);
    let id = registry.add(settings("m", "", &levels)).unwrap();
    (registry, id)
}

/// Checks the remaining series, and the number of dropped ones.
#[track_caller]
fn check(registry: &Registry, expected: &str) {
    let snapshot = registry.snapshot();
    let dropped = snapshot.metrics()[0].dropped();
    let got = format!("{} dropped={dropped}", counts(&snapshot, 0));
    assert_eq!(got, expected);
}

#[test]
fn idle_series_go() {
    let (mut registry, id) = by(&["g"], Limits::default());
    observe(&mut registry, id, &["a", "b", "c"]);
    assert_eq!(registry.drop_idle(at(0), HOUR), 0);
    observe(&mut registry, id, &["b"]);
    assert_eq!(registry.drop_idle(at(1_800), HOUR), 0);
    assert_eq!(registry.drop_idle(at(3_599), HOUR), 0);
    check(&registry, "=4 a=1 b=2 c=1 dropped=0");
    assert_eq!(registry.drop_idle(at(3_600), HOUR), 2);
    check(&registry, "=4 b=2 dropped=2");
    assert_eq!(registry.series(), 2);
    // It starts again at zero, after the others.
    observe(&mut registry, id, &["a", "b"]);
    check(&registry, "=6 b=3 a=1 dropped=2");
    assert_eq!(registry.drop_idle(at(9_000), HOUR), 0);
    assert_eq!(registry.drop_idle(at(12_600), HOUR), 2);
    check(&registry, "=6 dropped=4");
    registry.reset();
    check(&registry, "=0 dropped=0");
}

#[test]
fn nested_series_go_from_below() {
    let (mut registry, id) = by(&["g", "h"], Limits::default());
    observe(&mut registry, id, &["a x", "a y", "b x"]);
    assert_eq!(registry.drop_idle(at(0), HOUR), 0);
    observe(&mut registry, id, &["a y"]);
    assert_eq!(registry.drop_idle(at(3_600), HOUR), 3);
    check(&registry, "=4 a=3 a_y=2 dropped=3");
    observe(&mut registry, id, &["b z", "a x", "a y"]);
    check(&registry, "=7 a=5 a_y=3 a_x=1 b=1 b_z=1 dropped=3");
}

/// A dropped series makes room for another; `other` and events without a value
/// need none.
#[test]
fn room_comes_back() {
    let limits = Limits {
        series_per_metric: 7,
        ..Limits::default()
    };
    let (mut registry, id) = by(&["g"], limits);
    for round in 0..100 {
        // Two series reach the limit, with those reserved for `other` and
        // events without a value.
        observe(&mut registry, id, &["a", "b", "other", "c", "d", "e"]);
        let list = event(vec![("g", words(""))]);
        with_sent(&list, |sent| assert!(registry.observe(id, sent)));
        let names = counts(&registry.snapshot(), 0);
        let names = names.split_once(' ').unwrap().1.to_owned();
        assert_eq!(names, "a=1 b=1 other=3 c=1", "round {round}");
        assert_eq!(registry.drop_idle(at(round * 2), at(1)), 0);
        assert_eq!(registry.drop_idle(at(round * 2 + 1), at(1)), 5);
    }
    // Above the limit `other` is not counted, so dropping it frees nothing.
    let limits = Limits {
        series_per_metric: 4,
        ..Limits::default()
    };
    let (mut registry, id) = by(&["g"], limits);
    for round in 0..10 {
        observe(&mut registry, id, &["a", "b"]);
        let names = counts(&registry.snapshot(), 0);
        assert!(names.ends_with(" a=1 other=1"), "{names}");
        registry.drop_idle(at(round * 2), at(1));
        assert_eq!(registry.drop_idle(at(round * 2 + 1), at(1)), 2);
    }
}

/// Inconsistent times drop nothing too early and break nothing.
#[test]
fn odd_times() {
    let (mut registry, id) = by(&["g"], Limits::default());
    observe(&mut registry, id, &["a"]);
    let steps = [
        (at(5_000), HOUR),
        // The clock went back.
        (at(10), HOUR),
        (at(5_000), Duration::from_millis(500)),
        (at(5_000), Duration::MAX),
        (Duration::MAX, Duration::MAX),
    ];
    for (now, idle) in steps {
        assert_eq!(registry.drop_idle(now, idle), 0, "{now:?} {idle:?}");
    }
    assert_eq!(registry.drop_idle(Duration::MAX, Duration::ZERO), 1);
    check(&registry, "=1 dropped=1");
    // Fractions of a second are rounded up.
    let (mut registry, id) = by(&["g"], Limits::default());
    observe(&mut registry, id, &["a"]);
    let millis = Duration::from_millis;
    assert_eq!(registry.drop_idle(millis(900), at(1)), 0);
    assert_eq!(registry.drop_idle(millis(1_899), at(1)), 0);
    assert_eq!(registry.drop_idle(millis(2_000), at(1)), 1);
}

#[test]
fn thousands_come_and_go() {
    let (mut registry, id) = by(&["g", "h"], Limits::default());
    let mut dropped = 0;
    for minute in 0..50_i64 {
        for n in 0..1_000 {
            let fields = vec![
                ("g", ValueRef::Int(minute * 700 + n)),
                ("h", ValueRef::Int(n % 3)),
            ];
            with_sent(&event(fields), |sent| assert!(registry.observe(id, sent)));
        }
        let now = at(minute.unsigned_abs() * 60);
        dropped += registry.drop_idle(now, at(120));
        // The new series of two minutes with their children.
        assert!(registry.series() <= 1 + 2 * 2_700, "{}", registry.series());
    }
    assert!(dropped > 2 * 30_000);
    let snapshot = registry.snapshot();
    let metric = &snapshot.metrics()[0];
    assert_eq!(metric.dropped(), dropped as u64);
    assert_eq!(metric.series().get(0).unwrap().duration().count(), 50_000);
    // Each series is found in the index: none is created twice.
    let before = registry.series();
    for n in 0..1_000 {
        let fields = vec![
            ("g", ValueRef::Int(49 * 700 + n)),
            ("h", ValueRef::Int(n % 3)),
        ];
        with_sent(&event(fields), |sent| assert!(registry.observe(id, sent)));
    }
    assert_eq!(registry.series(), before);
}

#[test]
fn declared_series_begin_at_zero() {
    let linear = Method::Linear(Linear::new(0, 20, 10).unwrap());
    let lower = Method::Discrete(vec![Modifier::Lower]);
    let mut registry = Registry::new(Dialect::V2_4);
    let by = settings("m", "", &[("g", lower), ("x", linear)]);
    let id = registry.add(by).unwrap();
    registry.declare(id, &[b"OK"]).unwrap();
    let declared = "=0 ok=0 ok_x_ninf_0=0 ok_x_1_10=0 ok_x_11_20=0 ok_x_21_inf=0";
    check(&registry, &format!("{declared} dropped=0"));
    // Declaring again changes nothing, and an event finds the series.
    registry.declare(id, &[b"ok"]).unwrap();
    let fields = vec![("g", text("Ok")), ("x", ValueRef::Int(3))];
    with_sent(&event(fields), |sent| assert!(registry.observe(id, sent)));
    registry.drop_idle(at(0), at(1));
    assert_eq!(registry.drop_idle(at(1_000), at(1)), 0);
    let counted = "=1 ok=1 ok_x_ninf_0=0 ok_x_1_10=1 ok_x_11_20=0 ok_x_21_inf=0";
    check(&registry, &format!("{counted} dropped=0"));
}

#[test]
fn what_cannot_be_declared() {
    let limits = Limits {
        series_per_metric: 6,
        ..Limits::default()
    };
    let (mut registry, id) = by(&["g"], limits);
    let mut check = |values: &[&[u8]], expected| {
        let declared = registry.declare(id, values);
        assert_eq!(
            declared.map_err(|error| error.kind()),
            expected,
            "{values:?}"
        );
    };
    check(&[], Err(RegistryErrorKind::WrongLabels));
    check(&[b"a", b"b"], Err(RegistryErrorKind::WrongLabels));
    check(&[b"a"], Ok(()));
    check(&[b"b"], Ok(()));
    check(&[b""], Ok(()));
    check(&[b"d"], Err(RegistryErrorKind::NoRoom));
    check(&[b"a"], Ok(()));
    assert!(registry.remove(b"m"));
    let error = registry.declare(id, &[b"a"]).unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::UnknownMetric);
}
