//! Settings that only fantail knows, from the file to the scrape.

use std::{collections::BTreeSet, fs::File, io::Write, path::Path};

use fantail::config::internal::EXTENSIONS;
use serde_json::Value;

use super::program::{contents, fantail, repository};

const CONFIG: &str = "\
metric commands {\n  filter = event=imap_command_finished\n  \
group_by = tagged_reply_state\n  declare = tagged_reply_state:OK,NO,BAD,NEVER\n}\n\
metric users {\n  filter = event=imap_command_finished\n  group_by = user\n}\n\
fantail {\n  series_per_metric = 20\n  exemplars = session\n}\n";

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("fantail.conf");
    File::create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .unwrap();
    path.to_str().unwrap().to_owned()
}

/// What a replay of a recording exposes in a format.
fn replayed(config: &str, format: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), config);
    let capture = "testdata/captures/dovecot-2.3.19.tsv";
    let arguments = ["replay", "--config", &config, format, "-", capture];
    String::from_utf8(fantail(&arguments, b"").succeeded()).unwrap()
}

#[test]
fn scraped() {
    let text = replayed(CONFIG, "--openmetrics");
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert_eq!(
        line("dovecot_commands_total{tagged_reply_state=\"NEVER\"}"),
        "dovecot_commands_total{tagged_reply_state=\"NEVER\"} 0"
    );
    let ok = line("dovecot_commands_total{tagged_reply_state=\"OK\"}");
    assert!(ok.contains(" # {session=\""), "{ok}");
    assert_eq!(
        line("fantail_overflowed_updates_total{metric=\"commands\"}"),
        "fantail_overflowed_updates_total{metric=\"commands\"} 0"
    );
    let text = replayed(CONFIG, "--prometheus");
    assert!(text.contains("{tagged_reply_state=\"NEVER\"} 0\n"));
    assert!(!text.contains(" # {"));
}

#[test]
fn limited() {
    let text = replayed(&CONFIG.replace("= 20", "= 7"), "--prometheus");
    let users = text
        .lines()
        .filter(|line| line.starts_with("dovecot_users_total{"));
    assert!(users.count() <= 6);
    let other = "dovecot_users_total{user=\"other\"} ";
    let line = text.lines().find(|line| line.starts_with(other)).unwrap();
    let counted = line.strip_prefix(other).unwrap();
    let told = format!("fantail_overflowed_updates_total{{metric=\"users\"}} {counted}\n");
    assert!(text.contains(&told), "{line}");
}

/// What `fantail config` prints can be read again.
#[test]
fn printed() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), CONFIG);
    let printed = fantail(&["config", &config], b"").succeeded();
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.contains("  declare = tagged_reply_state:OK,NO,BAD,NEVER\n"));
    assert!(printed.ends_with("\nfantail {\n  series_per_metric = 20\n  exemplars = session\n}\n"));
    let again = write(folder.path(), &printed);
    let twice = fantail(&["config", &again], b"").succeeded();
    assert_eq!(printed.as_bytes(), twice);
    let json = fantail(&["config", &again, "--as", "json"], b"").succeeded();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let expected = serde_json::json!({
        "series_per_metric": 20,
        "series_total": 1_000_000,
        "idle_series_ms": null,
        "exemplars": "session",
    });
    assert_eq!(json["fantail"], expected);
    let declared = serde_json::json!([
        { "field": "tagged_reply_state", "values": ["OK", "NO", "BAD", "NEVER"] },
    ]);
    assert_eq!(json["metrics"][0]["declare"], declared);
}

/// Two exporters, a hidden metric and a limit of its own.
const ROUTED: &str = "\
event_exporter audit {\n  format = ndjson\n  format_args = time-unix\n  transport = drop\n}\n\
event_exporter loki {\n  format = logfmt\n  format_args = time-unix\n  transport = drop\n}\n\
metric commands {\n  filter = event=imap_command_finished\n}\n\
metric users {\n  filter = event=imap_command_finished\n  group_by = user\n  \
exporter = audit loki\n  expose = no\n  series_limit = 4\n}\n";

