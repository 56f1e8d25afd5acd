//! `group_by` with the method `top`, which Dovecot does not have.

use fantail_config::{Settings, write};
use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_metrics::{Modifier, Top};

/// Returns a metric with a level; of 2.4, with these settings of the method.
fn metric(dialect: Dialect, level: &str) -> String {
    let level = match (dialect, level.split_once(' ')) {
        (V2_3, _) => format!("  group_by = {level}\n"),
        (V2_4, None) => format!("  group_by {level} {{\n    method top {{\n    }}\n  }}\n"),
        (V2_4, Some((field, settings))) => {
            let settings = settings.replace("; ", "\n      ");
            format!("  group_by {field} {{\n    method top {{\n      {settings}\n    }}\n  }}\n")
        }
    };
    format!("metric m {{\n  filter = event=x\n{level}}}\n")
}

#[track_caller]
fn good(dialect: Dialect, text: &str) -> Settings {
    let loaded = crate::read(dialect, text);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "", "{text}");
    loaded.settings
}

/// Checks what both dialects read, and that it is written and read again.
#[track_caller]
fn check(old: &str, new: &str, expected: &Top) {
    for (dialect, level) in [(V2_3, old), (V2_4, new)] {
        let settings = good(dialect, &metric(dialect, level));
        let written = String::from_utf8(write(&settings)).unwrap();
        let again = good(dialect, &written);
        for settings in [&settings, &again] {
            let metric = settings.metrics.first().unwrap();
            assert_eq!(metric.settings.top.as_ref(), Some(expected), "{written}");
            assert!(metric.settings.group_by.is_empty());
            assert!(metric.spans.top.is_some());
        }
    }
}

#[test]
fn arguments_in_both_dialects() {
    let top = Top::new("user");
    check("user:top", "user", &top);
    let five = top.clone().sized(5, Top::COUNTERS).unwrap();
    check("user:top:5", "user shown = 5", &five);
    let domain = top.clone().modified(vec![Modifier::Domain]);
    let modifier = "user modifier = %{value | domain}";
    check("user:top:%{domain}", modifier, &domain);
    let all = domain.weighted(Some(b"net_out_bytes".to_vec()));
    let all = all.sized(20, 1_000).unwrap();
    check(
        "user:top:counters=1000:20:weight=net_out_bytes:%d",
        "user shown = 20; counters = 1000; weight = net_out_bytes; modifier = %{value|domain}",
        &all,
    );
}

#[track_caller]
fn bad(dialect: Dialect, level: &str, expected: &str) {
    let text = metric(dialect, level);
    let loaded = crate::read(dialect, text.clone());
    let lines = loaded.diagnostics.to_lines(&loaded.sources);
    let lines: Vec<&str> = lines
        .lines()
        .map(|line| line.trim_start_matches("x:"))
        .collect();
    assert_eq!(lines, [expected], "{text}");
}

#[test]
fn wrong_arguments() {
    let at = "3:14: error[config/method-arguments]: group_by method `top`";
    bad(V2_3, "user:top:x", &format!("{at} has no argument `x`"));
    bad(
        V2_3,
        "user:top:weight=",
        &format!("{at} has no argument `weight=`"),
    );
    let few = "the number of counters must be at least 64 and at most 131072";
    bad(V2_3, "user:top:counters=9", &format!("{at}: {few}"));
    let shown = "the number of shown values must be at least 1, and not above that of counters";
    bad(V2_3, "user:top:0", &format!("{at}: {shown}"));
    bad(V2_3, "user:top:counters=64:65", &format!("{at}: {shown}"));
    let error = "error[config/method-arguments]: group_by method `top`";
    bad(V2_4, "user counters = 9", &format!("5:18: {error}: {few}"));
    bad(V2_4, "user shown = 0", &format!("5:15: {error}: {shown}"));
    let modifier = "5:18: error[config/invalid-modifier]: invalid modifier: \
                    `x` is none of `domain`, `username`, `lower`, `upper`";
    bad(V2_4, "user modifier = %{value | x}", modifier);
    let number = "5:15: error[config/invalid-number]: `ten` is not a number from 0 to 2⁶³−1";
    bad(V2_4, "user shown = ten", number);
}

#[test]
fn it_is_the_only_level() {
    let alone = "error[config/top-not-alone]: the group_by method `top` must be the only level";
    bad(V2_3, "service user:top", &format!("3:22: {alone}"));
    bad(V2_3, "user:top service", &format!("3:23: {alone}"));
    bad(V2_3, "user:top ip:top", &format!("3:23: {alone}"));
    let text = "metric m {\n  filter = event=x\n  group_by a {\n  }\n  group_by b {\n    \
                method top {\n    }\n  }\n}\n";
    let loaded = crate::read(V2_4, text);
    let lines = loaded.diagnostics.to_lines(&loaded.sources);
    assert_eq!(lines.trim(), format!("x:5:12: {alone}"));
}
