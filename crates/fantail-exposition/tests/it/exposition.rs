//! The two valid formats, for all recordings.

use fantail_event::{Dialect, Timestamp};
use fantail_exposition::{
    Exposition, ExpositionOptions, Family, Format, Kind, LeftOut, Number, SkipReason, dovecot, dump,
};
use fantail_metrics::{MetricRules, MetricSnapshot, Registry, Snapshot};

use crate::{
    RECORDED, SMALL,
    checkers::close_bounds,
    hostile::{linear, metric},
    rules::{self, Block},
};

pub(crate) fn answer(snapshot: &Snapshot, options: ExpositionOptions) -> (String, Vec<LeftOut>) {
    let mut exposition = Exposition::new(Vec::new(), options);
    exposition.snapshot(snapshot).unwrap();
    let (text, left_out) = exposition.finish().unwrap();
    (String::from_utf8(text).unwrap(), left_out)
}

pub(crate) fn all_options() -> impl Iterator<Item = ExpositionOptions> {
    [Format::OpenMetrics, Format::Prometheus]
        .into_iter()
        .flat_map(|format| {
            let plain = ExpositionOptions::new(format);
            let created = ExpositionOptions {
                created: Timestamp::new(1_700_000_000, 5),
                ..plain.clone()
            };
            [plain, created]
        })
}

fn sum(block: &Block, suffix: &str) -> f64 {
    let samples = block
        .samples
        .iter()
        .filter(|sample| sample.name.ends_with(suffix));
    samples
        .map(|sample| sample.number.parse::<f64>().unwrap())
        .sum()
}

/// Checks that each event is counted once, except those with lists.
fn check_sums(metric: &MetricSnapshot, events: Option<&Block>, durations: Option<&Block>) {
    let root = metric.series().get(0).unwrap().duration();
    let (Some(events), Some(durations)) = (events, durations) else {
        return;
    };
    let has_list = metric
        .settings()
        .group_by
        .iter()
        .any(|level| [&b"reason_code"[..], b"l"].contains(&&*level.field));
    if !has_list {
        assert_eq!(sum(events, "_total"), root.count() as f64);
        let seconds = root.sum() as f64 / 1e6;
        assert!((sum(durations, "_total") - seconds).abs() <= seconds * 1e-12);
    }
}

#[test]
fn recordings_follow_the_rules() {
    for case in SMALL.iter().chain(&RECORDED) {
        let snapshot = case.snapshot();
        for options in all_options() {
            let (text, left_out) = answer(&snapshot, options.clone());
            let families = rules::read(&text, options.format);
            let suffix = if options.format == Format::OpenMetrics {
                ""
            } else {
                "_total"
            };
            for metric in snapshot.metrics() {
                let name = String::from_utf8_lossy(&metric.settings().name).into_owned();
                let family = |of: &str| families.get(&format!("dovecot_{name}{of}{suffix}"));
                check_sums(metric, family(""), family("_duration_seconds"));
            }
            assert!(
                left_out
                    .iter()
                    .all(|left| left.reason == SkipReason::IllegalName),
                "{left_out:?}"
            );
            assert!(families.len() >= 2, "{}", case.name);
        }
    }
}

