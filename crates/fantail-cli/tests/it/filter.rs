//! `fantail filter parse` and `match`.

use super::program::{contents, fantail, test_data};

const CAPTURE: &str = "testdata/captures/dovecot-2.3.19.tsv";

#[track_caller]
fn check_parse(dialect: &str, filter: &str, canonical: &str) {
    let run = fantail(&["filter", "parse", "--dialect", dialect, filter], b"");
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert_eq!(String::from_utf8_lossy(&run.out), format!("{canonical}\n"));
    assert!(run.err.starts_with("warning[W01]"), "{}", run.err);
}

#[test]
fn parse_prints_the_canonical_form() {
    check_parse(
        "2.4",
        "a=1 or b=2kb and not c=*",
        "(((\"a\"=\"1\" OR \"b\"=\"2048\") AND (NOT \"c\"=\"*\")))",
    );
    check_parse(
        "2.3",
        "a=1 or b=2kb and not c=*",
        "(((\"a\"=\"1\" OR \"b\"=\"2kb\") AND (NOT \"c\"=\"*\")))",
    );
}

#[test]
fn parse_points_at_what_is_wrong() {
    let run = fantail(&["filter", "parse", "event==x AND (a=1"], b"");
    assert_eq!((run.status, run.out.as_slice()), (Some(1), b"".as_slice()));
    assert!(
        run.err.contains("event==x AND (a=1") && run.err.contains('^'),
        "{}",
        run.err
    );
}

/// The lexer of the real 2.4 echoes that backslash to standard output.
#[test]
fn an_unterminated_string_with_a_backslash_at_its_end() {
    for dialect in ["2.3", "2.4"] {
        let run = fantail(
            &["filter", "parse", "--dialect", dialect, "event=\"x\\"],
            b"",
        );
        assert_eq!((run.status, run.out.as_slice()), (Some(1), b"".as_slice()));
        assert!(run.err.contains("event=\"x\\"), "{}", run.err);
    }
}

/// The seed set's log/all counts these, and its pop3_disconnects those.
#[test]
fn match_counts_what_metrics_count() {
    for (filter, count) in [
        ("event=* AND NOT event=mail_cache_lookup_finished", "3347\n"),
        (
            "event=server_connection_disconnected AND category=service:pop3",
            "12\n",
        ),
        ("event=no_such_event", "0\n"),
    ] {
        let arguments = [
            "filter",
            "match",
            "--dialect",
            "2.3",
            "--count",
            filter,
            CAPTURE,
        ];
        let run = fantail(&arguments, b"");
        assert_eq!(
            (run.status, run.out.as_slice()),
            (Some(0), count.as_bytes())
        );
        // Only an event that does not exist is doubted.
        assert_eq!(
            run.err.contains("lint/unknown-event"),
            filter.contains("no_such")
        );
    }
}

#[test]
fn match_prints_the_events() {
    let filter = "event=imap_command_finished AND cmd_name=SELECT";
    let text = fantail(&["filter", "match", filter, CAPTURE], b"").succeeded();
    let json = fantail(
        &["filter", "match", "--format", "json", filter, CAPTURE],
        b"",
    )
    .succeeded();
    let from_input = fantail(
        &["filter", "match", filter],
        &contents(test_data("captures/dovecot-2.3.19.tsv")),
    )
    .succeeded();
    assert_eq!(text, from_input);
    let lines = |out: &[u8], start: &str| {
        let text = String::from_utf8_lossy(out).into_owned();
        assert!(
            text.lines().all(|line| line.starts_with(start)),
            "{text:.300}"
        );
        text.lines().count()
    };
    // Ninety in the dump of the wide set: imap_commands_SELECT.
    assert_eq!(
        lines(&text, "event:imap_command_finished\tstart_time:2026-11-22T"),
        90
    );
    assert_eq!(
        lines(
            &json,
            "{\"event\":\"imap_command_finished\",\"start_time\":\"2026-11-22T"
        ),
        90
    );
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_fantail"))
        .args(["filter", "match", "event=*"])
        .arg(test_data("captures/dovecot-2.3.19.tsv"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        (Some(0), "")
    );
}
