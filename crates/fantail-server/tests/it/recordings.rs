//! Recordings that are started and stopped in a running server.

use std::{fs, path::Path};

use fantail_event::{Activity, Dialect, EffectiveBuffers, EventView as _, ValueRef};
use fantail_wire::{Connection, Intake, Limits, capture::Capture, reader::RecordStatus};

use crate::fixture::{Fixture, Reader, VERSION, eventually};

const ALL: &str = "metric all {\n  filter = event=*\n}\n";

fn start(path: &Path, bytes: u64) -> String {
    format!("FANTAIL-RECORD-START\t{}\t60\t{bytes}", path.display())
}

/// The last recording: bytes, and why it has ended.
fn status(reader: &mut Reader) -> (u64, String) {
    assert_eq!(reader.ask("FANTAIL-RECORD-STATUS").unwrap(), "+");
    let line = reader.line().unwrap();
    let status = RecordStatus::parse(line.as_bytes()).unwrap();
    let ended = String::from_utf8(status.ended.into_owned()).unwrap();
    (status.bytes, ended)
}

fn contents(path: &Path) -> String {
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::read_to_string(path).unwrap()
}

/// The named events of a recording with the user that each has or inherits.
fn replay(recording: &str) -> Vec<String> {
    let capture = Capture::parse(recording.as_bytes());
    assert_eq!(capture.errors, []);
    let mut events = Vec::new();
    for recorded in &capture.connections {
        let mut intake = Intake::new();
        let mut connection = Connection::new(Dialect::V2_4, Limits::default());
        for line in &recorded.lines {
            let handled = connection.handle(line.line, &mut intake, |activity| {
                let Activity::Sent { event, .. } = activity else {
                    return;
                };
                let Some(name) = event.name().map(|name| name.escape_ascii().to_string()) else {
                    return;
                };
                let mut buffers = EffectiveBuffers::new();
                buffers.gather(&event).each_field(|key, value| {
                    if let (b"user", ValueRef::Str(user)) = (key, value) {
                        events.push(format!("{name} {}", user.escape_ascii()));
                    }
                });
            });
            handled.unwrap();
        }
    }
    events.sort_unstable();
    events
}

/// A client that is there before the recording, with live events and half a line; what
/// it sends while it is recorded is replayed with all that it inherits.
#[test]
fn a_recording_of_a_running_server_is_replayed() {
    let server = Fixture::new(ALL);
    let path = server.path("recording");
    let mut old = server.writer();
    old.send(VERSION.as_bytes());
    old.send(b"CATEGORY\timap\nBEGIN\t7\t0\t1\t5\t0\tnsession\tcimap\tSuser\tanna\n");
    old.send(b"EVENT\t0\t7\t1\t5\t0\tnbefore\tcimap\nEVENT\t0\t7\t1\t5\t0\tnwhi");
    eventually("it is read", || server.count() == 2);
    let mut reader = server.reader();
    assert_eq!(reader.ask(&start(&path, 1 << 20)).unwrap(), "+");
    // Both are in order, also within a worker.
    old.send(b"le\tcimap\n");
    server.send("BEGIN\t1\t0\t1\t5\t0\tSuser\tbob\nEVENT\t0\t1\t1\t5\t0\tnother\n");
    eventually("they are counted", || server.count() == 4);
    assert_eq!(reader.ask("FANTAIL-RECORD-STOP").unwrap(), "+");
    old.send(b"EVENT\t0\t7\t1\t5\t0\tnafter\tcimap\n");
    old.finish();
    assert_eq!(replay(&contents(&path)), ["other bob", "while anna"]);
    let (bytes, ended) = status(&mut reader);
    assert_eq!(
        (bytes, ended.as_str()),
        (fs::metadata(&path).unwrap().len(), "it was stopped")
    );
    // Another one begins anew.
    let second = server.path("second");
    assert_eq!(reader.ask(&start(&second, 1 << 20)).unwrap(), "+");
    server.send("BEGIN\t1\t0\t1\t5\t0\tSuser\tbob\nEVENT\t0\t1\t1\t5\t0\tnsecond\n");
    assert_eq!(reader.ask("FANTAIL-RECORD-STOP").unwrap(), "+");
    assert_eq!(replay(&contents(&second)), ["second bob"]);
    let log = server.logged();
    assert!(
        log.contains(&format!(
            "recording what clients send to {}",
            path.display()
        )),
        "{log}"
    );
    assert!(log.contains("has ended with"), "{log}");
}

#[test]
fn a_recording_is_bounded_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Fixture::new(ALL);
    let path = server.path("recording");
    let mut reader = server.reader();
    assert_eq!(reader.ask(&start(&path, 100)).unwrap(), "+");
    server.send(&"EVENT\t0\t0\t1\t5\t0\tnsent\tSuser\tbob\n".repeat(10));
    eventually("it is full", || {
        status(&mut reader).1 == "the file has reached its limit"
    });
    eventually("it is written", || !contents(&path).is_empty());
    let recorded = contents(&path);
    assert!(
        recorded.len() <= 100 && recorded.ends_with('\n'),
        "{recorded}"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let server = Fixture::new(ALL);
    let mut reader = server.reader();
    let mut check = |request: &str, expected: &str| {
        let answer = reader.ask(request).unwrap();
        assert!(
            answer.starts_with('-') && answer.contains(expected),
            "{answer}"
        );
    };
    check("FANTAIL-RECORD-STATUS", "nothing was recorded");
    check("FANTAIL-RECORD-STOP", "no recording goes on");
    check("FANTAIL-RECORD-START\tx\t60\t1000", "does not begin with /");
    let pipe = server.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    check(&start(&pipe, 1000), "File exists");
    check(&start(&server.path("no/such"), 1000), "No such file");
    let path = server.path("recording");
    let mut starter = server.reader();
    assert_eq!(starter.ask(&start(&path, 1 << 20)).unwrap(), "+");
    check(
        &start(&server.path("other"), 1000),
        "is being recorded; stop that recording first",
    );
    // The end of the server is an end of the recording.
    server.send("EVENT\t0\t0\t1\t5\t0\tnsent\tSuser\tbob\n");
    let folder = server.stop();
    assert_eq!(
        replay(&contents(&folder.path().join("recording"))),
        ["sent bob"]
    );
}

/// Who changes what is counted is in the log.
#[test]
fn changes_of_metrics_are_logged() {
    let server = Fixture::new(ALL);
    let mut reader = server.reader();
    let add = "METRICS-ADD\tslow\t\t\t\tevent=slow\t\t";
    assert_eq!(reader.ask(add).unwrap(), "+");
    assert_eq!(reader.ask("METRICS-REMOVE\tslow").unwrap(), "+");
    assert!(reader.ask("METRICS-REMOVE\tslow").unwrap().starts_with('-'));
    reader.dump("DUMP-RESET\tcount");
    let pid = format!("a client (pid={}, uid=", std::process::id());
    let log = server.logged();
    for expected in [
        "added the metric slow: event=slow",
        "removed the metric slow",
        "reset all metrics",
    ] {
        let lines = log
            .lines()
            .filter(|line| line.starts_with(&pid) && line.ends_with(expected));
        assert_eq!(lines.count(), 1, "{expected} in {log}");
    }
}
