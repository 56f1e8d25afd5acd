//! `fantail convert` and `fantail config`: what they write is read again, by
//! the installed Dovecots too, and means the same.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use super::program::{fantail, repository};

/// The configurations of the test data that have no errors, each with its
/// version.
fn good() -> Vec<(PathBuf, &'static str)> {
    let folder = repository().join("testdata/config");
    let mut found = Vec::new();
    for (name, version) in [("2.3/good", "2.3"), ("2.4/good", "2.4"), ("golden", "")] {
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let is_2_4 = path.display().to_string().contains("2.4.1");
            let version = match version {
                "" if is_2_4 => "2.4",
                "" => "2.3",
                version => version,
            };
            if path
                .extension()
                .is_some_and(|extension| extension == "conf")
            {
                found.push((path, version));
            }
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// Converts a file; also says whether everything was carried over.
fn convert(path: &Path, from: &str, to: &str) -> (Vec<u8>, bool) {
    let path = path.to_str().unwrap();
    let run = fantail(&["convert", "--dialect", from, "--to", to, path], b"");
    let lost = run.err.contains("lint/not-carried-over");
    assert_eq!(run.status, Some(i32::from(lost)), "{path}: {}", run.err);
    (run.out, !lost)
}

fn file(folder: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text).unwrap();
    path
}

/// Whether the installed Dovecot takes a file; `None` if there is none of this
/// version.
fn dovecot_takes(path: &Path, version: &str) -> Option<bool> {
    let root = std::env::var_os("DOVECOT_2_4_ROOT").map(PathBuf::from);
    if version == "2.3" {
        return takes(Command::new("doveconf"), path, version);
    }
    let root = root?;
    // Removed at the end.
    let copy = tempfile::Builder::new()
        .prefix("fantail-convert-")
        .tempfile_in(root.join("tmp"))
        .unwrap();
    std::fs::copy(path, copy.path()).unwrap();
    let inside = copy.path().strip_prefix(&root).unwrap();
    let mut command = Command::new("chroot");
    command.arg(&root).arg("doveconf");
    takes(command, &Path::new("/").join(inside), version)
}

fn takes(mut command: Command, path: &Path, version: &str) -> Option<bool> {
    let output = command.args(["-x", "-n", "-c"]).arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_right = text.starts_with(&format!("# {version}."));
    (is_right || !output.status.success()).then(|| output.status.success())
}

#[test]
fn whole_folders() {
    let folder = tempfile::tempdir().unwrap();
    for (path, from) in good() {
        let to = if from == "2.3" { "2.4" } else { "2.3" };
        let (text, _) = convert(&path, from, to);
        let converted = file(folder.path(), "converted.conf", &text);
        let run = fantail(&["config", converted.to_str().unwrap()], b"");
        assert_eq!(
            (run.status, run.err.as_str()),
            (Some(0), ""),
            "{}",
            path.display()
        );
        if text.windows(6).any(|word| word == b"filter")
            && let Some(taken) = dovecot_takes(&converted, to)
        {
            assert!(
                taken,
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&text)
            );
        }
    }
}

/// The same numbers come out after the way there and back.
#[test]
fn there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, version, other) in [("2.3.19", "2.3", "2.4"), ("2.4.1", "2.4", "2.3")] {
        let config = repository().join(format!("testdata/captures/{name}-wide/dovecot.conf"));
        let (text, whole) = convert(&config, version, other);
        // 2.4 has networks and modifiers, which 2.3 lacks.
        assert_eq!(whole, version == "2.3");
        let there = file(folder.path(), "there.conf", &text);
        let (text, _) = convert(&there, other, version);
        let back = file(folder.path(), "back.conf", &text);
        let dump = |config: &Path| -> Vec<String> {
            let capture = format!("testdata/captures/dovecot-{name}.tsv");
            let config = config.to_str().unwrap();
            let arguments = [
                "replay",
                "--config",
                config,
                "--dialect",
                version,
                "--exports",
                "/dev/null",
                "--dump",
                "-",
                &capture,
            ];
            let out = String::from_utf8(fantail(&arguments, b"").succeeded()).unwrap();
            let lines = out.lines().map(str::to_owned);
            let lost = ["domains", "local"];
            lines
                .filter(|line| !lost.iter().any(|metric| line.starts_with(metric)))
                .collect()
        };
        let (before, after) = (dump(&config), dump(&back));
        assert!(before.len() > 100, "{}", before.len());
        assert_eq!(before, after);
    }
}

