//! Settings that only fantail knows, from the file to the scrape.

use std::{fs::File, io::Write, path::Path};

use super::program::{fantail, repository};

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
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
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
    let page = String::from_utf8(super::program::contents(path)).unwrap();
    let example = page.split("```").nth(1).unwrap();
    let example = example.replace("!include /etc/dovecot/dovecot.conf", "");
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), &example);
    let run = fantail(&["check", &config, "--deny", "warning"], b"");
    assert_eq!(run.status, Some(0), "{}", String::from_utf8_lossy(&run.out));
}
