//! Protobuf: the numbers of the text formats, and native histograms.

use fantail_event::{Dialect, Event, SentEvent, Timestamp, ValueRef};
use fantail_exposition::{Exposition, ExpositionOptions, Format};
use fantail_metrics::{Limits, MetricSettings, Registry, Snapshot};
use proptest::prelude::*;

use crate::{
    RECORDED, SMALL,
    decoded::{self, Labels, Native},
    exposition::answer,
    hostile::{discrete, linear, metric, played},
    rules,
};

pub(crate) fn protobuf(snapshot: &Snapshot, options: ExpositionOptions) -> Vec<u8> {
    let mut exposition = Exposition::new(Vec::new(), options);
    exposition.snapshot(snapshot).unwrap();
    exposition.finish().unwrap().0
}

fn plain() -> ExpositionOptions {
    ExpositionOptions::new(Format::Protobuf)
}

/// Returns a sample's name, labels, and number in the form of a floating point number.
fn row(name: &str, mut labels: Labels, number: f64) -> String {
    labels.sort();
    format!("{name} {labels:?} {number:?}")
}

/// Returns the samples that the messages stand for, without native buckets.
fn samples(answer: &[u8]) -> Vec<String> {
    let mut samples = Vec::new();
    for (name, family) in decoded::read(answer) {
        for metric in family.metrics {
            let labels = || metric.labels.clone();
            samples.extend(metric.number.map(|number| row(&name, labels(), number)));
            let Some(histogram) = metric.histogram.filter(|one| !one.buckets.is_empty()) else {
                continue;
            };
            for (bound, count) in histogram.buckets {
                let bound = ("le".to_owned(), format!("{bound:?}"));
                let labels = [labels(), vec![bound]].concat();
                samples.push(row(&format!("{name}_bucket"), labels, count as f64));
            }
            let sum = histogram
                .sum
                .map(|sum| row(&format!("{name}_sum"), labels(), sum));
            samples.extend(sum);
            samples.push(row(
                &format!("{name}_count"),
                labels(),
                histogram.count as f64,
            ));
        }
    }
    samples.sort();
    samples
}

#[test]
fn the_numbers_are_those_of_the_text() {
    for case in SMALL.iter().chain(&RECORDED) {
        let snapshot = case.snapshot();
        let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::Prometheus));
        let families = rules::read(&text, Format::Prometheus).into_values();
        let all = families.flat_map(|family| family.samples).map(|sample| {
            let usual = |(name, value): (String, String)| match value.parse::<f64>() {
                Ok(bound) if name == "le" => (name, format!("{bound:?}")),
                _ => (name, value),
            };
            let labels = sample.labels.into_iter().map(usual).collect();
            row(&sample.name, labels, sample.number.parse().unwrap())
        });
        let mut expected: Vec<String> = all.collect();
        expected.sort();
        assert_eq!(
            samples(&protobuf(&snapshot, plain())),
            expected,
            "{}",
            case.name
        );
    }
}

/// Large families are in several messages.
#[test]
fn series_of_all_messages_are_there() {
    let users: Vec<String> = (0..3_000).map(|number| format!("user-{number}")).collect();
    let events = users
        .iter()
        .map(|user| vec![("user", ValueRef::from(user))]);
    let metrics = vec![metric("m", &[], &[("user", discrete())])];
    let snapshot = played(metrics, Limits::default(), events.collect());
    let families = decoded::read(&protobuf(&snapshot, plain()));
    for name in ["dovecot_m_total", "dovecot_m_duration_seconds"] {
        let family = &families[name];
        assert!(family.messages > 1, "{name}");
        assert_eq!(family.metrics.len(), 3_000, "{name}");
    }
}

#[test]
fn counting_began_at_the_created_time() {
    let histogram = metric("took", &[], &[("duration", linear(2_000, 1_000))]);
    let metrics = vec![metric("one", &["x"], &[]), histogram];
    let snapshot = played(
        metrics,
        Limits::default(),
        vec![vec![("x", ValueRef::Int(3))]],
    );
    let created = ExpositionOptions {
        created: Timestamp::new(1_700_000_000, 5),
        ..plain()
    };
    for (name, family) in decoded::read(&protobuf(&snapshot, created)) {
        for metric in family.metrics {
            assert_eq!(metric.created, Some((1_700_000_000, 5_000)), "{name}");
        }
    }
    for (name, family) in decoded::read(&protobuf(&snapshot, plain())) {
        assert!(
            family.metrics.iter().all(|metric| metric.created.is_none()),
            "{name}"
        );
    }
}

