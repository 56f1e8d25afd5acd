//! Merging shards.

use std::{collections::BTreeMap, time::Duration};

use fantail_event::{Dialect, ValueRef};
use fantail_metrics::{Linear, Method, MetricSettings, Percentile, Registry, Snapshot};

use crate::fixture::{counts, discrete, event, settings, text, with_sent};

fn by_user_and_size() -> MetricSettings {
    let linear = Method::Linear(Linear::new(0, 100, 10).unwrap());
    settings("m", "size", &[("user", discrete()), ("size", linear)])
}

fn observe(registry: &mut Registry, user: &'static str, size: i64) {
    let id = registry.id(b"m").unwrap();
    let event = event(vec![("user", text(user)), ("size", ValueRef::Int(size))]);
    with_sent(&event, |sent| assert!(registry.observe(id, sent)));
}

/// Returns all numbers of all series, by path.
pub(crate) fn contents(snapshot: &Snapshot) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut all = BTreeMap::new();
    for metric in snapshot.metrics() {
        let name = String::from_utf8_lossy(&metric.settings().name);
        let mut path = vec![name.clone().into_owned()];
        for series in metric.series().iter() {
            path.truncate(series.depth() + 1);
            path.push(format!("{:?}", series.label()));
            let mut numbers = vec![format!("{:?}", series.own_sum())];
            for d in std::iter::once(series.duration()).chain(series.fields()) {
                let (median, p99) = (d.median(), d.percentile(Percentile::P99));
                numbers.push(format!("{} {} {median} {p99}", d.count(), d.sum()));
            }
            assert_eq!(all.insert(path.clone(), numbers), None, "{path:?} twice");
        }
        if let Some(top) = metric.top() {
            let mut values: Vec<String> = top.iter().map(|one| format!("{one:?}")).collect();
            values.sort();
            values.push(format!("{} {}", top.total(), top.threshold()));
            all.insert(vec![name.into_owned(), "top".to_owned()], values);
        }
    }
    all
}

/// Some shards have the series of others, one has none, one has nearly all; and
/// merging sums more often than there are series.
#[test]
fn any_number_of_shards_adds_up() {
    let registry = || {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.add(by_user_and_size()).unwrap();
        registry
    };
    let mut whole = registry();
    let mut shards: Vec<Registry> = (0..30).map(|_| registry()).collect();
    for number in 0..6_000_usize {
        let shard = match number {
            0..3_000 => 7,
            _ => 2 + number * number % 13 * 2,
        };
        let number = i64::try_from(number).unwrap();
        let user = ValueRef::Int(number * 7 % 401);
        let event = event(vec![("user", user), ("size", ValueRef::Int(number % 53))]);
        for registry in [&mut whole, &mut shards[shard]] {
            let id = registry.id(b"m").unwrap();
            with_sent(&event, |sent| assert!(registry.observe(id, sent)));
        }
    }
    let mut merged = shards[0].snapshot();
    for shard in &shards[1..] {
        assert_eq!(merged.merge(&shard.snapshot()), 0);
    }
    assert_eq!(contents(&merged), contents(&whole.snapshot()));
    // In reverse order: the last shard first.
    let mut merged = shards[29].snapshot();
    for shard in shards[..29].iter().rev() {
        merged.merge(&shard.snapshot());
    }
    assert_eq!(contents(&merged), contents(&whole.snapshot()));
}

#[test]
fn shards_add_up_to_the_whole() {
    let registry = || {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.add(by_user_and_size()).unwrap();
        registry
    };
    let mut whole = registry();
    let mut shards = [registry(), registry(), registry()];
    let users = ["anna", "bert", "cleo", "", "dora"];
    for number in 0..5_000_usize {
        let user = users[number * number % 7 % users.len()];
        let size = i64::try_from(number % 137).unwrap() - 10;
        observe(&mut whole, user, size);
        observe(&mut shards[number % 3], user, size);
    }
    // A series of the last shard only.
    observe(&mut whole, "last", 3);
    observe(&mut shards[2], "last", 3);

    let [mut merged, second, third] = shards.map(|shard| shard.snapshot());
    assert_eq!(merged.merge(&second), 0);
    assert_eq!(merged.merge(&third), 0);
    assert_eq!(contents(&merged), contents(&whole.snapshot()));
    assert!(contents(&merged).len() > 40);
}

