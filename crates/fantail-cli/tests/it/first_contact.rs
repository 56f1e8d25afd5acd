//! What a new administrator tries first: each is answered with what to do.

use std::io::Write as _;

use fantail_testkit::program;
use flate2::{Compression, write::GzEncoder};

use super::program::{Run, contents, fantail, test_data};

const CAPTURE_2_3: &str = "testdata/captures/dovecot-2.3.19.tsv";
const CAPTURE_2_4: &str = "testdata/captures/dovecot-2.4.1.tsv";

fn out(run: Run) -> String {
    assert_eq!(run.status, Some(0), "{}", run.err);
    String::from_utf8(run.out).unwrap()
}

/// The article, pasted without its closing braces.
#[test]
fn the_article_without_braces_has_one_error() {
    let text = b"event_exporter log_tab {\n  format = tab-text\n  transport = log\n  \
        format_args = time-rfc3339\n\nmetric imap/log/select {\n  \
        filter = event=imap_command_finished AND \\\n           tagged_reply_state=OK\n  \
        exporter = log_tab\n  exporter_include = timestamps fields\n";
    let run = fantail(&["check", "-", "--format", "short"], text);
    let told = String::from_utf8(run.out).unwrap();
    let error = "-:1:1: error[config/unclosed-block]: `event_exporter log_tab` is never closed";
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(" error["))
        .collect();
    assert_eq!((run.status, lines), (Some(1), vec![error]));
}

#[test]
fn standard_input_and_several_files_are_checked() {
    let good = "testdata/readme/dovecot.conf";
    let bad = b"metric m {\n}\n";
    let run = fantail(&["check", good, "-"], bad);
    let told = String::from_utf8(run.out).unwrap();
    assert_eq!(run.status, Some(1), "{told}");
    assert!(told.contains("error[config/missing-filter]"), "{told}");
    let end = "-: 1 metric, 0 exporters, read as Dovecot 2.3: 1 error";
    assert!(told.lines().any(|line| line == end), "{told}");
    let name = format!("{good}: 1 metric, 1 exporter, read as Dovecot 2.3: ");
    assert!(told.lines().any(|line| line.starts_with(&name)), "{told}");
    let json = fantail(&["check", good, "-", "--format", "json"], bad);
    let report: serde_json::Value = serde_json::from_slice(&json.out).unwrap();
    assert_eq!(report["errors"], 1);
}

/// The series of a capture decides how a filter with a unit is read.
#[test]
fn a_filter_is_read_as_one_of_the_release_of_the_capture() {
    let filter = "event=imap_command_finished AND bytes_out>1k";
    let run = fantail(&["filter", "match", "--count", filter, CAPTURE_2_3], b"");
    assert_eq!((run.status, run.out.as_slice()), (Some(0), &b"0\n"[..]));
    let note = "note: the filter is read as one of Dovecot 2.3: events of \
        testdata/captures/dovecot-2.3.19.tsv have the field `bytes_in`\n";
    assert!(run.err.starts_with(note), "{}", run.err);
    assert!(
        run.err
            .contains("= help: write: event=imap_command_finished AND bytes_out>1024"),
        "{}",
        run.err
    );
    let as_number = filter.replace("1k", "1024");
    let numbers = out(fantail(
        &["filter", "match", "--count", &as_number, CAPTURE_2_3],
        b"",
    ));
    let forced = [
        "filter",
        "match",
        "--count",
        filter,
        CAPTURE_2_3,
        "--dialect",
        "2.4",
    ];
    assert_eq!(numbers, out(fantail(&forced, b"")));
    assert_ne!(numbers, "0\n");
    let filter = "event=imap_command_finished AND net_out_bytes>1k";
    let run = fantail(&["filter", "match", "--count", filter, CAPTURE_2_4], b"");
    assert!(run.err.contains("Dovecot 2.4"), "{}", run.err);
    assert_ne!(run.out, b"0\n");
}

#[test]
fn a_filter_that_matches_nothing_is_doubted() {
    let filter = "event=imap_comand_finished";
    let run = fantail(&["filter", "match", "--count", filter, CAPTURE_2_3], b"");
    assert!(
        run.err.contains("did you mean `imap_command_finished`?"),
        "{}",
        run.err
    );
    // The filter for POP3 of an article is about other connections.
    let text = "metric p {\n  filter = event=server_connection_disconnected AND category=service:pop3\n}\n";
    let told = out(fantail(&["check", "-"], text.as_bytes()));
    assert!(told.contains("hint[lint/not-of-clients]"), "{told}");
    assert!(
        told.contains("event=mail_user_session_finished AND category=service:pop3"),
        "{told}"
    );
}

