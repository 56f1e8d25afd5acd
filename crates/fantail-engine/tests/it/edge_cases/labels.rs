//! Labels of sub-metrics, as dumps show them.

use std::{env, fmt::Write as _, fs};

use fantail_engine::Engine;
use fantail_event::Dialect;
use fantail_exposition::dump;
use fantail_testkit::dovecot::Version;
use fantail_wire::Intake;

use super::{FOLDER, HANDSHAKE, answer, notation, real, settings_of, text};

/// The values that make labels.
fn values() -> Vec<Vec<u8>> {
    let text = text("labels.txt");
    text.lines().map(notation::bytes).collect()
}

/// A metric for each value.
fn settings(version: Version, count: usize) -> String {
    let group_by = match version {
        Version::V2_3 => "group_by = x",
        Version::V2_4 => "group_by x {\n  }",
    };
    let metrics = (0..count).map(|number| {
        format!("metric l{number} {{\n  filter = event=l{number}\n  {group_by}\n}}\n")
    });
    metrics.collect()
}

/// An event with each value.
fn events(values: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = HANDSHAKE.to_vec();
    for (number, value) in values.iter().enumerate() {
        bytes.extend(format!("EVENT\t0\t0\t1\t1\t0\tnl{number}\tSx\t").bytes());
        bytes.extend_from_slice(value);
        bytes.push(b'\n');
    }
    bytes
}

/// The labels in a dump, in the order of the values; nothing without a label.
fn labels(dump: &[u8], count: usize) -> Vec<String> {
    let label_of = |number| {
        let start = format!("l{number}_");
        let mut rows = dump.split(|byte| *byte == b'\n');
        let row = rows.find_map(|row| row.strip_prefix(start.as_bytes()));
        let label = row.and_then(|row| row.split(|byte| *byte == b'\t').next());
        label.map_or_else(String::new, notation::written)
    };
    (0..count).map(label_of).collect()
}

fn check_ours(version: Version) {
    let values = values();
    let dialect = Dialect::from_version(version.series()).unwrap();
    let settings = settings_of(&settings(version, values.len()), dialect);
    let mut engine = Engine::new(&settings).unwrap();
    answer(&events(&values), dialect, &mut engine, &mut Intake::new());
    let mut table = Vec::new();
    dump::write_table(&engine.snapshot(), &dump::default_columns(), &mut table);
    compare(version, &labels(&table, values.len()));
}

fn check_real(version: Version) {
    let values = values();
    let settings = settings(version, values.len());
    let Some(dump) = real::dump(version, &settings, &events(&values)) else {
        return;
    };
    let labels = labels(&dump, values.len());
    if env::var_os("UPDATE_EXPECT").is_none() {
        compare(version, &labels);
        return;
    }
    let mut text = String::new();
    for label in labels {
        writeln!(text, "{label}").unwrap();
    }
    let path = format!("{FOLDER}labels-{}.txt", version.series());
    #[allow(clippy::disallowed_methods, reason = "a file of test data")]
    fs::write(path, text).unwrap();
}

#[track_caller]
fn compare(version: Version, found: &[String]) {
    let recorded = text(&format!("labels-{}.txt", version.series()));
    let recorded: Vec<&str> = recorded.lines().collect();
    for (value, (found, expected)) in values().iter().zip(found.iter().zip(&recorded)) {
        assert_eq!(found, expected, "{}", notation::written(value));
    }
    assert_eq!(found.len(), recorded.len());
}

#[test]
fn labels_are_cut_as_by_dovecot_2_3() {
    check_ours(Version::V2_3);
}

#[test]
fn labels_are_cut_as_by_dovecot_2_4() {
    check_ours(Version::V2_4);
}

#[test]
fn labels_are_as_a_real_2_3_cuts_them() {
    check_real(Version::V2_3);
}

#[test]
fn labels_are_as_a_real_2_4_cuts_them() {
    check_real(Version::V2_4);
}
