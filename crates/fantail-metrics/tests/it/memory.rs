//! The memory of distributions and series.

use fantail_event::{Dialect, ValueRef};
use fantail_metrics::{Distribution, GroupBy, Method, MetricSettings, Registry};

use crate::fixture::{event, with_sent};

fn check(values: impl IntoIterator<Item = u64>, most: usize) {
    let distribution: Distribution = values.into_iter().collect();
    let bytes = size_of::<Distribution>() + distribution.heap_bytes();
    assert!(
        bytes <= most,
        "{bytes} bytes for {} values",
        distribution.count()
    );
}

/// Returns values with a nearly log-normal distribution: the product of twelve
/// factors.
fn durations(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|n| {
        let mut state = n;
        (0..12).fold(50.0, |duration: f64, _| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(n | 1);
            duration * (1.0 + (state >> 40) as f64 / 16_777_216.0)
        }) as u64
    })
}

#[test]
fn few_values_take_no_heap() {
    assert_eq!(size_of::<Distribution>(), 40);
    check([1, 2, 3, u64::MAX], 40);
    check(durations(10), 40);
    check(durations(12), 200);
}

#[test]
fn busy_distributions_are_small() {
    check(durations(480), 2_100);
    check(durations(481), 3_072);
    check(durations(10_000), 3_072);
    check(durations(1_000_000), 3_072);
    // From 10 µs to 10 s, equally many of each magnitude.
    check((0..1_000_000).map(|n| 10 << (n % 20)), 3_072);
    check((0..200_000_u64).map(|n| (n % 977 + 500) << (n % 20)), 3_072);
    // A negative number does not need memory for the gap.
    check(durations(1_000_000).chain([u64::MAX]), 3_072);
    // Times since 1970, within a day.
    check(
        (0..86_400).map(|n| 1_700_000_000_000_000 + n * 1_000_000),
        3_072,
    );
}

/// Checks the worst case of values.
#[test]
fn no_values_take_more_than_stated() {
    let all = |times: u64| (0..times * 64 * 512).map(|n| (512 + n / 64 % 512) << 54 >> (n % 64));
    check(all(1), 2_800);
    check(all(100), 5_300);
}

#[test]
fn limits_hold_the_series() {
    let mut registry = Registry::new(Dialect::V2_4);
    let level = |field: &[u8]| GroupBy {
        field: field.to_vec(),
        method: Method::Discrete(Vec::new()),
    };
    let metric = registry
        .add(MetricSettings {
            name: b"flood".to_vec(),
            group_by: vec![level(b"a"), level(b"b")],
            ..MetricSettings::default()
        })
        .unwrap();
    let most = registry.limits().series_per_metric;
    for number in 0..150_000_i64 {
        let (a, b) = (ValueRef::Int(number), ValueRef::Int(number / 3));
        let event = event(vec![("a", a), ("b", b)]);
        with_sent(&event, |sent| assert!(registry.observe(metric, sent)));
        assert!(registry.series() <= most);
    }
    assert!(registry.series() > most / 2);
}