#[test]
fn the_event_at_the_end_of_a_session_is_known() {
    let text = "metric s {\n  filter = event=fantail_session_finished\n  \
        fields = commands bytes_in bytes_out duration\n  group_by = service\n}\n";
    let told = out(fantail(&["check", "-"], text.as_bytes()));
    assert_eq!(
        told,
        "1 metric, 0 exporters, read as Dovecot 2.3: nothing is wrong\n"
    );
    let events = out(fantail(&["events", "fantail_session_finished"], b""));
    assert!(events.contains("commands"), "{events}");
}

#[test]
fn events_are_found_by_field_and_near_names() {
    let found = out(fantail(&["events", "--field", "mailbox"], b""));
    assert!(
        found.contains("\n  mail_opened ") || found.starts_with("  mail_opened "),
        "{found}"
    );
    assert!(!found.contains("auth_request_finished"), "{found}");
    let run = fantail(&["events", "imap_comand_finished"], b"");
    let error = "error: Dovecot has no event imap_comand_finished; did you mean \
                 imap_command_finished";
    assert!(run.err.starts_with(error), "{}", run.err);
    let run = fantail(&["events", "--field", "mailbx"], b"");
    assert!(run.err.contains("did you mean mailbox"), "{}", run.err);
}

#[test]
fn codes_and_commands_are_explained() {
    let page = out(fantail(&["explain", "lint/unknown-event"], b""));
    assert_eq!(
        page.as_bytes(),
        contents(super::program::repository().join("docs/errors/lint/unknown-event.md"))
    );
    let run = fantail(&["explain", "lint/unknown-evnt"], b"");
    assert!(
        run.err.contains("did you mean lint/unknown-event"),
        "{}",
        run.err
    );
    assert!(out(fantail(&["help", "explain"], b"")).contains("fantail explain W03"));
    let version = out(fantail(&["-V"], b""));
    assert!(
        version.contains("commit ") && version.contains("2.3.19"),
        "{version}"
    );
}

/// What bash completes, asked as bash asks.
#[test]
fn a_shell_completes_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("fantail");
    let completions = out(fantail(&["completions", "bash"], b""));
    let mut file = std::fs::File::create(&script).unwrap();
    file.write_all(completions.as_bytes()).unwrap();
    let ask = "source \"$0\"; COMP_WORDS=(fantail ch); COMP_CWORD=1; _fantail fantail ch fantail; \
        echo \"${COMPREPLY[@]}\"";
    let asked = std::process::Command::new("bash")
        .args(["-c", ask])
        .arg(&script)
        .output();
    assert_eq!(String::from_utf8_lossy(&asked.unwrap().stdout), "check\n");
}

#[test]
fn colour_is_a_matter_of_the_flag() {
    let bad = b"metric m {\n}\n";
    for (when, is_coloured) in [("always", true), ("never", false), ("auto", false)] {
        let run = fantail(&["--color", when, "check", "-"], bad);
        assert_eq!(run.out.contains(&0x1b), is_coloured, "{when}");
    }
}

/// `doveconf -n` of the Dovecot that is installed.
#[test]
fn what_doveconf_prints_is_read() {
    let Some(doveconf) = program("doveconf") else {
        return;
    };
    let printed = std::process::Command::new(doveconf)
        .arg("-n")
        .output()
        .unwrap();
    let told = out(fantail(&["check", "-"], &printed.stdout));
    assert!(told.ends_with("nothing is wrong\n"), "{told}");
    let hidden = b"passdb {\n  args = #hidden_use-P_to_show#\n  driver = static\n}\n";
    let told = out(fantail(&["check", "-"], hidden));
    assert!(told.ends_with("nothing is wrong\n"), "{told}");
}

#[test]
fn compressed_captures_are_played() {
    let text = contents(test_data("captures/dovecot-2.3.19.tsv"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&text).unwrap();
    let arguments = |capture: &'static str| {
        [
            "replay",
            "--config",
            "testdata/readme/dovecot.conf",
            "--dump",
            "-",
            capture,
        ]
    };
    let plain = fantail(&arguments(CAPTURE_2_3), b"").succeeded();
    assert_eq!(
        fantail(&arguments("-"), &gzip.finish().unwrap()).succeeded(),
        plain
    );
}