#[test]
fn exemplars_are_those_of_open_metrics() {
    let mut registry = Registry::new(Dialect::V2_4);
    registry.keep_exemplars(Some(b"session"));
    let took = metric("took", &[], &[("duration", linear(2_000, 1_000))]);
    let ids = [metric("one", &[], &[]), took].map(|one| registry.add(one).unwrap());
    let sent = Timestamp::from_unix_micros(1_700_000_000_250_000);
    let created = Timestamp::from_unix_micros(1_699_999_999_999_999);
    let event = Event::builder(created).sent(sent).field("session", "a\"b");
    let event = event.build().unwrap();
    for id in ids {
        registry.observe_at(id, &SentEvent::alone(&event), sent);
    }
    let families = decoded::read(&protobuf(&registry.snapshot(), plain()));
    let check = |exemplar: &decoded::Exemplar, value: f64| {
        assert_eq!(exemplar.label, [("session".to_owned(), "a\"b".to_owned())]);
        assert!((exemplar.value - value).abs() < 1e-9, "{exemplar:?}");
        assert_eq!(exemplar.time, (1_700_000_000, 250_000_000));
    };
    let first = |name: &str| &families[name].metrics[0];
    check(first("dovecot_one_total").exemplar.as_ref().unwrap(), 1.0);
    let duration = first("dovecot_one_duration_seconds_total");
    check(duration.exemplar.as_ref().unwrap(), 0.250_001);
    let exemplars = &first("dovecot_took").histogram.as_ref().unwrap().exemplars;
    assert_eq!(exemplars.len(), 1);
    check(&exemplars[0], 0.250_001);
}

/// Returns the native histograms of a metric by name.
fn native(snapshot: &Snapshot, name: &str) -> (Native, u64) {
    let mut families = decoded::read(&protobuf(snapshot, plain()));
    let metric = families.remove(name).unwrap().metrics.remove(0);
    let histogram = metric.histogram.unwrap();
    (histogram.native.unwrap(), histogram.count)
}

/// Returns the values of a stream: any, small, or near each other.
fn values() -> impl Strategy<Value = Vec<i64>> {
    let value = prop_oneof![
        0..300_i64,
        1_000..1_100_i64,
        (0_u32..40, 0..1_000_i64).prop_map(|(bits, low)| (1 << bits) + low),
    ];
    // Some streams have more values than are kept exactly.
    prop_oneof![
        2 => prop::collection::vec(value.clone(), 1..60),
        1 => prop::collection::vec(value, 470..520),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_bucket_ever_falls(values in values()) {
        let mut registry = Registry::new(Dialect::V2_4);
        let quantized = metric("took", &["x"], &[("x", linear(1_000, 100))]);
        let settings = [metric("m", &["x"], &[]), quantized];
        let ids = settings.map(|one: MetricSettings| registry.add(one).unwrap());
        let names = ["dovecot_m_duration_seconds", "dovecot_m_x", "dovecot_took_x"];
        let mut before = names.map(|_| Native::default());
        for (number, value) in values.iter().enumerate() {
            let sent = Timestamp::from_unix_micros(1_000_000 + value);
            let begun = Event::builder(Timestamp::from_unix_micros(1_000_000));
            let event = begun.sent(sent).field("x", ValueRef::Int(*value)).build().unwrap();
            for id in ids {
                registry.observe(id, &SentEvent::alone(&event));
            }
            let snapshot = registry.snapshot();
            for (before, name) in before.iter_mut().zip(names) {
                let (now, count) = native(&snapshot, name);
                prop_assert_eq!(count, number as u64 + 1);
                let sum = now.zeros + now.counts.values().sum::<u64>();
                prop_assert_eq!(sum, count);
                prop_assert!(before.zeros <= now.zeros);
                for (index, count) in &before.counts {
                    prop_assert!(now.counts.get(index) >= Some(count), "{} {}", name, index);
                }
                *before = now;
            }
        }
        // Each value is in its bucket, or in the next one if it is near the bound.
        for (native, name) in before.iter().zip(names) {
            let unit = if name.ends_with("seconds") { 1e6 } else { 1.0 };
            for (bound, count) in native.cumulative() {
                let up_to = |bound: f64| {
                    let below = values.iter().filter(|value| **value as f64 / unit <= bound);
                    below.count() as u64
                };
                let possible = up_to(bound / 1.011)..=up_to(bound * 1.011);
                prop_assert!(possible.contains(&count), "{} {} {}", name, bound, count);
            }
        }
    }
}
