//! `fantail check`: forms, exit status, captures.

use super::program::{Run, fantail};

const SLIPS: &str = "testdata/lint/article-with-slips.conf";

fn check(arguments: &[&str], input: &[u8]) -> Run {
    let arguments: Vec<&str> = std::iter::once("check")
        .chain(arguments.iter().copied())
        .collect();
    fantail(&arguments, input)
}

/// Exit status and last line of what is told of a configuration.
#[track_caller]
fn ends(arguments: &[&str], status: i32, line: &str) {
    let run = check(arguments, b"");
    let out = String::from_utf8(run.out).unwrap();
    let last = out.lines().last().unwrap_or_default();
    assert_eq!((run.status, last), (Some(status), line), "{}", run.err);
}

#[test]
fn exit_status() {
    let good = "testdata/captures/2.3.19-seed/dovecot.conf";
    let summary = "3 metrics, 1 exporter, read as Dovecot 2.3: 3 hints";
    ends(&[good], 0, summary);
    ends(&[good, "--deny", "error"], 0, summary);
    ends(&[good, "--deny", "warning"], 0, summary);
    ends(&[good, "--deny", "hint"], 1, summary);
    ends(&[good, "--deny", "lint/hidden-metric"], 1, summary);
    ends(&[good, "--deny", "lint/unknown-event"], 0, summary);
    ends(
        &["testdata/nothing.conf"],
        1,
        "0 metrics, 0 exporters, read as Dovecot 2.3: 1 error",
    );
    for wrong in [&["--deny", "lint/none"][..], &["--format", "xml"]] {
        assert_eq!(check(wrong, b"").status, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_release_is_stated_by_an_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.conf");
    let text = b"metric m {\n  filter = event=proxy_session_started\n}\n";
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, text).unwrap();
    let path = path.to_str().unwrap();
    for (release, read_as, told) in [
        ("2.3.13", "2.3.13", "1 warning"),
        ("2.3.19.1", "2.3.19", "nothing is wrong"),
        ("2.4.1-4+deb13u2", "2.4.1", "nothing is wrong"),
    ] {
        let summary = format!("1 metric, 0 exporters, read as Dovecot {read_as}: {told}");
        ends(&[path, "--dovecot", release], 0, &summary);
    }
    for wrong in [&["--dovecot", "2.5.0"][..], &["--dovecot", "2.3"]] {
        assert_eq!(check(wrong, b"").status, Some(2), "{wrong:?}");
    }
    let both = ["--dovecot", "2.3.19", "--dialect", "2.3"];
    assert_eq!(check(&both, b"").status, Some(2));
}

/// A configuration of 2.4 that states no release is printed with the one stated.
#[test]
fn commands_that_read_a_configuration_take_its_release() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.conf");
    let text = b"metric m {\n  filter = event=imap_command_finished\n}\n";
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, text).unwrap();
    let path = path.to_str().unwrap();
    let run = fantail(&["config", "--dovecot", "2.4.1", path], b"");
    let printed = String::from_utf8(run.succeeded()).unwrap();
    assert!(
        printed.starts_with("dovecot_config_version = 2.4.1\n"),
        "{printed}"
    );
    let capture = "testdata/captures/dovecot-2.4.1.tsv";
    let replay = ["replay", "--config", path, "--dump", "-", capture];
    let dump = fantail(&[&replay[..], &["--dovecot", "2.4.1"]].concat(), b"").succeeded();
    let by_series = fantail(&[&replay[..], &["--dialect", "2.4"]].concat(), b"");
    assert_eq!(dump, by_series.succeeded());
    for command in [
        &replay[..],
        &["config", path],
        &["convert", "--to", "2.4", path],
    ] {
        let run = fantail(&[command, &["--dovecot", "2.4"]].concat(), b"");
        assert_eq!(run.status, Some(2), "{command:?}");
        assert!(
            run.err.contains("expected a release of Dovecot"),
            "{}",
            run.err
        );
    }
}

