//! Runs each example.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

/// Runs a program with this input; returns its exit code and its output.
fn run(program: &str, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}

fn testdata(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("testdata")
        .join(path)
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn replay_prints_the_table_of_the_readme() {
    let config = testdata("readme/dovecot.conf");
    let capture = testdata("captures/dovecot-2.3.19.tsv");
    let (code, table) = run(env!("CARGO_BIN_EXE_replay"), &[&config, &capture], "");
    assert_eq!(code, Some(0));
    let readme = fs::read_to_string(testdata("../README.md")).unwrap();
    let rows = readme
        .lines()
        .filter(|line| line.starts_with("imap/log/select "));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows: Vec<String> = rows.map(words).collect();
    assert!(rows.len() > 1);
    let table: Vec<String> = table.lines().map(words).collect();
    for row in rows {
        assert!(table.contains(&row), "{row} in {table:?}");
    }
    assert_eq!(table.last().unwrap(), "42 events exported");
}

#[test]
fn ndjson_grep_prints_lines_that_match() {
    let program = env!("CARGO_BIN_EXE_ndjson_grep");
    let input = "started\n{\"status\": 503, \"path\": \"/\"}\n\
                 {\"status\": 503, \"path\": \"/health\"}\n{\"status\": 200}\n";
    let filter = "status>=500 AND NOT path=\"/health\"";
    let found = "{\"status\": 503, \"path\": \"/\"}\n".to_owned();
    assert_eq!(run(program, &[filter], input), (Some(0), found));
    assert_eq!(
        run(program, &["status=404"], input),
        (Some(1), String::new())
    );
    assert_eq!(run(program, &["status="], "").0, Some(2));
}

#[test]
fn own_types_are_matched_by_1000_filters() {
    let (code, text) = run(env!("CARGO_BIN_EXE_own_type"), &[], "");
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "/17/index 200",
            "/17/admin/users 502",
            "  event=request_* AND path=\"/17/*\" AND status>=500",
            "  path=\"/17/*\" AND duration>2s AND NOT path=\"/17/upload/*\"",
            "  path=\"/17/admin/*\" AND NOT client=10.0.0.0/8",
            "  path=\"/17/*\" AND role=staff",
            "/249/upload/1 201",
            "/249/upload/1 500",
            "  event=request_* AND path=\"/249/*\" AND status>=500",
        ]
    );
}

#[test]
fn openmetrics_are_printed() {
    let (code, text) = run(env!("CARGO_BIN_EXE_openmetrics"), &[], "");
    assert_eq!(code, Some(0));
    for sample in [
        "app_jobs_bucket{queue=\"mail\",le=\"0.001\"} 1",
        "app_jobs_sum{queue=\"index\"} 2.000000",
        "app_jobs_bytes_total{queue=\"mail\"} 30",
        "queue_length{queue=\"mail\"} 3",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(sample)),
            "{sample} in {text}"
        );
    }
}

#[test]
fn an_own_transport_gets_all_events() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let spool = spool.to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_own_transport");
    let (code, text) = run(program, &[spool, "down"], "");
    assert_eq!(code, Some(0));
    assert_eq!(text, "in the spool: true\nnone lost: true; sent: 0\n");
    let (code, text) = run(program, &[spool, "up"], "");
    assert_eq!(code, Some(0));
    let printed = "event 1\nevent 2\nevent 3\n";
    assert_eq!(text, format!("{printed}none lost: true; sent: 3\n"));
}

#[test]
fn threads_count_together() {
    let (code, text) = run(env!("CARGO_BIN_EXE_threads"), &[], "");
    assert_eq!(code, Some(0));
    let count = |metric: &str| {
        let mut rows = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[..2] == [metric, "duration"]);
        row.and_then(|row| row[2].parse::<u64>().ok())
    };
    assert_eq!(count("jobs"), Some(4_000));
    assert_eq!(count("jobs_w3"), Some(1_000));
    assert_eq!(count("large_jobs"), Some(1_952));
    assert!(text.ends_with("4000 events\n"), "{text}");
}

/// Sends a request; returns the body of the answer.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn a_web_service_counts_and_exports() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("greetings.ndjson");
    let mut child = Command::new(env!("CARGO_BIN_EXE_axum_service"))
        .arg(&exports)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut address = String::new();
    output.read_line(&mut address).unwrap();
    let address = address.trim_end();
    assert_eq!(get(address, "/hello/anna"), "hello anna\n");
    assert_eq!(get(address, "/hello/nobody"), "hello nobody\n");
    let text = get(address, "/metrics");
    for sample in [
        "requests_total{status=\"200\"} 2\n",
        "request_durations_count 2\n",
        "greeted_total 1\n",
        "greetings_total 2\n",
    ] {
        assert!(text.contains(sample), "{sample} in {text}");
    }
    get(address, "/quit");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(rest, "exports flushed: true\n");
    let exported = fs::read_to_string(exports).unwrap();
    assert_eq!(exported.lines().count(), 1, "{exported}");
    assert!(exported.contains("\"name\":\"anna\""), "{exported}");
}
