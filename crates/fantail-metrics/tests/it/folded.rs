//! Merging shards whose series exceed the limits of one registry.

use fantail_event::Dialect;
use fantail_metrics::{Limits, MetricRules, Registry, Snapshot};

use crate::fixture::{counts, discrete, event, settings, text, with_sent};

fn at_most(series_per_metric: usize, series: usize) -> Limits {
    Limits {
        series_per_metric,
        series,
        ..Limits::default()
    }
}

/// Returns a shard that counted events with these values of `g` and `h`, in the
/// metrics `a` by `g` and `b` by `g` and `h`.
fn shard(limits: Limits, values: &[&'static str]) -> Snapshot {
    let mut registry = Registry::with_limits(Dialect::V2_4, limits);
    let levels = [("g", discrete()), ("h", discrete())];
    let one = registry.add(settings("a", "", &levels[..1])).unwrap();
    let two = registry.add(settings("b", "", &levels)).unwrap();
    for value in values {
        let (g, h) = value.split_once('/').unwrap_or((value, ""));
        let event = event(vec![("g", text(g)), ("h", text(h))]);
        with_sent(&event, |sent| {
            assert!(registry.observe(one, sent) && registry.observe(two, sent));
        });
    }
    registry.snapshot()
}

/// Checks the merged counts of shards with these values, and the number of
/// events that went to an `other`.
#[track_caller]
fn check(limits: Limits, values: &[&[&'static str]], expected: [&str; 2]) {
    let shards: Vec<Snapshot> = values.iter().map(|values| shard(limits, values)).collect();
    let whole = Snapshot::merged(&shards, &limits).unwrap();
    let got = [0, 1].map(|at| {
        let overflowed = whole.metrics()[at].overflowed();
        format!(
            "{} overflowed={overflowed}",
            counts(&whole, at).trim_start()
        )
    });
    assert_eq!(got, expected);
    // Each event is counted once.
    let events: usize = values.iter().map(|values| values.len()).sum();
    for metric in whole.metrics() {
        assert_eq!(
            metric.series().get(0).unwrap().duration().count(),
            events as u64
        );
        let leaves = metric
            .series()
            .iter()
            .filter(|series| metric.is_leaf(series));
        let sum: u64 = leaves.map(|series| series.duration().count()).sum();
        assert_eq!(sum, events as u64);
    }
}

#[test]
fn together_they_have_what_one_may_have() {
    // A metric by one level counts 3 series and 1 for each value; by two
    // levels, 5, 3 and 1.
    let wide = at_most(100, 200);
    check(
        wide,
        &[&["x/1", "y/1"], &["y/1", "z/1"]],
        [
            "=4 x=1 y=2 z=1 overflowed=0",
            "=4 x=1 x_1=1 y=2 y_1=2 z=1 z_1=1 overflowed=0",
        ],
    );
    // `a` needs 6 series, `b` 17.
    check(
        at_most(5, 200),
        &[&["x/1"], &["x/1", "y/1", "z/1"]],
        [
            "=4 x=2 y=1 other=1 overflowed=1",
            "=4 other=4 other_other=4 overflowed=8",
        ],
    );
    check(
        at_most(13, 200),
        &[&["x/1", "y/1"], &["y/1", "x/2", "z/1"]],
        [
            "=5 x=2 y=2 z=1 overflowed=0",
            "=5 x=2 x_1=1 x_other=1 y=2 y_1=2 other=1 other_other=1 overflowed=3",
        ],
    );
}

#[test]
fn the_first_shard_keeps_its_series() {
    // The first shard reaches the limit: its later values stay, although those
    // of the second come before them in order. The second shard gets no series
    // `y`, but one for `5` below its `other`.
    let first: &[_] = &["x/1", "y/1"];
    let second: &[_] = &["x/2", "x/3", "x/4", "y/5"];
    check(
        at_most(13, 200),
        &[first, second],
        [
            "=6 x=4 y=2 overflowed=0",
            "=6 x=4 x_1=1 x_other=3 y=1 y_1=1 other=1 other_other=1 overflowed=5",
        ],
    );
    // The limit of all metrics together: `a` counts 5 series and `b` 13.
    check(
        at_most(100, 18),
        &[first, &["z/1"]],
        [
            "=3 x=1 y=1 other=1 overflowed=1",
            "=3 x=1 x_1=1 y=1 y_1=1 other=1 other_other=1 overflowed=2",
        ],
    );
}

#[test]
fn one_shard_is_as_it_is() {
    let limits = at_most(5, 200);
    check(
        limits,
        &[&["x/1", "y/1", "z/1"]],
        [
            "=3 x=1 y=1 other=1 overflowed=1",
            "=3 other=3 other_other=3 overflowed=6",
        ],
    );
    assert!(Snapshot::merged(&[], &limits).is_none());
}

/// Returns a shard of a metric by `g`, with this limit of its own.
fn limited(limits: Limits, limit: Option<usize>, values: &[&'static str]) -> Snapshot {
    let mut registry = Registry::with_limits(Dialect::V2_4, limits);
    let id = registry.add(settings("a", "", &[("g", discrete())]));
    let id = id.unwrap();
    let mut rules = MetricRules::default();
    rules.series_limit = limit;
    rules.exposed = false;
    assert!(registry.set_rules(id, rules));
    for value in values {
        let event = event(vec![("g", text(value))]);
        with_sent(&event, |sent| assert!(registry.observe(id, sent)));
    }
    registry.snapshot()
}

#[test]
fn a_metric_has_a_limit_of_its_own() {
    let check = |limits: Limits, limit, one: &str, both: &str| {
        let shards = [&["w", "x", "y", "z"][..], &["z", "v"]];
        let shards = shards.map(|values| limited(limits, limit, values));
        assert_eq!(counts(&shards[0], 0).trim_start(), one);
        let whole = Snapshot::merged(&shards, &limits).unwrap();
        assert_eq!(counts(&whole, 0).trim_start(), both);
        // Its rules stay with it.
        assert_eq!(whole.metrics()[0].rules().series_limit, limit);
        assert_eq!(whole.exposed_metrics().count(), 0);
    };
    let all = "=6 w=1 x=1 y=1 z=2 v=1";
    check(at_most(100, 100), None, "=4 w=1 x=1 y=1 z=1", all);
    // Below that of the registry, and above it. One series is for `other`, one for
    // events without a value.
    let other = "=6 w=1 x=1 other=4";
    check(at_most(100, 100), Some(5), "=4 w=1 x=1 other=2", other);
    check(at_most(3, 100), Some(8), "=4 w=1 x=1 y=1 z=1", all);
    // The limit of all metrics holds anyway.
    check(at_most(3, 5), Some(8), "=4 w=1 x=1 other=2", other);
}
