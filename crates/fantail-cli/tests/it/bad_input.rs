//! Captures and configurations that are broken: an error with its place, exit
//! status 1, and the rest is done all the same.

use std::path::Path;

use super::program::{Run, fantail};

const CONFIG: &str = "\
event_exporter log {
  format = tab-text
  format_args = time-unix
  transport = log
}
metric all {
  filter = event=*
  exporter = log
  exporter_include = name fields
}
";

/// Plays a capture with this configuration.
fn replay(config: &[u8], capture: &[u8], dialect: &str) -> (Run, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let [config_path, dump_path] = ["dovecot.conf", "dump"].map(|name| folder.path().join(name));
    std::fs::File::create(&config_path)
        .and_then(|mut f| std::io::Write::write_all(&mut f, config))
        .unwrap();
    let arguments = [
        "replay".as_ref(),
        "--config".as_ref(),
        config_path.as_os_str(),
        "--dialect".as_ref(),
        dialect.as_ref(),
        "--dump".as_ref(),
        dump_path.as_os_str(),
        "-".as_ref(),
    ];
    let run = fantail(&arguments, capture);
    let dump = if dump_path.exists() {
        super::program::contents(dump_path)
    } else {
        Vec::new()
    };
    (run, dump)
}

/// A capture of whole connections, each a list of lines after the handshake.
fn capture(connections: &[&[&str]]) -> Vec<u8> {
    let mut text = String::new();
    for (number, lines) in connections.iter().enumerate() {
        for line in std::iter::once(&"VERSION\tstats-client\t4\t0").chain(*lines) {
            text += &format!("{number}\t1\t{line}\n");
        }
        text += &format!("{number}\t1\t<close>\n");
    }
    text.into_bytes()
}

#[track_caller]
fn check(capture: &[u8], exports: &str, messages: &[&str]) {
    let (run, _) = replay(CONFIG.as_bytes(), capture, "2.3");
    assert_eq!(
        run.status,
        Some(if messages.is_empty() { 0 } else { 1 }),
        "{}",
        run.err
    );
    assert_eq!(String::from_utf8_lossy(&run.out), exports);
    let said: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.contains("error"))
        .collect();
    assert_eq!(said, messages);
}

const EVENT: &str = "EVENT\t0\t0\t1\t5\t5\tl5\t7\tnok\tSk\tv";
const EXPORTED: &str = "event:ok\tfield:k=v\tfield:duration=2\n";

#[test]
fn one_broken_connection_does_not_stop_the_others() {
    check(
        &capture(&[&[EVENT], &[EVENT, "BOGUS", EVENT], &[EVENT]]),
        &EXPORTED.repeat(3),
        &["-:6: error: connection 1: unknown command; the rest of it is left out"],
    );
}

#[test]
fn a_truncated_capture_is_played_as_far_as_it_goes() {
    let whole = capture(&[&[EVENT, EVENT]]);
    let end = whole.len() - "0\t1\t<close>\n".len();
    check(
        &whole[..end - 4],
        EXPORTED,
        &["-:3: error: the file ends within the line; its LF is missing"],
    );
}