#[test]
fn new_series_come_after_their_siblings() {
    let registry = |events: &[(&'static str, i64)]| {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.add(by_user_and_size()).unwrap();
        events
            .iter()
            .for_each(|(user, size)| observe(&mut registry, user, *size));
        registry.snapshot()
    };
    let mut left = registry(&[("b", 5), ("a", 5)]);
    let right = registry(&[("c", 95), ("b", 15), ("b", 5)]);
    assert_eq!(left.merge(&right), 0);
    assert_eq!(
        counts(&left, 0),
        "=5 b=3 b_size_1_10=2 b_size_11_20=1 a=1 a_size_1_10=1 c=1 c_size_91_100=1"
    );
}

#[test]
fn metrics_meet_by_name_and_settings() {
    let snapshot = |all: &[MetricSettings]| {
        let mut registry = Registry::new(Dialect::V2_4);
        for metric in all {
            let id = registry.add(metric.clone()).unwrap();
            with_sent(&event(Vec::new()), |sent| {
                assert!(registry.observe(id, sent));
            });
        }
        registry.snapshot()
    };
    let mut left = snapshot(&[settings("a", "", &[]), settings("b", "", &[])]);
    let right = snapshot(&[
        settings("b", "x", &[]),
        settings("c", "", &[]),
        settings("a", "", &[]),
    ]);
    assert_eq!(left.merge(&right), 1);
    let names: Vec<&[u8]> = left.metrics().iter().map(|m| &*m.settings().name).collect();
    assert_eq!(names, [b"a", b"b", b"c"]);
    assert_eq!(
        [counts(&left, 0), counts(&left, 1), counts(&left, 2)],
        ["=2", "=1", "=1"]
    );
}

/// Counts events in more series than one segment has.
fn observe_many(registry: &mut Registry, from: usize) {
    let users = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    for number in from..from + 1_500 {
        let size = i64::try_from(number % 137).unwrap() - 10;
        observe(registry, users[number * 5 % users.len()], size);
    }
}

#[test]
fn snapshots_stay_as_they_were() {
    let mut registry = Registry::new(Dialect::V2_4);
    registry.add(by_user_and_size()).unwrap();
    let mut kept = Vec::new();
    let mut keep = |registry: &Registry| {
        let read_now = contents(&registry.snapshot());
        // One snapshot is sorted now, the other after everything has changed.
        kept.push((registry.snapshot(), read_now));
    };
    keep(&registry);
    for round in 0..4 {
        observe_many(&mut registry, round * 1_500);
        keep(&registry);
        observe(&mut registry, "a", 5);
        keep(&registry);
    }
    registry.reset();
    keep(&registry);
    observe(&mut registry, "late", 5);
    keep(&registry);
    registry.drop_idle(Duration::from_secs(1), Duration::from_secs(100));
    observe(&mut registry, "a", 7);
    keep(&registry);
    assert!(registry.drop_idle(Duration::from_secs(102), Duration::from_secs(100)) > 100);
    keep(&registry);
    let sizes: Vec<usize> = kept.iter().map(|(_, contents)| contents.len()).collect();
    assert_eq!((sizes.first(), sizes.last()), (Some(&1), Some(&3)));
    assert!(sizes[5] > 2 * 64, "{sizes:?}");
    for (snapshot, then) in &kept {
        assert_eq!(&contents(snapshot), then);
    }
}

#[test]
fn merged_snapshots_leave_their_parts_alone() {
    let counted = |from: &[usize]| {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.add(by_user_and_size()).unwrap();
        from.iter()
            .for_each(|from| observe_many(&mut registry, *from));
        registry.snapshot()
    };
    let (one, other) = (counted(&[0]), counted(&[700]));
    let before = [contents(&one), contents(&other)];
    let mut both = one.clone();
    assert_eq!(both.merge(&other), 0);
    assert_eq!(contents(&both), contents(&counted(&[0, 700])));
    assert_eq!([contents(&one), contents(&other)], before);
}
