//! `group_by = user:top`, from the file to the dump, the scrape and the JSON.

use std::{fs::File, io::Write, path::Path};

use serde_json::Value;

use super::program::{contents, fantail, repository};

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("fantail.conf");
    File::create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns what the replay of a recording prints with this argument.
fn replayed(config: &str, output: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), config);
    let capture = "testdata/captures/dovecot-2.3.19.tsv";
    let arguments = [&["replay", "--config", &config][..], output, &[capture]].concat();
    String::from_utf8(fantail(&arguments, b"").succeeded()).unwrap()
}

/// All users of the recording have a counter: the counts are those of a plain `group_by`.
const CONFIG: &str = "\
metric users {\n  filter = event=imap_command_finished\n  fields = bytes_out\n  \
group_by = user\n}\n\
metric top {\n  filter = event=imap_command_finished\n  group_by = user:top:1000\n}\n\
metric bytes {\n  filter = event=imap_command_finished\n  \
group_by = user:top:1000:weight=bytes_out\n}\n";

#[test]
fn counts_are_those_of_a_plain_group_by() {
    let dump = replayed(CONFIG, &["--dump", "-", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&dump).unwrap();
    let row = |metric: &str, field: &str, column: &str| {
        let mut rows = rows.iter();
        let row = rows.find(|row| row["metric_name"] == metric && row["field"] == field);
        row.unwrap_or_else(|| panic!("{metric} {field}"))[column].clone()
    };
    let tops: Vec<&Value> = rows
        .iter()
        .filter(|row| row["metric_name"] == "top")
        .collect();
    // The metric itself is the first.
    assert!(tops.len() > 10, "{}", tops.len());
    for top in &tops[1..] {
        let user = top["field"]
            .as_str()
            .unwrap()
            .strip_prefix("user=")
            .unwrap();
        let plain = format!("users_{user}");
        for column in ["count", "sum", "min", "max"] {
            assert_eq!(top[column], row(&plain, "duration", "count"), "{user}");
        }
    }
    let bytes = rows.iter().filter(|row| row["metric_name"] == "bytes");
    let bytes: Vec<&Value> = bytes.collect();
    assert!(bytes.len() > 10, "{}", bytes.len());
    for one in &bytes[1..] {
        let user = one["field"]
            .as_str()
            .unwrap()
            .strip_prefix("user=")
            .unwrap();
        let sum = row(&format!("users_{user}"), "bytes_out", "sum");
        assert_eq!((&one["sum"], &one["max"]), (&sum, &sum), "{user}");
        assert_eq!(one["count"], "", "{user}");
    }
    let scrape = replayed(CONFIG, &["--openmetrics", "-"]);
    let shown = |line: &&str| line.starts_with("dovecot_top_top{user=");
    assert_eq!(scrape.lines().filter(shown).count(), tops.len() - 1);
    assert!(scrape.contains("\ndovecot_top_top_others 0\n"));
}

#[test]
fn printed_and_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), CONFIG);
    let printed = fantail(&["config", &config], b"").succeeded();
    let text = String::from_utf8(printed.clone()).unwrap();
    assert!(
        text.contains("  group_by = user:top:1000:weight=bytes_out\n"),
        "{text}"
    );
    let again = write(folder.path(), &text);
    assert_eq!(fantail(&["config", &again], b"").succeeded(), printed);
    let json = fantail(&["config", &again, "--as", "json"], b"").succeeded();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let expected = serde_json::json!([{
        "field": "user",
        "method": "top",
        "shown": 1_000,
        "counters": 8_192,
        "weight": "bytes_out",
        "modifiers": [],
    }]);
    assert_eq!(json["metrics"][2]["group_by"], expected);
}

#[test]
fn documented_examples_are_valid() {
    let page = contents(repository().join("docs/settings.md"));
    let page = String::from_utf8(page).unwrap();
    let section = page.split("## Heavy hitters\n").nth(1).unwrap();
    let examples: Vec<&str> = section.split("```").collect();
    let folder = tempfile::tempdir().unwrap();
    let old = examples[1].to_owned();
    let new = format!("dovecot_config_version = 2.4.0\n{}", examples[3]);
    for (dialect, text) in [("2.3", old), ("2.4", new)] {
        let config = write(folder.path(), &text);
        let run = fantail(
            &["check", &config, "--dialect", dialect, "--deny", "warning"],
            b"",
        );
        assert_eq!(run.status, Some(0), "{}", String::from_utf8_lossy(&run.out));
    }
}

/// A misspelt field is found there, too.
#[test]
fn fields_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let text = CONFIG.replace("user:top:1000\n", "usr:top\n");
    let config = write(folder.path(), &text);
    let run = fantail(&["check", &config, "--dialect", "2.3"], b"");
    let out = String::from_utf8_lossy(&run.out);
    assert!(
        out.contains("lint/unknown-field") && out.contains("usr"),
        "{out}"
    );
}
