//! Unusual lines, whose answers real Dovecots gave; see
//! `testdata/edge-cases/README.md`.

mod labels;
mod notation;
mod real;

use std::{env, fs};

use fantail_engine::{Engine, Exported};
use fantail_event::Dialect;
use fantail_testkit::dovecot::Version;
use fantail_wire::{
    Connection, Intake, Limits,
    lines::{LineBuffer, MAX_WRITER_LINE_BYTES},
};

use crate::{CONTEXT, settings};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/edge-cases/");
const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0\n";

/// The lines of one connection.
struct Case {
    name: String,
    /// All that is sent, handshake included.
    bytes: Vec<u8>,
}

/// What a server makes of a case.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    is_accepted: bool,
    exports: Vec<Vec<u8>>,
}

#[allow(clippy::disallowed_methods, reason = "a file of test data")]
fn text(name: &str) -> String {
    String::from_utf8(fs::read(format!("{FOLDER}{name}")).unwrap()).unwrap()
}

fn cases() -> Vec<Case> {
    let blocks = notation::blocks(&text("cases.txt"));
    let cases = blocks.into_iter().map(|(name, lines)| {
        let mut bytes = Vec::new();
        if !name.starts_with("handshake") {
            bytes.extend_from_slice(HANDSHAKE);
        }
        for line in lines {
            bytes.extend(notation::bytes(&line));
            bytes.push(b'\n');
        }
        Case { name, bytes }
    });
    cases.collect()
}

/// The recorded answers, each after the name of its case.
fn recorded(version: Version) -> Vec<(String, Answer)> {
    let blocks = notation::blocks(&text(&format!("expect-{}.txt", version.series())));
    let answers = blocks.into_iter().map(|(name, lines)| {
        let (outcome, exports) = lines.split_first().unwrap();
        let answer = Answer {
            is_accepted: outcome == "accepted",
            exports: exports.iter().map(|line| notation::bytes(line)).collect(),
        };
        (name, answer)
    });
    answers.collect()
}

/// What fantail makes of the cases, one after another.
fn ours(version: Version) -> Vec<(String, Answer)> {
    let dialect = Dialect::from_version(version.series()).unwrap();
    let settings = text(&format!("{}.conf", version.series()));
    let mut engine = Engine::new(&settings_of(&settings, dialect)).unwrap();
    let mut intake = Intake::new();
    let answers = cases().into_iter().map(|case| {
        let answer = answer(&case.bytes, dialect, &mut engine, &mut intake);
        (case.name, answer)
    });
    answers.collect()
}

fn settings_of(text: &str, dialect: Dialect) -> fantail_config::Settings {
    settings(text.as_bytes(), dialect)
}

fn answer(bytes: &[u8], dialect: Dialect, engine: &mut Engine, intake: &mut Intake) -> Answer {
    let mut answer = Answer {
        is_accepted: true,
        ..Answer::default()
    };
    let mut lines = LineBuffer::new(MAX_WRITER_LINE_BYTES);
    let mut connection = Connection::new(dialect, Limits::default());
    lines.push(bytes);
    while answer.is_accepted {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(_) => {
                answer.is_accepted = false;
                break;
            }
        };
        let exports = &mut answer.exports;
        let mut sink = |exported: Exported<'_>| exports.push(exported.payload.to_vec());
        let handled = connection.handle(line, intake, |activity| {
            engine.step(&activity, CONTEXT, &mut sink);
        });
        answer.is_accepted = handled.is_ok();
    }
    connection.close(intake, |_| {});
    answer
}

#[track_caller]
fn compare(expected: &[(String, Answer)], found: &[(String, Answer)]) {
    for ((name, expected), (_, found)) in expected.iter().zip(found) {
        let show = |answer: &Answer| {
            let exports = answer.exports.iter();
            let exports: Vec<String> = exports.map(|it| notation::written(it)).collect();
            (answer.is_accepted, exports)
        };
        assert_eq!(show(found), show(expected), "{name}");
    }
    let names = |answers: &[(String, Answer)]| -> Vec<String> {
        answers.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(found), names(expected));
}

#[test]
fn fantail_answers_as_dovecot_2_3() {
    compare(&recorded(Version::V2_3), &ours(Version::V2_3));
}

#[test]
fn fantail_answers_as_dovecot_2_4() {
    compare(&recorded(Version::V2_4), &ours(Version::V2_4));
}

/// Asks a real Dovecot, if one can be started here.
fn check_recorded(version: Version) {
    let settings = text(&format!("{}.conf", version.series()));
    let Some(answers) = real::answers(version, &settings, &cases()) else {
        return;
    };
    if env::var_os("UPDATE_EXPECT").is_none() {
        compare(&recorded(version), &answers);
        return;
    }
    let mut text = String::new();
    for (name, answer) in answers {
        let outcome = if answer.is_accepted {
            "accepted"
        } else {
            "refused"
        };
        text += &format!("== {name}\n{outcome}\n");
        for export in answer.exports {
            text += &format!("{}\n", notation::written(&export));
        }
    }
    let path = format!("{FOLDER}expect-{}.txt", version.series());
    #[allow(clippy::disallowed_methods, reason = "a file of test data")]
    fs::write(path, text).unwrap();
}

#[test]
fn edge_cases_are_as_a_real_2_3_answers() {
    check_recorded(Version::V2_3);
}

#[test]
fn edge_cases_are_as_a_real_2_4_answers() {
    check_recorded(Version::V2_4);
}
