//! Dovecot's layout.

use fantail_event::Timestamp;
use fantail_exposition::dovecot::{self, Process};

use crate::{Case, RECORDED, SMALL};

fn answer(case: &Case, process: &Process<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    dovecot::write(&case.snapshot(), process, &mut out).unwrap();
    out
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| line.escape_ascii().to_string()).collect()
}

#[track_caller]
fn check(name: &str, got: &[u8], expected: &[u8]) {
    let (got, expected) = (lines(got), lines(expected));
    let longest = got.len().max(expected.len());
    let differ = (0..longest).filter(|at| got.get(*at) != expected.get(*at));
    let shown: Vec<String> = differ
        .take(10)
        .map(|at| {
            format!(
                "got      {:?}\nexpected {:?}\n",
                got.get(at),
                expected.get(at)
            )
        })
        .collect();
    assert!(shown.is_empty(), "{name}\n{}", shown.concat());
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
