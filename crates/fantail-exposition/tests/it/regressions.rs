//! Bugs that Dovecot's scrapes had or have, and that fantail must not have.

use fantail_event::ValueRef;
use fantail_exposition::{ExpositionOptions, Format};
use fantail_metrics::{Exponential, Limits, Method, MetricSettings, Snapshot};

use crate::{
    RECORDED, SMALL,
    exposition::answer,
    hostile::{discrete, linear, metric, played},
    rules,
};

fn scrape(snapshot: &Snapshot) -> String {
    let (text, _) = answer(snapshot, ExpositionOptions::new(Format::OpenMetrics));
    // The rules include unique names and series, and legal labels.
    rules::read(&text, Format::OpenMetrics);
    text
}

#[track_caller]
fn check(
    metrics: Vec<MetricSettings>,
    events: Vec<Vec<(&'static str, ValueRef<'static>)>>,
    has: &[&str],
    not: &[&str],
) {
    let text = scrape(&played(metrics, Limits::default(), events));
    for line in has {
        assert!(
            text.contains(&format!("{line}\n")),
            "{line} is not in\n{text}"
        );
    }
    for line in not {
        assert!(!text.contains(line), "{line} is in\n{text}");
    }
}

fn x(value: i64) -> Vec<(&'static str, ValueRef<'static>)> {
    vec![("x", ValueRef::Int(value)), ("g-g", ValueRef::Int(1))]
}

/// Dovecot wrote illegal label names in histograms with other levels.
#[test]
fn histograms_with_levels() {
    let by = metric("m", &[], &[("g-g", discrete()), ("x", linear(10, 5))]);
    let has = [
        "dovecot_m_bucket{g_g=\"1\",le=\"5.0\"} 1",
        "dovecot_m_bucket{g_g=\"1\",le=\"+Inf\"} 2",
    ];
    check(vec![by], vec![x(5), x(6)], &has, &["g-g"]);
}

/// Bounds of durations are seconds, those of other fields are unchanged.
#[test]
fn bounds_of_durations_are_seconds_and_of_others_as_they_are() {
    let exponential = || Method::Exponential(Exponential::new(3, 6, 10).unwrap());
    let metrics = vec![
        metric("d", &[], &[("duration", exponential())]),
        metric("f", &[], &[("x", exponential())]),
    ];
    let text = scrape(&played(metrics, Limits::default(), vec![x(5_000)]));
    let bounds = |name: &str| {
        let lines = text.lines().filter(|line| line.starts_with(name));
        let bound = |line: &str| line.split('"').nth(1).unwrap().parse::<f64>().unwrap();
        lines.map(bound).collect::<Vec<_>>()
    };
    let inf = f64::INFINITY;
    assert_eq!(bounds("dovecot_d_bucket"), [0.001, 0.01, 0.1, 1.0, inf]);
    assert_eq!(bounds("dovecot_f_bucket"), [1e3, 1e4, 1e5, 1e6, inf]);
    assert!(text.contains("dovecot_f_sum 5000\n"), "{text}");
}

/// Aggregation crashed Dovecot's scrapes: each method, with and without events.
#[test]
fn scrapes_of_all_methods() {
    let methods = || {
        [
            discrete(),
            linear(10, 5),
            Method::Exponential(Exponential::new(1, 3, 2).unwrap()),
        ]
    };
    for first in methods() {
        for second in methods() {
            for events in [vec![], vec![vec![]], vec![x(-1), x(7)]] {
                let by = metric(
                    "m",
                    &["x"],
                    &[("x", first.clone()), ("g-g", second.clone())],
                );
                check(vec![by], events, &["# EOF"], &[]);
            }
        }
    }
}

/// Illegal names, counts next to a histogram, and labels without a value.
#[test]
fn names_histograms_and_empty_labels() {
    let metrics = vec![
        metric("bad-name", &[], &[]),
        metric("h", &[], &[("x", linear(10, 5))]),
        metric("e", &[], &[("none", discrete())]),
    ];
    let has = ["dovecot_h_count 1", "dovecot_e_total 1"];
    let not = ["bad", "dovecot_h_total", "dovecot_h_duration", "=\"\""];
    check(metrics, vec![x(5)], &has, &not);
}

/// Dovecot wrote the values of one metric in the next one.
#[test]
fn labels_of_one_metric_do_not_leak_into_the_next() {
    let metrics = vec![
        metric("a", &["x"], &[("g-g", discrete())]),
        metric("b", &[], &[("x", linear(10, 5))]),
        metric("c", &["y"], &[]),
    ];
    let together = scrape(&played(
        metrics.clone(),
        Limits::default(),
        vec![x(5), x(7)],
    ));
    let alone = metrics.into_iter().map(|metric| {
        let text = scrape(&played(vec![metric], Limits::default(), vec![x(5), x(7)]));
        text.strip_suffix("# EOF\n").unwrap().to_owned()
    });
    assert_eq!(together, alone.collect::<String>() + "# EOF\n");
}

/// A family was twice in the answer of 2.3.19. The reference parser refuses
/// that; another test checks that it does.
#[test]
fn no_family_is_given_twice() {
    let heads = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("# TYPE "));
        let mut heads: Vec<String> = lines.map(str::to_owned).collect();
        let all = heads.len();
        heads.sort();
        heads.dedup();
        (all, heads.len())
    };
    for case in SMALL.iter().chain(&RECORDED) {
        let (all, different) = heads(&scrape(&case.snapshot()));
        assert_eq!(all, different, "{}", case.name);
    }
}