#[test]
fn routes_are_printed_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), ROUTED);
    let printed = String::from_utf8(fantail(&["config", &config], b"").succeeded()).unwrap();
    let lines = "  exporter = audit loki\n  expose = no\n  series_limit = 4\n}\n";
    assert!(printed.contains(lines), "{printed}");
    let again = write(folder.path(), &printed);
    let json = fantail(&["config", &again, "--as", "json"], b"").succeeded();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let routes = json["metrics"].as_array().unwrap().iter().map(|metric| {
        let keys = ["exporter", "exporters", "expose", "series_limit"];
        Value::Array(keys.map(|key| metric[key].clone()).into())
    });
    let expected = serde_json::json!([
        [null, [], true, null],
        ["audit loki", ["audit", "loki"], false, 4],
    ]);
    assert_eq!(Value::Array(routes.collect()), expected);
}

#[test]
fn a_hidden_metric_is_only_in_dumps() {
    let scrapes = ["--openmetrics", "--prometheus"].map(|format| replayed(ROUTED, format));
    for text in scrapes {
        assert!(text.contains("\ndovecot_commands_total "), "{text}");
        assert!(!text.contains("dovecot_users"), "{text}");
    }
    // The metric, `other` and the series of events without a user count, too.
    let dump = replayed(ROUTED, "--dump");
    let users = dump.lines().filter(|line| line.starts_with("users_"));
    let users: Vec<&str> = users.filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(
        (users.len(), users.last()),
        (2, Some(&"users_other")),
        "{dump}"
    );
}

/// More is declared than there is room for.
#[test]
fn no_room() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), &CONFIG.replace("= 20", "= 5"));
    let run = fantail(&["replay", "--config", &config, "/dev/null"], b"");
    assert_eq!(run.status, Some(1));
    assert!(run.err.starts_with("error: "), "{}", run.err);
    assert!(run.err.contains("commands"), "{}", run.err);
}

/// The example of the documentation is as good as it says.
#[test]
fn documented() {
    let path = repository().join("docs/settings.md");
    let page = String::from_utf8(contents(path)).unwrap();
    let example = page.split("```").nth(1).unwrap();
    let example = example.replace("!include /etc/dovecot/dovecot.conf", "");
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), &example);
    let run = fantail(&["check", &config, "--deny", "warning"], b"");
    assert_eq!(run.status, Some(0), "{}", String::from_utf8_lossy(&run.out));
}

/// What `fantail config --as json` says of the exporters of a configuration.
fn exporters(config: &str, dialect: &str) -> Vec<Value> {
    let arguments = ["config", "--as", "json", "--dialect", dialect, config];
    let json = fantail(&arguments, b"").succeeded();
    let mut json: Value = serde_json::from_slice(&json).unwrap();
    serde_json::from_value(json["exporters"].take()).unwrap()
}

/// An exporter for each target, with no more settings than it needs.
fn bare() -> Vec<Value> {
    let targets = [
        ("log", ""),
        ("http-post", "transport_args = http://localhost"),
        (
            "file",
            "file_path = /var/log/events\n  delivery = spool\n  spool_path = /var/spool/one",
        ),
        ("unix", "unix_path = /run/events"),
        ("syslog", ""),
        ("journal", ""),
        ("nats", "nats_url = nats://localhost"),
    ];
    let blocks = targets.map(|(target, needed)| {
        let head = format!("event_exporter {target} {{\n  transport = {target}\n");
        format!("{head}  format = ndjson\n  format_args = time-unix\n  {needed}\n}}\n")
    });
    let folder = tempfile::tempdir().unwrap();
    exporters(&write(folder.path(), &blocks.concat()), "2.3")
}