#[test]
fn a_binary_capture_is_refused_line_by_line() {
    let garbage: Vec<u8> = (0..=255_u8).cycle().take(1024).chain(*b"\n").collect();
    let form = "error: expected a connection, a time and a line separated by TABs";
    let expected: Vec<String> = (1..=5).map(|line| format!("-:{line}: {form}")).collect();
    check(
        &garbage,
        "",
        &expected.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn hostile_lines_end_their_connection_only() {
    let long = format!("EVENT\t0\t0\t1\t5\t5\tnlong\tSk\t{}", "x".repeat(131_073));
    check(
        &capture(&[&[&long, EVENT], &[EVENT]]),
        EXPORTED,
        &[
            "-:2: error: connection 0: the line is longer than 131071 bytes; the rest of it is left out",
        ],
    );
    let list = "EVENT\t0\t0\t1\t5\t5\tnlist\tLl\t4000000000\ta\tb";
    check(
        &capture(&[&[list, EVENT], &[EVENT]]),
        EXPORTED,
        &[
            "-:2: error: connection 0: the value is missing (argument 8 of the event); the rest of it is left out",
        ],
    );
}

#[test]
fn no_handshake_no_events() {
    check(
        format!("0\t1\t{EVENT}\n").as_bytes(),
        "",
        &[
            "-:1: error: connection 0: expected VERSION, stats-client, 4 and 0 separated by TABs; the rest of it is left out",
        ],
    );
}

/// This comparison kills the real 2.3.19.
#[test]
fn text_that_is_no_number_against_an_integer() {
    let config = CONFIG.replace("event=*", "bytes_in=1k");
    let lines = capture(&[&["EVENT\t0\t0\t1\t5\t5\tnx\tIbytes_in\t1024"]]);
    let (run, dump) = replay(config.as_bytes(), &lines, "2.3");
    assert_eq!((run.status, run.out.as_slice()), (Some(0), b"".as_slice()));
    assert!(String::from_utf8_lossy(&dump).contains("\nall\tduration\t0\t"));
}

/// The tab-text of an unnamed event kills the real 2.4.1. It is only
/// looked at because one filter does not require a name.
#[test]
fn an_unnamed_event_in_tab_text() {
    let config = "\
dovecot_config_version = 2.4.1
event_exporter log {
  driver = log
  format = tab-text
}
metric named {
  filter = event=*
}
metric others {
  filter = NOT event=x
  exporter = log
  exporter_include = name fields
}
";
    let lines = capture(&[&["BEGIN\t1\t0\t1\t5\t5\tSk\tv", "EVENT\t0\t1\t1\t5\t5\tny"]]);
    // Both filters require a name: the BEGIN is passed over.
    check_2_4(config, &lines, "event:y\tfield:k=v\tfield:duration=0\n");
    let more = format!("{config}metric any {{\n  filter = k=nothing\n}}\n");
    let both = "field:k=v\tfield:duration=0\nevent:y\tfield:k=v\tfield:duration=0\n";
    check_2_4(&more, &lines, both);
}

#[track_caller]
fn check_2_4(config: &str, lines: &[u8], exports: &str) {
    let (run, _) = replay(config.as_bytes(), lines, "2.4");
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    assert_eq!(String::from_utf8_lossy(&run.out), exports);
}

/// −2⁶³ fits no bucket of the real ones.
#[test]
fn the_smallest_integer_has_a_bucket() {
    let config = "metric m {\n  filter = event=*\n  group_by = n:linear:0:10:5\n}\n";
    let lines = capture(&[&["EVENT\t0\t0\t1\t5\t5\tnx\tIn\t-9223372036854775808"]]);
    let (run, dump) = replay(config.as_bytes(), &lines, "2.3");
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(String::from_utf8_lossy(&dump).contains("\nm_n_ninf_0\tduration\t1\t"));
}

#[test]
fn broken_configurations_are_refused_with_their_place() {
    let cases: [(&[u8], &str); 6] = [
        (b"metric m {\n  filter = event=*\n", ":1:"),
        (b"metric m {\n  filter = event=\"x\n}\n", ":2:"),
        (b"metric m {\n  filter = event=* AND\n}\n", ":2:"),
        (
            b"metric m {\n  filter = event=*\n  exporter = none\n}\n",
            ":3:",
        ),
        (
            b"event_exporter e {\n  format = yaml\n  transport = log\n}\n",
            ":2:",
        ),
        (b"metric m {\n  \xff\xfe\x00\n}\n", ":2:"),
    ];
    for (config, place) in cases {
        let (run, _) = replay(config, b"", "2.3");
        assert_eq!(
            run.status,
            Some(1),
            "{}: {}",
            config.escape_ascii(),
            run.err
        );
        assert!(run.err.contains("dovecot.conf"), "{}", run.err);
        assert!(
            run.err.contains(place),
            "{}: {}",
            config.escape_ascii(),
            run.err
        );
        assert!(run.out.is_empty());
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        &["replay"][..],
        &["nonsense"],
        &["filter", "eval", "--dialect", "1.0"],
        &[],
    ] {
        assert_eq!(fantail(arguments, b"").status, Some(2), "{arguments:?}");
    }
}

#[test]
fn files_that_are_not_there() {
    let config = "testdata/captures/2.3.19-seed/dovecot.conf";
    for (config, capture) in [("/no/such.conf", "/dev/null"), (config, "/no/such.tsv")] {
        let run = fantail(&["replay", "--config", config, capture], b"");
        assert_eq!(run.status, Some(1));
        assert!(run.err.contains("/no/such"), "{}", run.err);
    }
    assert!(Path::new(env!("CARGO_BIN_EXE_fantail")).exists());
}