#[track_caller]
fn check(from: &str, to: &str, text: &str, expected: &str, losses: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "x.conf", text.as_bytes());
    let arguments = [
        "convert",
        "--part",
        "--dialect",
        from,
        "--to",
        to,
        path.to_str().unwrap(),
    ];
    let run = fantail(&arguments, b"");
    assert_eq!(String::from_utf8(run.out).unwrap(), expected, "{}", run.err);
    let lines = run.err.lines();
    let told: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("warning[lint/not-carried-over]: "))
        .collect();
    assert_eq!(told, losses);
}

#[test]
fn comments_are_kept() {
    check(
        "2.3",
        "2.4",
        "# not of the metric\n\n# two\n# lines\nmetric a { # behind\n  # inside\n  filter = event=x # behind a setting\n}\n# after\n",
        "# two\n# lines\nmetric a { # behind\n  # inside\n  filter = event=x # behind a setting\n}\n",
        &[],
    );
}

/// Whole files with comments everywhere, as they are converted; both Dovecots
/// read what comes out.
#[test]
fn comments_in_their_places() {
    let folder = repository().join("testdata/convert");
    for (name, from, to) in [
        ("commented-2.3", "2.3", "2.4"),
        ("commented-2.4", "2.4", "2.3"),
    ] {
        let input = folder.join(format!("{name}.conf"));
        let (text, _) = convert(&input, from, to);
        let expected = folder.join(format!("{name}.converted"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            file(&folder, &format!("{name}.converted"), &text);
        }
        let text = String::from_utf8(text).unwrap();
        let golden = String::from_utf8(super::program::contents(&expected)).unwrap();
        assert_eq!(text, golden, "{name}");
        let comments = |text: &str| {
            let lines = text
                .lines()
                .filter_map(|line| Some(line.split_once('#')?.1.to_owned()));
            let mut comments: Vec<String> = lines.collect();
            comments.sort();
            comments
        };
        let before = String::from_utf8(super::program::contents(&input)).unwrap();
        let mut kept = comments(&before);
        kept.retain(|comment| !comment.contains("not of a block"));
        assert_eq!(comments(&text), kept, "{name}");
        assert_ne!(dovecot_takes(&expected, to), Some(false), "{name}");
    }
}

/// Filters keep the lines that they have, also where a field or value changes.
#[test]
fn line_breaks_of_filters_are_kept() {
    let filter = |rest: &str| {
        format!("metric a {{\n  filter = event=imap_command_finished AND \\\n{rest}\n}}\n")
    };
    let before = filter(
        "           bytes_in > 5 AND \\\n\t( cmd_name = SELECT OR \\\r\n  cmd_name = \"A \\\n    B\" )",
    );
    let after = filter(
        "           net_in_bytes > 5 AND \\\n\t( cmd_name = SELECT OR \\\n  cmd_name = \"A \\\n    B\" )",
    );
    check("2.3", "2.4", &before, &after, &[]);
}

/// The release that `dovecot_config_version` names, and what is said of it.
#[test]
fn a_converted_configuration_says_for_which_release_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"metric a {\n  filter = event=imap_command_finished\n}\n";
    let path = file(folder.path(), "x.conf", text);
    let convert = |arguments: &[&str]| {
        let all = [&["convert"], arguments, &[path.to_str().unwrap()]].concat();
        let run = fantail(&all, b"");
        assert_eq!(run.status, Some(0), "{}", run.err);
        (String::from_utf8(run.out).unwrap(), run.err)
    };
    let (text, said) = convert(&["--to", "2.4"]);
    assert!(text.starts_with("dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"));
    assert!(
        said.starts_with("note: written with dovecot_config_version = 2.4.0"),
        "{said}"
    );
    let (text, said) = convert(&["--to", "2.4.1-4+deb13u2"]);
    assert!(text.starts_with("dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n"));
    assert_eq!(said, "");
    let converted = file(folder.path(), "of-2.4.1.conf", text.as_bytes());
    assert_ne!(dovecot_takes(&converted, "2.4"), Some(false));
    let again = fantail(
        &["convert", "--to", "2.4", converted.to_str().unwrap()],
        b"",
    );
    assert_eq!(String::from_utf8(again.succeeded()).unwrap(), text);
    let (text, said) = convert(&["--to", "2.4", "--part"]);
    assert!(text.starts_with("metric a {"), "{text}");
    assert_eq!(said, "");
    let wrong = fantail(&["convert", "--to", "2.5.0", path.to_str().unwrap()], b"");
    assert_eq!(wrong.status, Some(2));
}

