//! The recordings of real Dovecots, with the configurations whose results the
//! real stats processes gave.

use fantail_event::Dialect;
use fantail_testkit::golden;
use fantail_wire::{Limits, capture::Capture};

use super::{check, settings};

pub(crate) fn test_data(path: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/captures/");
    let read = std::fs::File::open(format!("{folder}{path}")).and_then(|mut file| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).map(|_| bytes)
    });
    read.unwrap()
}

#[track_caller]
fn check_set(set: &str) {
    let (version, _) = set.split_once('-').unwrap();
    let dialect = Dialect::from_version(&set[..3]).unwrap();
    let settings = settings(&test_data(&format!("{set}/dovecot.conf")), dialect);
    let bytes = test_data(&format!("dovecot-{version}.tsv"));
    let capture = Capture::parse(&bytes);
    let connections: Vec<Vec<&[u8]>> = capture
        .connections
        .iter()
        .map(|connection| connection.lines.iter().map(|line| line.line).collect())
        .collect();
    let outcome = check(&settings, &connections, &Limits::default());
    assert!(outcome.lines.iter().all(Result::is_ok));
    // And as the real one has it.
    let real = test_data(&format!("{set}/dump.txt"));
    golden::compare_dumps(&real, outcome.dump.as_bytes()).unwrap();
    let exports = outcome.recorded.exports.iter();
    let exports: Vec<u8> = exports
        .flat_map(|(_, payload)| [payload, &b"\n"[..]].concat())
        .collect();
    let real = test_data(&format!("{set}/export.log"));
    golden::compare_exports(&real, &exports).unwrap();
}

#[test]
fn seed_of_2_3() {
    check_set("2.3.19-seed");
}

#[test]
fn wide_of_2_3() {
    check_set("2.3.19-wide");
}

#[test]
fn wide_of_2_4() {
    check_set("2.4.1-wide");
}
