//! Dovecot's layout.

use fantail_event::{Dialect, Timestamp, ValueRef};
use fantail_exposition::dovecot::{self, Process};
use fantail_metrics::{Exponential, Limits, Method, Registry};

use crate::{
    Case, RECORDED, SMALL,
    hostile::{discrete, event, metric, observed},
    lines::{assert_same_lines, lines},
};

fn answer(case: &Case, process: &Process<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    dovecot::write(&case.snapshot(), process, &mut out).unwrap();
    out
}

#[track_caller]
fn check(name: &str, got: &[u8], expected: &[u8]) {
    assert_same_lines(name, &lines(got), &lines(expected));
}

#[test]
fn small_recordings_to_the_byte() {
    let process = Process {
        started: Timestamp::default(),
        version: "",
        revision: None,
    };
    for case in SMALL {
        let got = answer(&case, &process);
        // The recorded answers begin after the lines about the process.
        let start = got
            .split_inclusive(|byte| *byte == b'\n')
            .take(6)
            .map(<[u8]>::len)
            .sum();
        check(case.name, &got[start..], case.answer);
    }
}

#[test]
fn large_recordings_to_the_byte() {
    let processes = [
        (1_795_330_741, "2.3.19.1", "9b53102964"),
        (1_795_330_745, "2.3.19.1", "9b53102964"),
        (1_795_329_324, "2.4.1-4", "7d8c0e5759"),
    ];
    for (case, (started, version, revision)) in RECORDED.iter().zip(processes) {
        let process = Process {
            started: Timestamp::new(started, 0).unwrap(),
            version,
            revision: Some(revision),
        };
        check(case.name, &answer(case, &process), case.answer);
    }
}

/// Dovecot 2.3.19 and 2.4.1 gave these lines to a client that counted an event of the
/// user `a`, sent `DUMP-RESET`, and counted an event of `b`.
#[test]
fn a_histogram_without_events_since_a_reset_has_no_sum() {
    let sizes = Method::Exponential(Exponential::new(2, 3, 2).unwrap());
    let mut registry = Registry::with_limits(Dialect::V2_4, Limits::default());
    let groups = [("user", discrete()), ("k", sizes)];
    let ids = [registry.add(metric("m3", &[], &groups)).unwrap()];
    for (user, k) in [("a", 5), ("b", 7)] {
        registry.reset();
        let fields = vec![
            ("k", ValueRef::Int(k)),
            ("user", ValueRef::Str(user.as_bytes())),
        ];
        let times = [0, 0].map(Timestamp::from_unix_micros);
        observed(&mut registry, &ids, &event(times, fields));
    }
    let process = Process {
        started: Timestamp::default(),
        version: "",
        revision: None,
    };
    let mut out = Vec::new();
    dovecot::write(&registry.snapshot(), &process, &mut out).unwrap();
    let text = String::from_utf8_lossy(&out);
    let series: Vec<&str> = text
        .lines()
        .filter(|it| it.starts_with("dovecot_m3_"))
        .collect();
    let expected = [
        r#"dovecot_m3_bucket{user="a",le="4"} 0"#,
        r#"dovecot_m3_bucket{user="a",le="8"} 0"#,
        r#"dovecot_m3_bucket{user="a",le="+Inf"} 0"#,
        r#"dovecot_m3_bucket{user="b",le="4"} 0"#,
        r#"dovecot_m3_bucket{user="b",le="8"} 1"#,
        r#"dovecot_m3_bucket{user="b",le="+Inf"} 1"#,
        r#"dovecot_m3_sum{user="b"} 0.000000"#,
        r#"dovecot_m3_count{user="b"} 1"#,
    ];
    assert_eq!(series, expected);
}
