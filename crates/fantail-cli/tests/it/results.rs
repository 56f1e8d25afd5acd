//! The results of `fantail replay`, read by other programs: dumps in each
//! form, scrapes, and counts that go on from the last run.

use std::{collections::BTreeMap, io::Write as _, path::Path, process::Command};

use fantail_testkit::{Verdict, checked, golden::SAMPLE, program as peer, python, skip};
use serde_json::Value;

use super::program::{contents, fantail, test_data};

const SETS: [&str; 3] = ["2.3.19-seed", "2.3.19-wide", "2.4.1-wide"];

/// Plays a golden set with some more arguments; gives standard output.
fn replay(set: &str, more: &[&str]) -> Vec<u8> {
    let config = format!("testdata/captures/{set}/dovecot.conf");
    let capture = format!(
        "testdata/captures/dovecot-{}.tsv",
        set.split_once('-').unwrap().0
    );
    let first = ["replay", "--dialect", &set[..3], "--config", &config];
    let exports = ["--exports", "/dev/null"];
    let arguments = [&first[..], &exports, more, &[&*capture]].concat();
    fantail(&arguments, b"").succeeded()
}

fn dump(set: &str, form: &str) -> String {
    let out = replay(set, &["--dump", "-", "--dump-format", form]);
    String::from_utf8(out).unwrap()
}

/// What the real one dumped: cells by line, the heading first.
fn real_dump(set: &str) -> Vec<Vec<String>> {
    let dump = String::from_utf8(contents(test_data(&format!("captures/{set}/dump.txt")))).unwrap();
    cells(dump.lines(), "\t")
}

fn cells<'a>(lines: impl Iterator<Item = &'a str>, separator: &str) -> Vec<Vec<String>> {
    let split = |line: &str| line.split(separator).map(str::to_owned).collect();
    lines.map(split).collect()
}

/// Cells in any form are those of the real dump, but for estimates there.
#[track_caller]
fn check_cells(form: &str, got: &[Vec<String>], real: &[Vec<String>]) {
    assert_eq!(got.len(), real.len(), "{form}");
    for (got, real) in got.iter().zip(real) {
        let sampled = real[2].parse::<u64>().is_ok_and(|count| count > SAMPLE);
        // Name, field, count, sum, min, max, avg.
        let exact = if sampled { 7 } else { real.len() };
        assert_eq!(got[..exact], real[..exact], "{form}");
        assert_eq!(got.len(), real.len(), "{form}");
    }
}

#[test]
fn dumps_as_json() {
    for set in SETS {
        let json: Value = serde_json::from_str(&dump(set, "json")).unwrap();
        let rows = json.as_array().unwrap();
        let heading: Vec<String> = rows[0].as_object().unwrap().keys().cloned().collect();
        let cell = |value: &Value| match value {
            Value::String(text) => text.clone(),
            number => {
                assert!(number.is_number(), "{number}");
                number.to_string()
            }
        };
        let row = |row: &Value| row.as_object().unwrap().values().map(cell).collect();
        let got: Vec<Vec<String>> = std::iter::once(heading)
            .chain(rows.iter().map(row))
            .collect();
        // 265.00 is 265.0 in JSON.
        let plain = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
            let plain = |cell: String| match cell.split_once('.') {
                Some((_, decimals)) if decimals.bytes().all(|b| b.is_ascii_digit()) => {
                    cell.trim_end_matches('0').trim_end_matches('.').to_owned()
                }
                _ => cell,
            };
            let row = |row: Vec<String>| row.into_iter().map(plain).collect();
            rows.into_iter().map(row).collect()
        };
        check_cells("json", &plain(got), &plain(real_dump(set)));
    }
}

