//! Instruments by their handles and by the recorder.

use std::thread;

use super::{InstrumentFamily, InstrumentValue, Instruments};
use crate::{Buckets, Exponential, Limits, Percentile};

/// The series of a family as text: labels and value.
fn shown(family: &InstrumentFamily) -> Vec<String> {
    let series = family.series.iter().map(|series| {
        let labels = series.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let value = match &series.value {
            InstrumentValue::Counter(count) => count.to_string(),
            InstrumentValue::Gauge(value) => value.to_string(),
            InstrumentValue::Histogram(values) | InstrumentValue::Buckets(values, ..) => {
                format!("{} values, together {}", values.count(), values.sum())
            }
        };
        format!("{}: {value}", labels.join(","))
    });
    series.collect()
}

#[track_caller]
fn check(instruments: &Instruments, name: &str, expected: &[&str]) {
    let snapshot = instruments.snapshot();
    let mut families = snapshot.families().iter();
    let family = families.find(|family| family.name == name).unwrap();
    assert_eq!(shown(family), expected);
}

#[test]
fn handles_with_the_same_labels_are_one_series() {
    let instruments = Instruments::new();
    instruments
        .counter("hits", &[("a", "1"), ("b", "2")])
        .increment(1);
    instruments
        .counter("hits_total", &[("b", "2"), ("a", "1")])
        .increment(2);
    instruments
        .counter("hits", &[("a", "1"), ("b", "")])
        .increment(4);
    check(&instruments, "hits", &["a=1: 4", "a=1,b=2: 3"]);
    let gauge = instruments.gauge("load", &[]);
    gauge.set(1.5);
    gauge.add(-0.25);
    check(&instruments, "load", &[": 1.25"]);
}

#[test]
fn names_and_labels_are_legal() {
    let instruments = Instruments::new();
    let labels = [
        ("le", "1"),
        ("9x", "2"),
        ("a.b", "3"),
        ("a_b", "4"),
        ("__c", "5"),
    ];
    instruments.counter("http.requests", &labels).increment(1);
    let expected = "_9x=2,a_b=4,label___c=5,label_le=1: 1";
    check(&instruments, "http_requests", &[expected]);
    let long = "ä".repeat(200);
    instruments.counter("9", &[("a", &long)]).increment(1);
    check(&instruments, "_9", &[&format!("a={}: 1", "ä".repeat(128))]);
}

#[test]
fn a_name_has_one_kind() {
    let instruments = Instruments::new();
    instruments.counter("hits", &[]).increment(1);
    instruments.gauge("hits", &[]).set(5.0);
    instruments.histogram("hits", &[]).record(5.0);
    check(&instruments, "hits", &[": 1"]);
    assert_eq!(instruments.snapshot().refused(), 2);
}

#[test]
fn beyond_a_limit_labels_share_a_series() {
    let limits = Limits {
        series_per_metric: 2,
        ..Limits::default()
    };
    let instruments = Instruments::with_limits(limits);
    for user in 0..10 {
        let user = user.to_string();
        instruments.counter("hits", &[("user", &user)]).increment(1);
    }
    check(
        &instruments,
        "hits",
        &["user=0: 1", "user=1: 1", "user=other: 8"],
    );
    assert_eq!(instruments.snapshot().overflowed(), 8);
}

#[test]
fn beyond_the_limit_of_all_series_names_are_refused() {
    let limits = Limits {
        series: 1,
        ..Limits::default()
    };
    let instruments = Instruments::with_limits(limits);
    for name in ["a", "b", "c"] {
        instruments.counter(name, &[]).increment(1);
        instruments.counter(name, &[("user", "anna")]).increment(1);
    }
    check(&instruments, "a", &[": 1", "label=other: 1"]);
    assert_eq!(instruments.snapshot().families().len(), 1);
    assert_eq!(instruments.snapshot().refused(), 4);
}

#[test]
fn a_histogram_counts_millionths() {
    let instruments = Instruments::new();
    let histogram = instruments.histogram("seconds", &[]);
    for value in [0.25, 0.000_000_4, -1.0, f64::NAN] {
        histogram.record(value);
    }
    check(&instruments, "seconds", &[": 3 values, together 250000"]);
    histogram.record(f64::INFINITY);
    let sum = 250_000 + u128::from(u64::MAX);
    check(
        &instruments,
        "seconds",
        &[&format!(": 4 values, together {sum}")],
    );
}

#[test]
fn buckets_are_those_of_the_configuration() {
    let instruments = Instruments::new();
    let buckets = Buckets::Exponential(Exponential::new(3, 6, 10).unwrap());
    instruments.set_buckets("seconds", buckets);
    let histogram = instruments.histogram("seconds", &[]);
    for value in [0.001, 0.0011, 0.5, 2.0] {
        histogram.record(value);
    }
    let snapshot = instruments.snapshot();
    let value = &snapshot.families()[0].series[0].value;
    let InstrumentValue::Buckets(values, _, counts) = value else {
        panic!("{value:?}");
    };
    assert_eq!(**counts, [1, 1, 0, 1, 1]);
    assert_eq!(values.percentile(Percentile::P99), 2_000_000);
}

#[test]
fn threads_count_together() {
    let instruments = Instruments::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..1000_u32 {
                    instruments.counter("hits", &[]).increment(1);
                    instruments.gauge("load", &[]).add(1.0);
                    instruments
                        .histogram("seconds", &[])
                        .record(f64::from(number));
                }
            });
        }
    });
    check(&instruments, "hits", &[": 8000"]);
    check(&instruments, "load", &[": 8000"]);
    check(
        &instruments,
        "seconds",
        &[": 8000 values, together 3996000000000"],
    );
}

#[cfg(feature = "facade")]
#[test]
fn the_recorder_takes_the_metrics_of_the_facade() {
    let limits = Limits {
        series_per_metric: 1,
        ..Limits::default()
    };
    let instruments = Instruments::with_limits(limits);
    let recorder = super::Recorder::new(instruments.clone());
    metrics::with_local_recorder(&recorder, || {
        metrics::describe_counter!("hits", "what hit");
        for user in ["anna", "bob", "anna", "carl"] {
            metrics::counter!("hits", "user" => user).increment(1);
        }
        metrics::counter!("seen").absolute(7);
        metrics::counter!("seen").absolute(5);
        metrics::gauge!("load").increment(3.0);
        metrics::gauge!("load").decrement(1.0);
        metrics::histogram!("seconds").record(0.5);
        metrics::histogram!("seconds").record_many(0.25, 2);
    });
    check(&instruments, "hits", &["user=anna: 2", "user=other: 2"]);
    check(&instruments, "seen", &[": 7"]);
    check(&instruments, "load", &[": 2"]);
    check(&instruments, "seconds", &[": 3 values, together 1000000"]);
    assert_eq!(instruments.snapshot().families()[0].description, "what hit");
}