/// Settings that keep Dovecot from starting, by who reads the file.
#[test]
fn read_by_dovecot() {
    let folder = tempfile::tempdir().unwrap();
    for (name, reader, status, told) in [
        ("dovecot.conf", None, 0, "1 warning"),
        ("dovecot.conf", Some("dovecot"), 1, "1 error"),
        ("dovecot.conf", Some("fantail"), 0, "nothing is wrong"),
        ("fantail.conf", None, 0, "nothing is wrong"),
        ("fantail.conf", Some("dovecot"), 1, "1 error"),
        ("fantail.conf", Some("fantail"), 0, "nothing is wrong"),
    ] {
        let path = folder.path().join(name);
        let text = b"fantail {\n  idle_series = 1h\n}\n";
        std::fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text))
            .unwrap();
        let mut arguments = vec![path.to_str().unwrap()];
        arguments.extend(reader.into_iter().flat_map(|reader| ["--for", reader]));
        let summary = format!("0 metrics, 0 exporters, read as Dovecot 2.3: {told}");
        ends(&arguments, status, &summary);
    }
}

#[test]
fn short() {
    let run = check(&[SLIPS, "--format", "short"], b"");
    assert_eq!((run.status, run.err.as_str()), (Some(1), ""));
    let out = String::from_utf8(run.out).unwrap();
    let first = "testdata/lint/article-with-slips.conf:3:12: error[config/unknown-format]: unknown format `tabtext`";
    assert_eq!(out.lines().next(), Some(first));
}

#[test]
fn json() {
    let run = check(&[SLIPS, "--format", "json"], b"");
    assert_eq!((run.status, run.err.as_str()), (Some(1), ""));
    let report: serde_json::Value = serde_json::from_slice(&run.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let counted = ["errors", "warnings", "hints"].map(|level| report[level].as_u64().unwrap());
    assert_eq!(counted.iter().sum::<u64>(), findings.len() as u64);
    let expected = serde_json::json!({
        "code": "config/unknown-format",
        "severity": "error",
        "message": "unknown format `tabtext`",
        "file": SLIPS,
        "line": 3,
        "column": 12,
        "end_line": 3,
        "end_column": 19,
        "label": "expected `json`, `none`, `tab-text`, `ndjson`, `logfmt`, `journal`, `structured-data` or `otlp`",
        "notes": [{ "kind": "help", "text": "did you mean `tab-text`?" }],
    });
    assert_eq!(findings[0], expected);
}

/// A result, its rule, and a position whose columns count characters.
#[test]
fn sarif() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.conf");
    std::fs::File::create(&path)
        .and_then(|mut file| {
            let text = "metric é { # é\n  description = é\\\n é\n  filter = \"user=é\n}\n";
            std::io::Write::write_all(&mut file, text.as_bytes())
        })
        .unwrap();
    let run = check(&[path.to_str().unwrap(), "--format", "sarif"], b"");
    let report: serde_json::Value = serde_json::from_slice(&run.out).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let run = &report["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(
            uri.starts_with("file:///") && uri.ends_with("/a%20b.conf"),
            "{uri}"
        );
    }
    let ends = |code: &str| {
        let results = run["results"].as_array().unwrap();
        let result = results.iter().find(|one| one["ruleId"] == code).unwrap();
        let region = &result["locations"][0]["physicalLocation"]["region"];
        ["startLine", "startColumn", "endLine", "endColumn"]
            .map(|key| region[key].as_u64().unwrap())
    };
    assert_eq!(ends("config/unterminated-quote"), [4, 12, 4, 19]);
}

#[test]
fn against() {
    let capture = "testdata/captures/dovecot-2.3.19.tsv";
    let run = check(
        &[
            "testdata/lint/article-with-slips.conf",
            "--format",
            "short",
            "--against",
            capture,
        ],
        b"",
    );
    let out = String::from_utf8(run.out).unwrap();
    let found: Vec<&str> = out
        .lines()
        .filter(|line| line.contains("matches-nothing"))
        .collect();
    let places: Vec<&str> = found
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    // The misspelt event; a size that 2.3 cannot read; a value never sent.
    let expected = ["10:12", "23:44", "27:44"].map(|place| format!("{SLIPS}:{place}:"));
    assert_eq!(places, expected);
}
