//! Dovecot's layout.

use fantail_event::Timestamp;
use fantail_exposition::dovecot::{self, Process};

use crate::{
    Case, RECORDED, SMALL,
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