#[track_caller]
fn filter(from: &str, to: &str, text: &str, expected: &str, losses: &[&str]) {
    let text = format!("metric a {{\n  filter = {text}\n}}\n");
    let expected = format!("metric a {{\n  filter = {expected}\n}}\n");
    check(from, to, &text, &expected, losses);
}

#[test]
fn filters() {
    let imap = "event=imap_command_finished AND";
    filter(
        "2.3",
        "2.4",
        &format!("{imap} bytes_in > 5"),
        &format!("{imap} net_in_bytes > 5"),
        &[],
    );
    filter(
        "2.4",
        "2.3",
        &format!("{imap} net_in_bytes>=1k"),
        &format!("{imap} bytes_in>=1024"),
        &[],
    );
    filter("2.4", "2.3", "mailbox=a/b", "mailbox=\"a/b\"", &[]);
    filter("2.4", "2.3", "remote_ip=::0001", "remote_ip=\"::1\"", &[]);
    filter(
        "2.4",
        "2.3",
        "remote_ip=10.0.0.0/8",
        "remote_ip=\"10.0.0.0/8\"",
        &["Dovecot 2.3 knows no networks: this is compared as text, and never matches"],
    );
    filter("2.3", "2.4", "mailbox=\"a\\b\"", "mailbox=\"a\\\\b\"", &[]);
    filter(
        "2.4",
        "2.3",
        "mailbox=\"a\\*\"",
        "mailbox=\"a*\"",
        &["in Dovecot 2.3, `*` and `?` are always wildcards"],
    );
    filter(
        "2.3",
        "2.4",
        "cmd_name=5k",
        "cmd_name=5k",
        &["Dovecot 2.4 reads `5k` as a number with a unit: texts are compared with that number"],
    );
}

#[test]
fn exporters() {
    check(
        "2.3",
        "2.4",
        "event_exporter e {\n  transport = http-post\n  transport_args = http://h/\n  transport_timeout = 2 secs\n  format = json\n  format_args = time-unix\n}\n",
        "event_exporter e {\n  format = json\n  time_format = unix\n  driver = http-post\n  http_post_url = http://h/\n  http_client_request_absolute_timeout = 2000 ms\n}\n",
        &[],
    );
    check(
        "2.4",
        "2.3",
        "event_exporter e {\n  driver = file\n  file_path = /x\n  format = json\n}\nmetric m {\n  filter = event=x\n  exporter = e\n}\n",
        "metric m {\n  filter = event=x\n}\n",
        &["Dovecot 2.3 has no `file` exporters: this one is left out"],
    );
}

#[test]
fn settings_as_json() {
    let config = "testdata/captures/2.3.19-seed/dovecot.conf";
    let out = fantail(&["config", "--as", "json", config], b"").succeeded();
    let settings: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let exporter = &settings["exporters"][0];
    assert_eq!(exporter["name"], "log_tab");
    assert_eq!(exporter["format"], "tab-text");
    assert_eq!(exporter["time_format"], "rfc3339");
    assert_eq!(
        exporter["transport"],
        serde_json::json!({ "driver": "log" })
    );
    assert_eq!(exporter["changed"], serde_json::json!([]));
    let names: Vec<_> = settings["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["imap/log/select", "log/all", "pop3_disconnects"]);
}
