//! Bugs that Dovecot had or has, and that fantail must not have.

use fantail_event::{Ancestor, Dialect, Event, SentEvent, ValueRef};
use fantail_metrics::{
    Exponential, Limits, Linear, Method, MetricSettings, Modifier, Registry, Snapshot,
};

use crate::fixture::{counts, discrete, event, event_between, settings, text, with_sent, words};

fn linear(min: u64, max: u64, step: u64) -> Method {
    Method::Linear(Linear::new(min, max, step).unwrap())
}

fn exponential(min: u32, max: u32, base: u32) -> Method {
    Method::Exponential(Exponential::new(min, max, base).unwrap())
}

fn played(dialect: Dialect, by: &MetricSettings, events: Vec<Event>) -> Snapshot {
    let mut registry = Registry::with_limits(dialect, Limits::default());
    let id = registry.add(by.clone()).unwrap();
    for event in events {
        with_sent(&event, |sent| assert!(registry.observe(id, sent)));
    }
    registry.snapshot()
}

#[track_caller]
fn check(by: &MetricSettings, events: Vec<Event>, expected: &str) {
    let snapshot = played(Dialect::V2_4, by, events);
    assert_eq!(counts(&snapshot, 0), expected);
}

fn integers(values: &[i64]) -> Vec<Event> {
    let one = |value: &i64| event(vec![("x", ValueRef::Int(*value))]);
    values.iter().map(one).collect()
}

/// A linear range that is not a multiple of its step crashed Dovecot. Every
/// value has exactly one bucket.
#[test]
fn every_value_has_a_bucket() {
    let by = settings("m", "", &[("x", linear(5, 26, 10))]);
    check(
        &by,
        integers(&[25, 26, 27]),
        "=3 x_16_25=1 x_26_26=1 x_27_inf=1",
    );
    for step in 1..50 {
        let buckets = linear(3, 64, step).buckets().unwrap();
        for value in -5..80 {
            let bucket = buckets.bucket(value);
            let above = buckets
                .upper_bound(bucket)
                .is_none_or(|bound| value <= bound);
            let below = bucket
                .checked_sub(1)
                .and_then(|below| buckets.upper_bound(below))
                .is_none_or(|bound| value > bound);
            assert!(above && below, "{value} in steps of {step}");
        }
    }
}

/// Modifiers of a discrete level had no effect in Dovecot.
#[test]
fn modifiers_apply() {
    use Modifier::{Domain, Lower, Upper, Username};
    let by = |modifiers| settings("m", "", &[("g", Method::Discrete(modifiers))]);
    let users = || ["Anna@A.org", "bert@a.org"].map(|user| event(vec![("g", text(user))]));
    check(&by(vec![Domain, Lower]), users().into(), "=2 a.org=2");
    check(
        &by(vec![Username, Upper]),
        users().into(),
        "=2 ANNA=1 BERT=1",
    );
    check(&by(vec![]), users().into(), "=2 Anna@A.org=1 bert@a.org=1");
}

/// Negative integers were wrong in Dovecot.
#[test]
fn integers_have_all_64_bits() {
    let extremes = [i64::MIN, -1, 0, 1, i64::MAX];
    let by = settings("m", "x", &[("x", exponential(0, 1, 10))]);
    let snapshot = played(Dialect::V2_4, &by, integers(&extremes));
    let series = snapshot.metrics()[0].series();
    let x = &series.get(0).unwrap().fields()[0];
    assert_eq!((x.count(), x.min(), x.max()), (5, 0, u64::MAX));
    assert_eq!(counts(&snapshot, 0), "=5 x_ninf_1=4 x_11_inf=1");
    // The sums of the buckets are signed.
    let sums: Vec<_> = series.iter().skip(1).map(|s| s.own_sum()).collect();
    let least = i128::from(i64::MIN);
    assert_eq!(sums, [Some(least), Some(i128::from(i64::MAX))]);
}

/// A missing field cut off the deeper levels in Dovecot. In 2.4, which fixed
/// it, the field is an empty value.
#[test]
fn a_missing_field_is_empty() {
    let by = settings("m", "", &[("a", discrete()), ("b", discrete())]);
    let events = vec![event(vec![("b", text("x"))])];
    check(&by, events, "=1 =1 _x=1");
}

/// Dovecot cut names of sub-metrics, so that two values became one series.
#[test]
fn long_values_stay_apart() {
    let by = settings("m", "", &[("g", discrete())]);
    let long = |last: u8| {
        let value = [&[b'v'; 5_000][..], &[last]].concat();
        event(vec![("g", ValueRef::from(&value))])
    };
    let snapshot = played(Dialect::V2_4, &by, vec![long(b'a'), long(b'b'), long(b'a')]);
    let series = snapshot.metrics()[0].series().iter().skip(1);
    let counted: Vec<u64> = series.clone().map(|s| s.duration().count()).collect();
    assert_eq!(counted, [2, 1]);
    let texts: Vec<_> = series.map(|s| s.label().text(&by.group_by[0])).collect();
    assert_ne!(texts[0], texts[1]);
}

