//! `fantail { … }` and `declare`, which Dovecot does not know.

use std::time::Duration;

use fantail_config::{RegistrySettings, Settings, write};
use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_metrics::Limits;

#[track_caller]
fn good(dialect: Dialect, text: &str) -> Settings {
    let loaded = crate::read(dialect, text);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "", "{text}");
    loaded.settings
}

#[track_caller]
fn bad(dialect: Dialect, text: &str, expected: &[&str]) {
    let loaded = crate::read(dialect, text);
    let lines = loaded.diagnostics.to_lines(&loaded.sources);
    let lines = lines.lines().map(|line| line.trim_start_matches("x:"));
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn values() {
    let default = RegistrySettings {
        limits: Limits::default(),
        idle_series: None,
        exemplars: None,
    };
    for dialect in [V2_3, V2_4] {
        assert_eq!(good(dialect, "").registry, default);
        assert_eq!(good(dialect, "fantail {\n}\n").registry, default);
        let text = "fantail {\n  series_per_metric = 5\n  series_total = 7\n}\n\
                    fantail {\n  idle_series = 1h\n  exemplars = session\n  series_total = 8\n}\n";
        let loaded = crate::read(dialect, text);
        assert_eq!(loaded.diagnostics.errors(), 0);
        let read = loaded.settings.registry;
        let limits = (read.limits.series_per_metric, read.limits.series);
        assert_eq!(limits, (5, 8));
        assert_eq!(
            read.limits.updates_per_event,
            Limits::default().updates_per_event
        );
        assert_eq!(read.idle_series, Some(Duration::from_secs(3600)));
        assert_eq!(read.exemplars.as_deref(), Some(&b"session"[..]));
        let never = good(dialect, "fantail {\n  idle_series = 0\n  exemplars =\n}\n");
        assert_eq!(never.registry, default);
    }
    // As 2.4 does it with all settings.
    let outside = "fantail_series_total = 3\nfantail {\n  fantail_series_per_metric = 2\n}\n";
    let read = good(V2_4, outside).registry.limits;
    assert_eq!((read.series_per_metric, read.series), (2, 3));
}

#[test]
fn errors() {
    for dialect in [V2_3, V2_4] {
        bad(
            dialect,
            "fantail {\n  series_total = 0\n  idle_series = 5\n  serise_total = 1\n}\n",
            &[
                "2:18: error[config/invalid-number]: `0` is no number of series",
                "3:17: error[config/invalid-interval]: invalid time interval: the unit is missing",
                "4:3: error[config/unknown-setting]: unknown setting `serise_total` in `fantail`",
            ],
        );
        bad(
            dialect,
            "fantail x {\n}\n",
            &["1:9: error[config/wrong-kind]: the block `fantail` has no name"],
        );
    }
}

/// A metric that groups by `a`, buckets of `n`, and `b`.
fn metric(dialect: Dialect, declare: &str) -> String {
    let group_by = match dialect {
        V2_3 => "  group_by = a n:linear:0:10:5 b\n",
        V2_4 => {
            "  group_by a {\n  }\n  group_by n {\n    method linear {\n      min = 0\n      \
             max = 10\n      step = 5\n    }\n  }\n  group_by b {\n  }\n"
        }
    };
    format!("metric m {{\n  declare = {declare}\n  filter = event=x\n{group_by}}}\n")
}

#[test]
fn declarations() {
    let expected = [vec![&b"x:y"[..], b"z"], vec![b"1"]];
    for dialect in [V2_3, V2_4] {
        // In any order, and a value may hold a colon.
        let settings = good(dialect, &metric(dialect, "b:1  a:x:y,z"));
        let declared = settings.metrics.first().map(|metric| &metric.declare);
        assert_eq!(declared.unwrap(), &expected);
        let wrong = |declare: &str, errors: &[&str]| {
            let errors = errors.iter().map(|error| {
                let (column, message) = error.split_once(' ').unwrap();
                format!("2:{column}: error[config/invalid-declaration]: {message}")
            });
            let errors: Vec<String> = errors.collect();
            let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
            bad(dialect, &metric(dialect, declare), &errors);
        };
        wrong("a:x", &["13 nothing is declared for the level `b`"]);
        let no_level = "17 `group_by` has no level of single values of `n`";
        wrong("a:x n:1 b:1", &[no_level]);
        wrong(
            "a:x b",
            &[
                "13 nothing is declared for the level `b`",
                "17 the values are missing",
            ],
        );
        let many = "a:".to_owned() + &vec!["x"; 10_001].join(",") + " b:1";
        wrong(
            &many,
            &["13 these are 10001 series, and 10000 may be declared"],
        );
    }
    let text = "metric m {\n  filter = event=x\n  declare = a:1\n}\n";
    let message = "`group_by` has no level of single values of `a`";
    let nothing = "there is nothing to declare: all series are there from the start";
    let code = "error[config/invalid-declaration]";
    bad(
        V2_3,
        text,
        &[
            &format!("3:13: {code}: {message}"),
            &format!("3:13: {code}: {nothing}"),
        ],
    );
}

#[test]
fn written_and_read_again() {
    for dialect in [V2_3, V2_4] {
        let own = "fantail {\n  series_per_metric = 5\n  series_total = 8\n  \
                   idle_series = 90 secs\n  exemplars = session\n}\n";
        let before = good(dialect, &format!("{own}{}", metric(dialect, "a:x,y b:1")));
        let text = String::from_utf8(write(&before)).unwrap();
        let after = good(dialect, &text);
        assert_eq!(before.registry, after.registry, "{text}");
        assert_eq!(
            before.metrics[0].declare, after.metrics[0].declare,
            "{text}"
        );
        assert!(
            text.contains("fantail {\n  series_per_metric = 5\n"),
            "{text}"
        );
    }
}