#[test]
fn dumps_as_aligned_table() {
    for set in SETS {
        let table = dump(set, "table");
        let real = real_dump(set);
        let got: Vec<Vec<String>> = table
            .lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        check_cells("table", &got, &real);
        // Names begin and numbers end where those above do.
        let ends = |line: &str| -> Vec<usize> {
            let characters: Vec<char> = line.chars().chain([' ']).collect();
            let is_end = |at: &usize| characters[at - 1] != ' ' && characters[*at] == ' ';
            (1..characters.len()).filter(is_end).skip(2).collect()
        };
        let field = |line: &str| line.len() - line.split_once("  ").unwrap().1.trim_start().len();
        let first = table.lines().next().unwrap();
        for line in table.lines() {
            assert_eq!(ends(line), ends(first), "{set}: {line}");
            assert_eq!(field(line), field(first), "{set}: {line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}

/// Fields that parsers stumble over.
const ODD: &str = "1\t1\tVERSION\tstats-client\t4\t0\n\
     1\t2\tEVENT\t0\t0\t1\t5\t5\tl5\t7\tntest\tSa\ta,\"b\" c\n\
     1\t3\tEVENT\t0\t0\t1\t5\t5\tl5\t7\tntest\tSa\tcafé\n";

const ODD_CONFIG: &str = "metric odd {\n  filter = event=test\n  group_by = a\n}\n";

#[test]
fn dumps_as_csv() {
    for set in SETS {
        // Nothing here needs quotes.
        check_cells(
            "csv",
            &cells(dump(set, "csv").lines(), ","),
            &real_dump(set),
        );
    }
    let Some(python) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), "odd.conf", ODD_CONFIG.as_bytes());
    let arguments = [
        "replay",
        "--dialect",
        "2.3",
        "--config",
        &config,
        "--dump",
        "-",
        "--dump-format",
        "csv",
        "--dump-columns",
        "count",
        "-",
    ];
    let csv = fantail(&arguments, ODD.as_bytes()).succeeded();
    let script = "import csv, json, sys; print(json.dumps(list(csv.reader(sys.stdin))))";
    let mut command = Command::new(python);
    command.args(["-c", script]);
    let Verdict { content, said } = checked(&mut command, &csv);
    assert!(content, "{said}");
    let rows: Vec<Vec<String>> = serde_json::from_str(&said).unwrap();
    assert_eq!(
        rows,
        [
            ["metric_name", "field", "count"],
            ["odd", "duration", "2"],
            ["odd_a,\"b\"_c", "duration", "1"],
            ["odd_café", "duration", "1"],
        ]
    );
}

#[test]
fn columns_as_asked_for() {
    let columns = ["--dump", "-", "--dump-columns", "max,%50 count"];
    let out = String::from_utf8(replay(SETS[0], &columns)).unwrap();
    let got = cells(out.lines(), "\t");
    assert_eq!(got[0], ["metric_name", "field", "max", "%50", "count"]);
    let real = real_dump(SETS[0]);
    let picked = |row: &Vec<String>| [&row[0], &row[1], &row[5], &row[2]].map(Clone::clone);
    for (got, real) in got.iter().zip(&real).skip(1) {
        assert_eq!([&got[..3], &got[4..]].concat(), picked(real));
    }
    assert_eq!(got.len(), real.len());
}

fn written(folder: &Path, name: &str, contents: &[u8]) -> String {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(contents).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn promtool_reads_the_scrapes() {
    let Some(promtool) = peer("promtool") else {
        return;
    };
    for set in SETS {
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]);
        let verdict = checked(&mut command, &replay(set, &["--prometheus", "-"]));
        assert!(
            verdict.content && verdict.said.is_empty(),
            "{set}: {verdict:?}"
        );
    }
}

const PARSE: &str = "
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode('utf-8')
families = text_string_to_metric_families(text)
print(json.dumps({family.name: len(family.samples) for family in families}))
";

#[test]
fn the_reference_parser_reads_the_scrapes() {
    let Some(python) = python() else {
        return;
    };
    for set in SETS {
        let text = replay(set, &["--openmetrics", "-"]);
        let mut command = Command::new(&python);
        command.args(["-c", PARSE]);
        let Verdict { content, said } = checked(&mut command, &text);
        if said.contains("No module") {
            skip("Python has no prometheus_client");
            return;
        }
        assert!(content, "{set}: {said}");
        // It found what is there.
        let families: BTreeMap<String, usize> = serde_json::from_str(&said).unwrap();
        let text = String::from_utf8(text).unwrap();
        let is_sample = |line: &&str| !line.starts_with('#');
        assert_eq!(
            families.values().sum::<usize>(),
            text.lines().filter(is_sample).count()
        );
        let heads = text.lines().filter(|line| line.starts_with("# TYPE "));
        assert_eq!(families.len(), heads.count());
    }
}

/// Two runs with a state count what one run counts of both.
#[test]
fn counting_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    for set in SETS {
        let arguments = ["--state", state, "--dump", "-"];
        let once = String::from_utf8(replay(set, &arguments)).unwrap();
        assert_eq!(once, dump(set, "tsv"), "the first run finds nothing");
        let twice = String::from_utf8(replay(set, &arguments)).unwrap();
        let (once, twice) = (cells(once.lines(), "\t"), cells(twice.lines(), "\t"));
        assert_eq!(once.len(), twice.len());
        for (once, twice) in once.iter().zip(&twice).skip(1) {
            assert_eq!(once[..2], twice[..2]);
            // Count and sum are doubled; least, greatest and mean stay.
            for column in [2, 3] {
                let number = |row: &[String]| row[column].parse::<u128>().unwrap();
                assert_eq!(number(once) * 2, number(twice), "{once:?}");
            }
            assert_eq!(once[4..7], twice[4..7]);
        }
        std::fs::remove_file(state).unwrap();
    }
    // Nothing else is left beside it.
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn changed_metrics_and_bad_states() {
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), "odd.conf", ODD_CONFIG.as_bytes());
    let state = folder.path().join("state");
    let state = state.to_str().unwrap().to_owned();
    let run = |config: &str| {
        let arguments = [
            "replay",
            "--dialect",
            "2.3",
            "--config",
            config,
            "--state",
            &state,
            "--dump",
            "-",
            "--dump-columns",
            "count",
            "-",
        ];
        fantail(&arguments, ODD.as_bytes())
    };
    run(&config).succeeded();
    let other = ODD_CONFIG.replace("event=test", "event=test OR event=other");
    let other = written(folder.path(), "other.conf", other.as_bytes());
    let changed = run(&other);
    assert_eq!(changed.status, Some(0));
    assert_eq!(
        changed.err,
        format!("{state}: 1 metrics changed or are gone: their counts are left out\n")
    );
    let counts = String::from_utf8(changed.out).unwrap();
    assert!(counts.contains("odd\tduration\t2\n"), "{counts}");
    // A file that is no state is not overwritten.
    let bytes = contents(&state);
    for (bad, message) in [
        (&b"precious"[..], "this is no saved state"),
        (&bytes[..bytes.len() - 1], "the state is cut off"),
    ] {
        written(folder.path(), "state", bad);
        let refused = run(&other);
        assert_eq!(refused.status, Some(1));
        assert_eq!(refused.err, format!("error: {state}: {message}\n"));
        assert_eq!(contents(&state), bad);
    }
}