/// The names of an exporter's settings that are not at their defaults.
fn changed(exporter: &Value) -> Vec<String> {
    serde_json::from_value(exporter["changed"].clone()).unwrap()
}

/// Every setting of exporters that only fantail has is in the JSON: as it was
/// written, and where it was not, with its default.
#[test]
fn every_setting_is_in_the_json() {
    let all: BTreeSet<String> = EXTENSIONS.iter().map(|name| (*name).to_owned()).collect();
    for dialect in ["2.3", "2.4"] {
        let config = format!("testdata/config/{dialect}/fantail/targets.conf");
        let written = exporters(&config, dialect);
        for exporter in &written {
            let settings = exporter["settings"].as_object().unwrap();
            let mut changed = changed(exporter).into_iter();
            assert!(changed.all(|name| settings.contains_key(&name)));
        }
        let written: BTreeSet<String> = written.iter().flat_map(changed).collect();
        assert_eq!(written, all, "{dialect}");
    }
    let bare = bare();
    let settings = bare
        .iter()
        .flat_map(|one| one["settings"].as_object().unwrap());
    let settings: BTreeSet<String> = settings.map(|(name, _)| name.clone()).collect();
    assert_eq!(settings, all);
    // What these targets need, and what makes its part show.
    let changed: BTreeSet<String> = bare.iter().flat_map(changed).collect();
    assert_eq!(
        Vec::from_iter(&changed),
        ["delivery", "nats_url", "spool_path"]
    );
}

/// The defaults that the JSON tells are those that the documentation tells.
#[test]
fn defaults_are_the_documented_ones() {
    let page = contents(repository().join("docs/exporters.md"));
    let page = String::from_utf8(page).unwrap();
    let documented = |name: &str| {
        let start = format!("| `{name}` |");
        let row = page.lines().find(|line| line.starts_with(&start));
        let cell = row.unwrap().split(" | ").nth(1).unwrap().to_owned();
        let quoted = cell.strip_prefix('`').and_then(|cell| cell.split_once('`'));
        quoted.map_or(cell.clone(), |(value, _)| value.to_owned())
    };
    for exporter in bare() {
        let changed = changed(&exporter);
        let settings = exporter["settings"].as_object().unwrap();
        for (name, value) in settings.iter().filter(|(name, _)| !changed.contains(name)) {
            let documented = documented(name);
            let same = match (documented.as_str(), value) {
                (
                    "all" | "none" | "never" | "for ever" | "–" | "the system's" | "the server's"
                    | "those of a second",
                    Value::Null,
                ) => true,
                ("8k", Value::Null) => exporter["name"] != "syslog",
                ("yes", value) => *value == true,
                ("no", value) => *value == false,
                (text, Value::String(word)) => text == word,
                (text, value) => Some(in_units(text)) == value.as_u64(),
            };
            assert!(same, "{name}: {documented} and {value}");
        }
    }
}

/// A number of bytes or milliseconds, as the table of settings writes it.
fn in_units(text: &str) -> u64 {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let number: u64 = digits.parse().unwrap();
    number
        * match text[digits.len()..].trim() {
            "" | "ms" => 1,
            "k" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            "secs" => 1000,
            "mins" => 60_000,
            other => panic!("{other} in {text}"),
        }
}

/// The example of the documentation.
#[test]
fn documented_json() {
    let page = contents(repository().join("docs/settings.md"));
    let page = String::from_utf8(page).unwrap();
    let examples: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    let at = examples.iter().position(|one| one.starts_with("json\n"));
    let at = at.unwrap();
    let (config, json) = (
        examples[at - 1],
        examples[at].strip_prefix("json\n").unwrap(),
    );
    let folder = tempfile::tempdir().unwrap();
    let told = exporters(&write(folder.path(), config), "2.3");
    let told = told.iter().map(|one| format!("{one:#}\n"));
    assert_eq!(told.collect::<Vec<_>>(), [json]);
}