/// Checks the text of one metric of a recording.
#[test]
fn a_recorded_metric() {
    let (text, left_out) = answer(
        &RECORDED[1].snapshot(),
        ExpositionOptions::new(Format::OpenMetrics),
    );
    let names: Vec<&str> = left_out.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(names, ["imap/log/select", "log/all", "log/json"]);
    let part = |start: &str, lines: usize| {
        let from = text.lines().skip_while(|line| *line != start);
        from.take(lines).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        part(
            "# HELP dovecot_imap_commands Events of the metric imap_commands",
            6
        ),
        r#"# HELP dovecot_imap_commands Events of the metric imap_commands
# TYPE dovecot_imap_commands counter
dovecot_imap_commands_total{cmd_name="SELECT",tagged_reply_state="OK"} 75
dovecot_imap_commands_total{cmd_name="SELECT",tagged_reply_state="NO"} 15
dovecot_imap_commands_total{cmd_name="CREATE",tagged_reply_state="OK"} 130
dovecot_imap_commands_total{cmd_name="APPEND",tagged_reply_state="OK"} 18"#
    );
    assert_eq!(
        part(
            "# HELP dovecot_imap_duration Events of the metric imap_duration by duration",
            10
        ),
        r#"# HELP dovecot_imap_duration Events of the metric imap_duration by duration
# TYPE dovecot_imap_duration histogram
dovecot_imap_duration_bucket{cmd_name="SELECT",le="1e-05"} 0
dovecot_imap_duration_bucket{cmd_name="SELECT",le="0.0001"} 14
dovecot_imap_duration_bucket{cmd_name="SELECT",le="0.001"} 69
dovecot_imap_duration_bucket{cmd_name="SELECT",le="0.01"} 89
dovecot_imap_duration_bucket{cmd_name="SELECT",le="0.1"} 90
dovecot_imap_duration_bucket{cmd_name="SELECT",le="+Inf"} 90
dovecot_imap_duration_sum{cmd_name="SELECT"} 0.131616
dovecot_imap_duration_count{cmd_name="SELECT"} 90"#
    );
    // The sum of the bytes; Dovecot has the sum of the durations here.
    assert_eq!(
        part(r#"dovecot_bytes_bucket{le="+Inf"} 148"#, 3),
        "dovecot_bytes_bucket{le=\"+Inf\"} 148\ndovecot_bytes_sum 62309\ndovecot_bytes_count 148"
    );
    // Exact; events without a reason have no label. (Their durations were
    // computed from the recording with another program.)
    let block = &rules::read(&text, Format::OpenMetrics)["dovecot_reasons_duration_seconds"];
    let none = block
        .samples
        .iter()
        .find(|sample| sample.labels.is_empty())
        .unwrap();
    assert_eq!(none.number, "199.782565");
}

/// Of a field `duration` there is no sum in microseconds beside that in seconds.
#[test]
fn durations_are_in_seconds_once() {
    let mut registry = Registry::new(Dialect::V2_4);
    let by = |field| [(field, linear(2_000, 1_000))];
    let groups: [(&str, &[_]); 3] = [
        ("plain", &[]),
        ("took", &by("duration")),
        ("sized", &by("n")),
    ];
    for (name, group_by) in groups {
        registry
            .add(metric(name, &["duration", "n"], group_by))
            .unwrap();
    }
    let (text, left_out) = answer(
        &registry.snapshot(),
        ExpositionOptions::new(Format::OpenMetrics),
    );
    assert_eq!(left_out, []);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    assert_eq!(
        types.collect::<Vec<_>>(),
        [
            "dovecot_plain counter",
            "dovecot_plain_duration_seconds counter",
            "dovecot_plain_n counter",
            "dovecot_took histogram",
            "dovecot_took_n counter",
            "dovecot_sized histogram",
            "dovecot_sized_duration_seconds counter",
            "dovecot_sized_n counter",
        ]
    );
    let help = "# HELP dovecot_plain_n Sum of n over the events of the metric plain";
    assert!(text.lines().any(|line| line.starts_with(help)), "{text}");
}

#[test]
fn own_families() {
    let mut exposition = Exposition::new(Vec::new(), ExpositionOptions::new(Format::Prometheus));
    let family = |name, kind| Family {
        name,
        kind,
        help: "a \"quoted\" \\ text\nof two lines",
        unit: None,
    };
    let mut add = |name, kind, number: Number| {
        exposition
            .family(&family(name, kind), |samples| {
                samples.add(&[("a", "\\\"\n"), ("empty", ""), ("il-legal", "x")], number)
            })
            .unwrap();
    };
    add("fantail_build", Kind::Info, 1.into());
    add("fantail_depth", Kind::Gauge, 0.5.into());
    add("fantail_depth", Kind::Counter, 1.into());
    add("fantail_build_info", Kind::Gauge, 1.into());
    add("not a name", Kind::Gauge, 1.into());
    let (text, left_out) = exposition.finish().unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"# HELP fantail_build_info a "quoted" \\ text\nof two lines
# TYPE fantail_build_info gauge
fantail_build_info{a="\\\"\n"} 1
# HELP fantail_depth a "quoted" \\ text\nof two lines
# TYPE fantail_depth gauge
fantail_depth{a="\\\"\n"} 0.5
# EOF
"#
    );
    let reasons: Vec<_> = left_out
        .iter()
        .map(|left| (&*left.name, left.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            ("fantail_depth", SkipReason::NameTaken),
            ("fantail_build_info", SkipReason::NameTaken),
            ("not a name", SkipReason::IllegalName),
        ]
    );
}

/// Parsers read bounds as floating point numbers, and refuse two equal ones.
#[test]
fn buckets_with_bounds_of_one_float_are_one() {
    let (text, _) = answer(&close_bounds(), ExpositionOptions::new(Format::OpenMetrics));
    let buckets = text.lines().filter_map(|line| {
        let (bound, count) = line
            .strip_prefix("dovecot_close_bucket{le=\"")?
            .split_once("\"} ")?;
        Some((bound, count))
    });
    // 2⁵³ + 1 is read as 2⁵³, and 2⁵³ + 3 as 2⁵³ + 4.
    assert_eq!(
        buckets.collect::<Vec<_>>(),
        [
            ("9.007199254740993e+15", "2"),
            ("9.007199254740994e+15", "3"),
            ("9.007199254740996e+15", "5"),
            ("+Inf", "6"),
        ]
    );
}

#[test]
fn a_metric_that_is_not_exposed_is_only_in_dumps() {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let mut registry = Registry::new(dialect);
        let [_, inner] = ["shown", "inner"].map(|name| registry.add(metric(name, &[], &[])));
        let mut rules = MetricRules::default();
        rules.exposed = false;
        assert!(registry.set_rules(inner.unwrap(), rules));
        let snapshot = registry.snapshot();
        for options in all_options() {
            let (text, left_out) = answer(&snapshot, options);
            assert!(
                text.contains("dovecot_shown") && !text.contains("inner"),
                "{text}"
            );
            assert!(left_out.is_empty());
        }
        let mut text = Vec::new();
        let process = dovecot::Process {
            started: Timestamp::from_unix_micros(0),
            version: "2.3.19.1",
            revision: None,
        };
        dovecot::write(&snapshot, &process, &mut text).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(
            text.contains("dovecot_shown") && !text.contains("inner"),
            "{text}"
        );
        let mut table = Vec::new();
        dump::write_table(&snapshot, &dump::default_columns(), &mut table);
        assert!(String::from_utf8_lossy(&table).contains("\ninner\t"));
    }
}
