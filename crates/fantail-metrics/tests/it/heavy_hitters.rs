//! Heavy hitters beside exact counts.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use fantail_event::{Dialect, Event, ValueRef};
use fantail_metrics::{
    HeavyHitters, Label, Limits, MetricId, MetricSettings, Modifier, Registry, SeriesMemory,
    Snapshot, Top,
};
use proptest::prelude::*;

use crate::fixture::{event, random, settings, text, with_sent, words};

fn with_top(top: Top) -> MetricSettings {
    MetricSettings {
        top: Some(top),
        ..settings("m", "", &[])
    }
}

fn registry(top: Top) -> (Registry, MetricId) {
    let mut registry = Registry::new(Dialect::V2_4);
    let metric = registry.add(with_top(top)).unwrap();
    (registry, metric)
}

fn observe(registry: &mut Registry, metric: MetricId, event: &Event) {
    with_sent(event, |sent| assert!(registry.observe(metric, sent)));
}

fn top(snapshot: &Snapshot) -> &HeavyHitters {
    snapshot.metrics()[0].top().unwrap()
}

/// Returns `value=counted+error` of each shown value.
fn shown(snapshot: &Snapshot) -> String {
    let shown = top(snapshot).shown();
    let shown = shown.iter().map(|one| {
        let label = one.label.plain_text().unwrap();
        format!("{label}={}+{}", one.counted, one.error)
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Counts the values of these events, and checks what is shown.
#[track_caller]
fn check(settings: Top, events: Vec<Vec<(&str, ValueRef<'_>)>>, expected: &str) {
    let (mut registry, metric) = registry(settings);
    for fields in events {
        observe(&mut registry, metric, &event(fields));
    }
    assert_eq!(shown(&registry.snapshot()), expected);
}

#[test]
fn each_value_of_an_event_counts() {
    let user = |value| vec![("user", value)];
    let few = || {
        vec![
            user(text("ann@a")),
            user(text("bob@b")),
            user(text("ann@a")),
            user(words("cid@b ann@a cid@b")),
            user(text("")),
            vec![("other", text("x"))],
        ]
    };
    check(Top::new("user"), few(), "ann@a=3+0 bob@b=1+0 cid@b=1+0");
    let domains = Top::new("user").modified(vec![Modifier::Domain, Modifier::Upper]);
    check(domains, few(), "A=3+0 B=2+0");
    let two = Top::new("user").sized(2, 64).unwrap();
    check(two, few(), "ann@a=3+0 bob@b=1+0");
    let numbers = vec![user(ValueRef::Int(7)), user(ValueRef::Bool(true))];
    check(Top::new("user"), numbers, "7=1+0 yes=1+0");
}

#[test]
fn weights_are_numbers_of_0_or_more() {
    let weighted = |user, weight| vec![("user", text(user)), ("bytes", weight)];
    let events = vec![
        weighted("a", ValueRef::Int(500)),
        weighted("b", ValueRef::Int(-1)),
        weighted("c", ValueRef::Int(0)),
        weighted("d", text("900")),
        weighted("a", ValueRef::Float(20.9)),
        weighted("e", ValueRef::Unsigned(600)),
        vec![("user", text("f"))],
    ];
    let by_bytes = Top::new("user").weighted(Some(b"bytes".to_vec()));
    check(by_bytes, events, "e=600+0 a=520+0");
}

#[test]
fn long_values_differ_in_bounded_memory() {
    let (mut registry, metric) = registry(Top::new("user"));
    let most = 1 << 20;
    for number in 0..20_000 {
        let long = format!("{}{number}", "x".repeat(700));
        observe(
            &mut registry,
            metric,
            &event(vec![("user", ValueRef::from(&long))]),
        );
    }
    let snapshot = registry.snapshot();
    let top = top(&snapshot);
    assert!(top.heap_bytes() <= most, "{} bytes", top.heap_bytes());
    assert!(top.len() > 1_000, "{} values", top.len());
    assert!(top.iter().all(|one| one.counted == 1));
    let short = (0..20_000).map(|number| format!("{number}@example.org"));
    for short in short {
        observe(
            &mut registry,
            metric,
            &event(vec![("user", ValueRef::from(&short))]),
        );
    }
    let snapshot = registry.snapshot();
    let top = self::top(&snapshot);
    assert!(top.heap_bytes() <= most, "{} bytes", top.heap_bytes());
    assert!(top.len() > 6_000, "{} values", top.len());
}

/// In a stream without heavy hitters, the values of an answer would differ from those of
/// the next one.
#[test]
fn nothing_is_shown_if_nothing_is_heavy() {
    let (mut registry, metric) = registry(Top::new("user").sized(10, 64).unwrap());
    for number in 0..10_000 {
        observe(
            &mut registry,
            metric,
            &event(vec![("user", ValueRef::Int(number % 1_000))]),
        );
    }
    let snapshot = registry.snapshot();
    assert_eq!(shown(&snapshot), "");
    assert!(top(&snapshot).others_at_most() >= 10);
}

#[test]
fn snapshots_stay_and_a_reset_forgets() {
    let (mut registry, metric) = registry(Top::new("user"));
    let one = event(vec![("user", text("a"))]);
    observe(&mut registry, metric, &one);
    let before = registry.snapshot();
    observe(&mut registry, metric, &one);
    assert_eq!(shown(&before), "a=1+0");
    assert_eq!(shown(&registry.snapshot()), "a=2+0");
    registry.reset();
    let snapshot = registry.snapshot();
    assert_eq!((shown(&snapshot).as_str(), top(&snapshot).total()), ("", 0));
    assert_eq!(top(&before).total(), 1);
}

#[test]
fn impossible_sizes_are_errors() {
    for (shown, counters) in [(0, 64), (65, 64), (1, 63), (1, (1 << 17) + 1)] {
        assert!(
            Top::new("x").sized(shown, counters).is_err(),
            "{shown} {counters}"
        );
    }
    let same = Top::new("x").sized(64, 64).unwrap();
    assert_eq!((same.shown(), same.counters()), (64, 64));
}

/// Memory of this many bytes.
#[derive(Debug)]
struct Bytes {
    used: AtomicUsize,
    all: usize,
}

impl Bytes {
    fn new(all: usize) -> Arc<Self> {
        let used = AtomicUsize::new(0);
        Arc::new(Self { used, all })
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl SeriesMemory for Bytes {
    fn reserve(&self, bytes: usize) -> bool {
        let more = |used: usize| Some(used + bytes).filter(|used| *used <= self.all);
        let (now, later) = (Ordering::Relaxed, Ordering::Relaxed);
        self.used.fetch_update(now, later, more).is_ok()
    }

    fn reserve_anyway(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[test]
fn memory_is_reserved_before_it_is_used() {
    for all in [10 << 10, 100 << 10, 1 << 20] {
        let memory = Bytes::new(all);
        let (mut registry, metric) = registry(Top::new("user"));
        registry.share_memory(Arc::clone(&memory) as Arc<dyn SeriesMemory>);
        for number in 0..30_000 {
            let user = format!("{}user{number}@example.org", "long".repeat(number % 30));
            observe(
                &mut registry,
                metric,
                &event(vec![("user", ValueRef::from(&user))]),
            );
            if number % 997 == 0 {
                let bytes = top(&registry.snapshot()).heap_bytes();
                assert!(bytes <= memory.used(), "{bytes} of {} bytes", memory.used());
            }
        }
        // The durations of the metric itself are reserved anyway.
        assert!(memory.used() <= all + 4_096);
        assert!(memory.used() > all / 3, "{} of {all} bytes", memory.used());
        drop(registry);
        assert_eq!(memory.used(), 0);
    }
}

type Weights = HashMap<u64, u64>;

/// Checks that all bounds hold for the weights of a stream.
fn check_bounds(top: &HeavyHitters, exact: &Weights, counters: u64) {
    let total: u64 = exact.values().sum();
    assert_eq!(top.total(), total);
    assert!(
        top.threshold() <= total * 4 / (3 * counters),
        "{}",
        top.threshold()
    );
    let found: HashMap<u64, _> = top
        .iter()
        .map(|one| (one.label.plain_text().unwrap().parse().unwrap(), one))
        .collect();
    assert_eq!(found.len(), top.len());
    for (value, weight) in exact {
        let bounds = found.get(value);
        let (least, most) = bounds.map_or((0, top.threshold()), |one| (one.counted, one.at_most()));
        assert!(
            (least..=most).contains(weight),
            "{value}: {weight} is not {least}..={most}"
        );
    }
    assert!(found.keys().all(|value| exact.contains_key(value)));
    let shown = top.shown();
    let others = top.others_at_most();
    let is_shown = |value: &u64| shown.iter().any(|one| one.label == found[value].label);
    for (value, weight) in exact {
        if !found.contains_key(value) || !is_shown(value) {
            assert!(*weight <= others, "{value}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Few or many values, weights of 1 or far apart, one shard or several, merged in
    /// any order and saved between.
    #[test]
    fn all_bounds_hold(
        values in prop_oneof![Just(50_u64), Just(100), Just(1_000)],
        skew in 1_u32..5,
        weights in prop_oneof![Just(2_u64), Just(1_000_000)],
        events in 1_usize..4_000,
        shards in 1_usize..5,
        seed: u64,
    ) {
        let settings = Top::new("user").weighted(Some(b"w".to_vec()));
        let settings = settings.sized(5, 64).unwrap();
        let mut shards: Vec<_> = (0..shards).map(|_| registry(settings.clone())).collect();
        let mut exact = Weights::new();
        let mut numbers = random(seed);
        for _ in 0..events {
            let [value, weight, shard] = [(); 3].map(|()| numbers.next().unwrap());
            // The product of several fractions: small values are frequent.
            let fraction = (value >> 11) as f64 / (1_u64 << 53) as f64;
            let value = (values as f64 * fraction.powi(skew.cast_signed())) as u64;
            let weight = weight % (weights - 1) + 1;
            *exact.entry(value).or_default() += weight;
            let fields = vec![("user", ValueRef::Unsigned(value)), ("w", ValueRef::Unsigned(weight))];
            let shard = shard as usize % shards.len();
            let (registry, metric) = &mut shards[shard];
            observe(registry, *metric, &event(fields));
        }
        let snapshots: Vec<Snapshot> = shards.iter().map(|(one, _)| one.snapshot()).collect();
        let merged = Snapshot::merged(&snapshots, &Limits::default()).unwrap();
        check_bounds(top(&merged), &exact, 64);
        let mut other_way = snapshots.into_iter().rev();
        let mut reversed = other_way.next().unwrap();
        other_way.for_each(|next| assert_eq!(reversed.merge(&next), 0));
        check_bounds(top(&reversed), &exact, 64);
    }
}

/// Ten users with more than 0.1 % each are found, and their bounds do not overlap with
/// those of others.
#[test]
fn heavy_users_are_found_among_many() {
    for seed in 0..3 {
        let (mut registry, metric) = registry(Top::new("user").sized(10, 4_096).unwrap());
        let mut exact = Weights::new();
        for number in random(seed).take(50_000) {
            // Each of ten has 0.15 %, the others together 98.5 %.
            let value = match number % 10_000 {
                heavy @ 0..150 => heavy % 10,
                _ => 10 + (number >> 32) % 20_000,
            };
            *exact.entry(value).or_default() += 1;
            let fields = vec![("user", ValueRef::Unsigned(value))];
            observe(&mut registry, metric, &event(fields));
        }
        let snapshot = registry.snapshot();
        check_bounds(top(&snapshot), &exact, 4_096);
        let shown = top(&snapshot).shown();
        let values = shown
            .iter()
            .map(|one| one.label.plain_text().unwrap().parse());
        let mut found: Vec<u64> = values.map(Result::unwrap).collect();
        found.sort_unstable();
        assert_eq!(found, (0..10).collect::<Vec<u64>>());
        let others = top(&snapshot).others_at_most();
        assert!(
            shown.iter().all(|one| one.counted > others),
            "{others} {shown:?}"
        );
    }
}

#[test]
fn labels_of_long_values_are_those_of_series() {
    let (mut registry, metric) = registry(Top::new("user"));
    let long = "é".repeat(400);
    observe(
        &mut registry,
        metric,
        &event(vec![("user", ValueRef::from(&long))]),
    );
    let snapshot = registry.snapshot();
    let shown = top(&snapshot).shown();
    let Label::Value(key) = shown[0].label else {
        panic!("{shown:?}");
    };
    assert_eq!(key.len(), 272);
    let level = fantail_metrics::GroupBy::new("user", crate::fixture::discrete());
    let text = shown[0].label.text(&level);
    assert!(
        text.starts_with(&"é".repeat(100)) && text.contains('…'),
        "{text}"
    );
}