/// A capture that is larger than the memory: 50 MiB of data, stacks included.
#[test]
fn a_large_capture_is_played_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("large.tsv");
    let one = contents(test_data("captures/dovecot-2.3.19.tsv"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&capture).unwrap());
    let copies = 80;
    for _ in 0..copies {
        file.write_all(&one).unwrap();
    }
    file.flush().unwrap();
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -d 51200 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_fantail"),
        ])
        .args([
            "filter",
            "match",
            "--count",
            "--dialect",
            "2.3",
            "event=imap_command_finished",
        ])
        .arg(&capture)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let count = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse::<u32>();
    assert_eq!(count, Ok(460 * copies), "{said}");
}

/// A file that is no capture: the errors end after a while.
#[test]
fn errors_are_counted_after_twenty() {
    let run = fantail(&["filter", "match", "event=*"], &b"nonsense\n".repeat(500));
    let lines: Vec<&str> = run.err.lines().collect();
    let errors = lines.iter().filter(|line| line.starts_with("-:"));
    assert_eq!((run.status, errors.count()), (Some(1), 20));
    assert!(
        lines.contains(&"error: 480 more lines have errors"),
        "{}",
        run.err
    );
    assert!(run.err.contains("note: - is no capture"), "{}", run.err);
}

/// What people write for a field, and a list with commas.
#[test]
fn slips_in_names_are_answered_with_the_name() {
    let text = b"metric m {\n  filter = event=imap_command_finished AND command=SELECT\n  \
        fields = user, mailbox\n}\n";
    let told = out(fantail(&["check", "-"], text));
    assert!(told.contains("did you mean `cmd_name`?"), "{told}");
    assert!(told.contains("the comma is part of this one"), "{told}");
    assert!(told.contains("write `user`"), "{told}");
}

/// A regular expression: filters have wildcards.
#[test]
fn a_regular_expression_is_answered_with_wildcards() {
    let run = fantail(&["filter", "parse", "user=~\"a.*\""], b"");
    assert_eq!(run.status, Some(1));
    let help = "= help: filters have no regular expressions; write wildcards, as in user=a*";
    assert!(run.err.contains(help), "{}", run.err);
}

/// A filter that kills each process of Dovecot 2.3 that evaluates it.
#[test]
fn a_filter_that_kills_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("stats-reader");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"VERSION\tstats-reader-server\t2\t0\n")
            .unwrap();
        let mut sent = String::new();
        std::io::Read::read_to_string(&mut stream, &mut sent).unwrap();
        sent
    });
    let config = folder.path().join("dovecot.conf");
    std::fs::File::create(&config).unwrap();
    let (socket, config) = (socket.to_str().unwrap(), config.to_str().unwrap());
    let filter = "event=imap_command_finished AND bytes_in=1k";
    let run = fantail(
        &[
            "stats", "--socket", socket, "--config", config, "add", "m", filter,
        ],
        b"",
    );
    assert_eq!(run.status, Some(1));
    assert!(
        run.err.contains("error[lint/crashes-dovecot]"),
        "{}",
        run.err
    );
    assert!(run.err.contains("bytes_in=1024"), "{}", run.err);
    let sent = server.join().unwrap();
    assert!(!sent.contains("METRICS-ADD"), "{sent}");
}

/// A filter that matches no event of a capture, and events with their numbers.
#[test]
fn matches_have_numbers_and_misses_a_reason() {
    let filter = "event=imap_command_finished AND cmd_name=NOOPP";
    let run = fantail(&["filter", "match", "--count", filter, CAPTURE_2_3], b"");
    assert_eq!((run.status, run.out.as_slice()), (Some(0), &b"0\n"[..]));
    assert!(run.err.contains("[lint/matches-nothing]"), "{}", run.err);
    assert!(run.err.contains("^^^^^^^^^^^^^^"), "{}", run.err);
    let filter = "event=imap_command_finished AND cmd_name=SELECT";
    let found = out(fantail(
        &["filter", "match", "-n", filter, CAPTURE_2_3],
        b"",
    ));
    let (number, event) = found.lines().next().unwrap().split_once('\t').unwrap();
    assert!(
        event.starts_with("event:imap_command_finished\t"),
        "{event}"
    );
    let why = fantail(
        &["filter", "explain", filter, CAPTURE_2_3, "--event", number],
        b"",
    );
    let why = out(why);
    assert!(why.contains("imap_command_finished"), "{why}");
    assert!(!why.contains("no event"), "{why}");
}
