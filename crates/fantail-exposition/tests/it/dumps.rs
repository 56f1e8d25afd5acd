//! Dumps equal those of real Dovecots.

use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_exposition::dump::{self, Column};

use crate::{
    lines::{assert_same_lines, lines},
    replay::Player,
};

/// The columns in the `.answer` files.
const ASKED: &str =
    "count sum min max avg median variance %95 bogus %50.5 %0 %100 %-1 %101 %abc % stddev";

/// Dovecot adds variances in floating point, so the last digits of long ones
/// are not exact.
fn without_long_numbers(line: &str) -> String {
    let cells = line.split("\\t").map(|cell| match cell.split_once('.') {
        Some((digits, _)) if digits.len() > 13 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{}…{}", &digits[..12], digits.len())
        }
        _ => cell.to_owned(),
    });
    cells.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(dialect: Dialect, config: &str, events: &str, table: &[u8], answer: &[u8]) {
    let mut player = Player::new(config, dialect);
    player.play_events(events);
    let snapshot = player.registry.snapshot();

    let mut got = Vec::new();
    dump::write_table(&snapshot, &dump::default_columns(), &mut got);
    assert_same_lines("", &lines(&got), &lines(table));

    let columns: Vec<Column> = ASKED
        .split(' ')
        .map(|c| Column::parse(c.as_bytes()))
        .collect();
    got.clear();
    dump::write_answer(&snapshot, &columns, &mut got);
    let without = |bytes: &[u8]| {
        lines(bytes)
            .iter()
            .map(|line| without_long_numbers(line))
            .collect::<Vec<_>>()
    };
    assert_same_lines("", &without(&got), &without(answer));
}

macro_rules! peer_tests {
    ($($test:ident $name:literal $version:ident $config:literal $real:literal;)*) => {$(
        #[test]
        fn $test() {
            check(
                $version,
                include_str!(concat!("../../testdata/", $name, "-", $config, ".conf")),
                include_str!(concat!("../../testdata/", $name, ".events")),
                include_bytes!(concat!("../../testdata/", $name, "-", $real, ".dump")),
                include_bytes!(concat!("../../testdata/", $name, "-", $real, ".answer")),
            );
        }
    )*};
}

peer_tests! {
    values_2_3 "values" V2_3 "2.3" "2.3.19";
    values_2_4 "values" V2_4 "2.4" "2.4.1";
    paths_2_3 "paths" V2_3 "2.3" "2.3.19";
    paths_2_4 "paths" V2_4 "2.4" "2.4.1";
    kinds_2_3 "kinds" V2_3 "2.3" "2.3.19";
    kinds_2_4 "kinds" V2_4 "2.4" "2.4.1";
    buckets_2_3 "buckets" V2_3 "2.3" "2.3.19";
    buckets_2_4 "buckets" V2_4 "2.4" "2.4.1";
}

/// `2.4.1-wide/dovecot.conf` with the `group_by` of 2.3.
const WIDE_2_4: &str = include_str!("../../testdata/wide-2.4.conf");

/// Compares all cells except estimates of values that Dovecot samples; those
/// are printed.
#[track_caller]
fn check_recording(dialect: Dialect, config: &str, capture: &[u8], table: &[u8]) {
    let mut player = Player::new(config, dialect);
    player.play_capture(capture);
    let mut got = Vec::new();
    let columns = dump::default_columns();
    dump::write_table(&player.registry.snapshot(), &columns, &mut got);

    let comparable = |bytes: &[u8]| -> Vec<String> {
        let without_estimates = |line: String| {
            let cells: Vec<&str> = line.split("\\t").collect();
            match cells[2].parse::<u64>() {
                // The columns name, field, count, sum, min, max, avg.
                Ok(count) if count > 480 => cells[..7].join(" "),
                _ => line,
            }
        };
        lines(bytes).into_iter().map(without_estimates).collect()
    };
    assert_same_lines("", &comparable(&got), &comparable(table));
    assert!(got.len() > 500);
}

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/captures/", $name))
    };
}

#[test]
fn recording_seed_2_3() {
    check_recording(
        V2_3,
        str::from_utf8(recording!("2.3.19-seed/dovecot.conf")).unwrap(),
        recording!("dovecot-2.3.19.tsv"),
        recording!("2.3.19-seed/dump.txt"),
    );
}

#[test]
fn recording_wide_2_3() {
    check_recording(
        V2_3,
        str::from_utf8(recording!("2.3.19-wide/dovecot.conf")).unwrap(),
        recording!("dovecot-2.3.19.tsv"),
        recording!("2.3.19-wide/dump.txt"),
    );
}

#[test]
fn recording_wide_2_4() {
    check_recording(
        V2_4,
        WIDE_2_4,
        recording!("dovecot-2.4.1.tsv"),
        recording!("2.4.1-wide/dump.txt"),
    );
}

/// A filter `status_code=5*` compares the decimal digits of integers.
#[test]
fn wildcards_match_integers() {
    let config = "metric m {\n  filter = event=e AND status_code=5*\n  group_by = status_code\n}\n";
    let mut player = Player::new(config, V2_4);
    let event = |code: i64| format!("EVENT\\t0\\t0\\t1\\t5\\t0\\tne\\tIstatus_code\\t{code}\n");
    player.play_events(&[5, 50, 404, 503, -5].map(event).concat());
    let mut answer = Vec::new();
    dump::write_answer(&player.registry.snapshot(), &[Column::Count], &mut answer);
    assert_eq!(answer, b"m\t3\nm_5\t1\nm_50\t1\nm_503\t1\n\n");
}