/// In Dovecot, metrics could be added twice, a removed metric was still dumped
/// and leaked, and the levels of a metric added at run time were ignored.
#[test]
fn adding_and_removing_at_run_time() {
    let mut registry = Registry::new(Dialect::V2_4);
    let by = settings("m", "", &[("g", discrete())]);
    registry.add(by.clone()).unwrap();
    assert!(registry.add(by.clone()).is_err());
    assert!(registry.remove(b"m"));
    assert_eq!(
        (registry.snapshot().metrics().len(), registry.series()),
        (0, 0)
    );
    let id = registry.add(by).unwrap();
    with_sent(&event(vec![("g", text("x"))]), |sent| {
        assert!(registry.observe(id, sent));
    });
    assert_eq!(counts(&registry.snapshot(), 0), "=1 x=1");
}

/// A list updates a series for each element, and its parents as often.
#[test]
fn a_list_counts_once_for_each_element() {
    let by = settings("m", "", &[("l", discrete())]);
    let parent = event(vec![("l", words("above a"))]);
    let child = event(vec![("l", words("b a"))]);
    let mut registry = Registry::new(Dialect::V2_4);
    let id = registry.add(by).unwrap();
    let parent = Ancestor {
        event: &parent,
        live: None,
    };
    let sent = SentEvent {
        parents: &[parent],
        ..SentEvent::alone(&child)
    };
    assert!(registry.observe(id, &sent));
    assert_eq!(counts(&registry.snapshot(), 0), "=1 a=1 above=1 b=1");
}

/// A scrape without values crashed Dovecot: all methods, with and without
/// values.
#[test]
fn all_methods_with_and_without_values() {
    let methods = [discrete(), linear(0, 10, 5), exponential(1, 3, 10)];
    for first in &methods {
        for second in &methods {
            let by = settings("m", "x y", &[("x", first.clone()), ("y", second.clone())]);
            for dialect in [Dialect::V2_3, Dialect::V2_4] {
                for events in [vec![], vec![event(vec![])], integers(&[1, -1])] {
                    let expected = events.len() as u64;
                    let snapshot = played(dialect, &by, events);
                    let root = snapshot.metrics()[0].series().get(0).unwrap();
                    let d = root.duration();
                    assert_eq!((d.count(), d.sum(), d.median()), (expected, 0, 0));
                    assert!(d.mean().abs() + d.variance().abs() < 1e-9);
                    assert_eq!(root.fields()[1].count(), 0);
                }
            }
        }
    }
}

/// Raw bytes were in Dovecot's names and labels. Any bytes give valid, distinct
/// text.
#[test]
fn labels_of_any_bytes_are_valid_utf_8() {
    let by = settings("m", "", &[("g", discrete())]);
    let values = (0..=255_u8).map(|byte| event(vec![("g", ValueRef::from(&[b'x', byte]))]));
    let snapshot = played(Dialect::V2_4, &by, values.collect());
    let series = snapshot.metrics()[0].series().iter().skip(1);
    let texts: std::collections::BTreeSet<String> =
        series.map(|s| s.label().text(&by.group_by[0])).collect();
    assert_eq!(texts.len(), 256);
}

/// Durations are unsigned microseconds of 64 bits, and only they are divided by
/// a million.
#[test]
fn durations_are_unsigned_and_scaled() {
    let long = |micros: i64| {
        let fields = vec![("x", ValueRef::Int(5_000_000))];
        event_between([1_000_000, 1_000_000 + micros], fields)
    };
    let by = settings("m", "x", &[("duration", exponential(1, 6, 10))]);
    let snapshot = played(Dialect::V2_4, &by, vec![long(11), long(5_000_000_000)]);
    let root = snapshot.metrics()[0].series().get(0).unwrap();
    assert_eq!(root.duration().max(), 5_000_000_000);
    assert_eq!(root.fields()[0].max(), 5_000_000);
    assert_eq!(
        counts(&snapshot, 0),
        "=2 duration_11_100=1 duration_1000001_inf=1"
    );
}

/// −2⁶³ fits no bucket of Dovecot: the process crashes.
#[test]
fn the_least_integer_has_a_bucket() {
    let by = |method| settings("m", "", &[("x", method)]);
    let least = || integers(&[i64::MIN]);
    check(&by(linear(0, 10, 5)), least(), "=1 x_ninf_0=1");
    check(&by(exponential(0, 18, 10)), least(), "=1 x_ninf_1=1");
}

/// Dovecot samples more than 480 values at random: the same values gave another
/// median each time.
#[test]
fn the_same_values_give_the_same_numbers() {
    let values: Vec<u64> = (0..3_347_u64).map(|n| n * n % 9_973).collect();
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let numbers = |values: Vec<u64>| {
        let all: fantail_metrics::Distribution = values.into_iter().collect();
        let p95 = all.percentile(fantail_metrics::Percentile::P95);
        (all.median(), p95, all.variance().to_bits())
    };
    let forth = numbers(values.clone());
    assert_eq!(forth, numbers(values.into_iter().rev().collect()));
    let close = |got: u64, exact: u64| got.abs_diff(exact) * 100 <= exact;
    assert!(close(forth.0, sorted[1_673]) && close(forth.1, sorted[3_179]));
}
