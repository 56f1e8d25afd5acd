//! What an administrator sees of a running server: events, recordings and rates.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    num::NonZeroU16,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
    thread,
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::{
    program::{Run, contents, fantail},
    serve::Server,
};

fn ask(server: &Server, command: &str, arguments: &[&str]) -> Run {
    let reader = server.reader();
    fantail(&[&[command, "--socket", &reader], arguments].concat(), b"")
}

/// Starts the program to be interrupted later.
fn spawn(server: &Server, command: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_fantail"))
        .args([command, "--socket", &server.reader()])
        .args(arguments)
        .env("FANTAIL_CONFIG", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn interrupted(child: Child) -> Run {
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code(),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits until new clients are asked for these events: the tap is there.
fn wait_for_tap(server: &Server, event: &str) {
    let path = server.folder.path().join("run/stats-writer");
    fantail_testkit::process::wait_until(
        "the tap is there",
        std::time::Duration::from_secs(20),
        || {
            let mut stream = UnixStream::connect(&path).unwrap();
            let mut greeting = [0; 512];
            let count = stream.read(&mut greeting).unwrap();
            String::from_utf8_lossy(&greeting[..count]).contains(event)
        },
    );
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Nothing was prepared: no tap was open when the event was sent.
#[test]
fn kept_events_are_shown_afterwards() {
    let server = Server::start();
    server.send();
    let past = [
        "event=a",
        "--since",
        "1m",
        "--no-follow",
        "--format",
        "tab-text",
    ];
    let run = ask(&server, "tap", &past);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(
        text(&run.out).starts_with("event:a\t"),
        "{}",
        text(&run.out)
    );
    let said: Vec<&str> = run.err.lines().collect();
    let [kept, shown] = &*said else {
        panic!("{}", run.err)
    };
    assert!(kept.starts_with("events are kept since 20"), "{kept}");
    assert_eq!(*shown, "1 events shown");
    let count = ask(
        &server,
        "tap",
        &["--count", "x=7", "--since", "1m", "--until", "0s"],
    );
    assert_eq!(count.out, b"1\n");
    let wrong = ask(&server, "tap", &["--since", "1m", "--until", "2m"]);
    assert_eq!(wrong.err, "error: --until is before --since\n");
    let wrong = ask(&server, "tap", &["--since", "soon"]);
    assert!(
        wrong
            .err
            .starts_with("error: --since: expected a time such as"),
        "{}",
        wrong.err
    );
}

/// At Ctrl-C, a tap says what it has shown, and prints its counts.
#[test]
fn an_interrupted_tap_ends_with_what_it_has() {
    let server = Server::start();
    let tap = spawn(&server, "tap", &["event=b", "--for", "60s"]);
    wait_for_tap(&server, "\"b\"");
    let run = interrupted(tap);
    assert_eq!(run.status, Some(0));
    assert_eq!(run.err, "0 events shown, until it was interrupted\n");
    let filter = "event=a AND x=8";
    let tap = spawn(
        &server,
        "tap",
        &[
            "--explain",
            filter,
            "--ask-for",
            "event=wider",
            "--for",
            "60s",
        ],
    );
    wait_for_tap(&server, "wider");
    server.send();
    let run = interrupted(tap);
    let expected = "\
1 events seen
   meet it  all so far  only missing  term
         0           -             -  all of
         1           1             0    event=a
         0           0             1    x=8
1 events reach `x=8`, none meets it; 1 miss only this, the last with 7
";
    assert_eq!((run.status, text(&run.out).as_str()), (Some(0), expected));
    assert!(
        run.err
            .starts_with("counting what Dovecot's processes send"),
        "{}",
        run.err
    );
}

#[test]
fn a_recording_is_started_stopped_and_replayed() {
    let server = Server::start();
    let none = ask(&server, "record", &["status"]);
    assert_eq!(
        none.err,
        "error: nothing was recorded since the server started\n"
    );
    let file = server.folder.path().join("recording");
    let name = file.to_str().unwrap();
    let started = ask(
        &server,
        "record",
        &["start", name, "--for", "5min", "--max-size", "1M"],
    );
    let expected = format!("recording to {name}: 0 B of 1.00 MiB, ");
    assert!(
        text(&started.out).starts_with(&expected),
        "{} {}",
        text(&started.out),
        started.err
    );
    let second = ask(&server, "record", &["start", "/tmp/x"]);
    assert_eq!(
        second.err,
        format!("error: {name} is being recorded; stop that recording first\n")
    );
    server.send();
    let stopped = ask(&server, "record", &["stop"]);
    let size = contents(&file).len();
    let expected = format!("{name} has {size} B; the recording has ended: it was stopped\n");
    assert_eq!(text(&stopped.out), expected);
    let count = fantail(&["filter", "match", "--count", "event=a", name], b"");
    assert_eq!(count.out, b"1\n");
    let again = ask(&server, "record", &["start", name]);
    assert!(again.err.contains("File exists"), "{}", again.err);
}

/// The words of the protocol are not those of people.
#[test]
fn errors_have_no_words_of_the_protocol() {
    let server = Server::start();
    for (command, arguments) in [
        ("tap", &["event="][..]),
        ("stats", &["add", "m", "event="]),
        (
            "stats",
            &[
                "add",
                "m",
                "event=auth_request_finished",
                "--group-by",
                "user:no",
            ],
        ),
        ("stats", &["remove", "none"]),
        ("record", &["stop"]),
    ] {
        let run = ask(&server, command, arguments);
        assert_eq!(run.status, Some(1), "{arguments:?}");
        assert!(run.err.starts_with("error"), "{}", run.err);
        for word in ["FANTAIL", "METRICS", "request:"] {
            assert!(!run.err.contains(word), "{word} in {}", run.err);
        }
    }
}

#[test]
fn columns_and_commands_of_stats_are_explained() {
    let server = Server::start();
    let run = server.stats(&["dump", "--columns", "count p99"]);
    assert_eq!(
        run.err,
        "error: --columns: there is no column `p99`; write %99\n"
    );
    let help = text(&fantail(&["stats", "--help"], b"").out);
    for command in ["  reset ", "  reopen "] {
        let line = help.lines().find(|line| line.starts_with(command)).unwrap();
        assert!(line.split_whitespace().count() > 3, "{line}");
    }
}

#[test]
fn rates_are_printed_where_there_is_no_terminal() {
    let server = Server::start();
    let run = server.stats(&["top", "--interval", "100ms", "--looks", "2"]);
    let printed = text(&run.out);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(
        lines[0].starts_with("fantail  ") && lines[0].contains("  up "),
        "{printed}"
    );
    assert_eq!(lines[1], "no metric has counted an event within 0 s");
    assert!(!printed.contains('\x1b'), "{printed}");
}

/// A terminal, and a program in it.
struct Terminal {
    master: File,
    child: Child,
    screen: vt100::Parser,
    /// All that was written so far.
    written: Vec<u8>,
}

impl Terminal {
    fn start(arguments: &[&str], columns: NonZeroU16) -> Self {
        let rows = NonZeroU16::new(12).unwrap();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let slave = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: rows.get(),
            ws_col: columns.get(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let end = || OwnedFd::try_clone(&slave).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_fantail"))
            .args(arguments)
            .env("FANTAIL_CONFIG", "/nonexistent")
            .env("NO_COLOR", "1")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self {
            master: File::from(master),
            child,
            screen: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
        }
    }

    /// Reads until the screen shows a text; returns what it shows.
    fn wait_for(&mut self, expected: &str) -> String {
        let mut read = [0; 4096];
        loop {
            let shown = self.screen.screen().contents();
            if shown.contains(expected) {
                return shown;
            }
            match self.master.read(&mut read) {
                Ok(count @ 1..) => {
                    self.screen.process(&read[..count]);
                    self.written.extend_from_slice(&read[..count]);
                }
                ended => panic!("{ended:?} before {expected} in {shown}"),
            }
        }
    }

    /// The exit status; what is written until then is read.
    fn end(self) -> Option<i32> {
        let Self {
            mut master,
            mut child,
            ..
        } = self;
        thread::spawn(move || std::io::copy(&mut master, &mut std::io::sink()));
        child.wait().unwrap().code()
    }
}

/// The screen of a terminal, without colours, until a key ends it.
#[test]
fn a_terminal_shows_a_screen_that_keys_change() {
    let server = Server::start();
    let reader = server.reader();
    for columns in [60, 120].map(|columns| NonZeroU16::new(columns).unwrap()) {
        let arguments = ["stats", "--socket", &reader, "top", "--interval", "100ms"];
        let mut terminal = Terminal::start(&arguments, columns);
        let first = terminal.wait_for("q end");
        assert!(first.contains("first rates come after 0.1 s"), "{first}");
        // No colour but the default one.
        let written = text(&terminal.written);
        for colour in ["\x1b[36", "\x1b[38;5"] {
            assert!(!written.contains(colour), "{written:?}");
        }
        terminal.master.write_all(b"h").unwrap();
        terminal.wait_for("scroll by ten");
        terminal.master.write_all(b"q").unwrap();
        assert_eq!(terminal.end(), Some(0));
    }
}

/// A tap that waits says so on a terminal.
#[test]
fn a_terminal_is_told_that_a_tap_waits() {
    let server = Server::start();
    let reader = server.reader();
    let mut terminal = Terminal::start(
        &["tap", "--socket", &reader, "event=a", "--events", "1"],
        NonZeroU16::new(60).unwrap(),
    );
    terminal.wait_for("waiting for events, 10 s at most; Ctrl-C ends it");
    server.send();
    terminal.wait_for("event=a");
    assert_eq!(terminal.end(), Some(0));
}
