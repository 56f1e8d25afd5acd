//! Exporters of configurations, by what arrives at their targets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::net::{UnixDatagram, UnixListener},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::ExporterId;
use fantail_event::Dialect;
use fantail_transport::{Batch, DropReason};

use super::{Exporters, Site};
use crate::Log;

const MAX_WAIT: Duration = Duration::from_secs(20);

/// Exporters called `a`, `b`, … of these settings, in the syntax of 2.3.
fn settings(exporters: &[&str]) -> Settings {
    let blocks = exporters.iter().zip('a'..).map(|(lines, name)| {
        let lines = lines.replace(", ", "\n");
        format!("event_exporter {name} {{\nformat_args = time-unix\n{lines}\n}}\n")
    });
    let options = LoadOptions {
        dialect: Some(Dialect::V2_3),
        ..LoadOptions::default()
    };
    let loaded = load_text("x", blocks.collect::<String>(), &options);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    loaded.settings
}

fn site() -> Site {
    Site::new(b"mx1".to_vec(), Log::new(|_| {}))
}

fn open(exporters: &[&str]) -> Exporters {
    Exporters::open(&settings(exporters), site()).unwrap()
}

fn offer(exporters: &Exporters, at: usize, payloads: &[&str]) {
    let mut batch = Batch::new();
    for payload in payloads {
        batch.push(payload.as_bytes());
    }
    exporters.queue(ExporterId(at)).unwrap().offer(&mut batch);
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn datagram(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 1_000];
    socket.set_read_timeout(Some(MAX_WAIT)).unwrap();
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Answers one request of JSON, and returns its body of seven bytes.
fn answer_one(http: &TcpListener) -> [u8; 7] {
    let mut stream = BufReader::new(http.accept().unwrap().0);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_ascii_lowercase());
    }
    assert!(lines.contains(&"content-type: application/json".to_owned()));
    let mut body = [0; 7];
    stream.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    stream.get_mut().write_all(answer).unwrap();
    body
}

#[test]
fn each_target_gets_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let [syslog, journal, unix] =
        ["syslog", "journal", "unix"].map(|name| UnixDatagram::bind(at(name)).unwrap());
    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = folder.path().display();
    let exporters = open(&[
        &format!(
            "format = tab-text, transport = syslog, syslog_address = unix:{root}/syslog, message_tabs = replace, syslog_severity = err"
        ),
        &format!("format = journal, transport = journal, journal_path = {root}/journal"),
        &format!("format = logfmt, transport = journal, journal_path = {root}/journal"),
        &format!(
            "format = ndjson, transport = unix, unix_path = {root}/unix, unix_socket = datagram"
        ),
        &format!(
            "format = ndjson, transport = file, file_path = {root}/new/file, file_create_folders = yes"
        ),
        &format!(
            "format = json, transport = http-post, transport_args = http://{}/, transport_timeout = 20 secs, http_batch = array",
            http.local_addr().unwrap()
        ),
        &format!(
            "format = structured-data, transport = syslog, syslog_address = unix:{root}/syslog, syslog_protocol = rfc5424"
        ),
        "format = none, transport = drop",
    ]);
    offer(&exporters, 0, &["a\tb"]);
    let message = datagram(&syslog);
    assert!(message.starts_with("<19>"), "{message}");
    assert!(message.ends_with("]: a b"), "{message}");
    offer(&exporters, 1, &["MESSAGE=x\nDOVECOT_EVENT=y\n"]);
    assert_eq!(datagram(&journal), "MESSAGE=x\nDOVECOT_EVENT=y\n");
    offer(&exporters, 2, &["event=x"]);
    assert!(datagram(&journal).starts_with("MESSAGE\n\x07\0\0\0\0\0\0\0event=x\nPRIORITY=6\n"));
    offer(&exporters, 3, &["{}"]);
    assert_eq!(datagram(&unix), "{}");
    offer(&exporters, 4, &["{}", "[]"]);
    offer(&exporters, 6, &["[event@32473 a=\"b\"] message"]);
    let message = datagram(&syslog);
    assert!(message.contains(" mx1 fantail "), "{message}");
    assert!(
        message.ends_with(" - [event@32473 a=\"b\"] message"),
        "{message}"
    );
    let server = thread::spawn(move || answer_one(&http));
    offer(&exporters, 5, &["{}", "{}"]);
    assert!(exporters.close(MAX_WAIT));
    assert_eq!(&server.join().unwrap(), b"[{},{}]");
    assert_eq!(text(&at("new/file")), "{}\n[]\n");
}

/// Events that the target refuses permanently are in the file for dead letters.
#[test]
fn dead_letters_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let _socket = UnixDatagram::bind(at("socket")).unwrap();
    let root = folder.path().display();
    let exporters = open(&[&format!(
        "format = none, transport = unix, unix_path = {root}/socket, unix_socket = datagram, dead_letter_path = {root}/letters"
    )]);
    let long = "x".repeat(4 << 20);
    offer(&exporters, 0, &[&long]);
    assert!(exporters.close(MAX_WAIT));
    let counters = exporters.queue(ExporterId(0)).unwrap().counters();
    assert_eq!(counters.dropped(DropReason::Refused), 1);
    assert_eq!(text(&at("letters")), format!("{long}\n"));
}

/// Exporters that stay as they are keep their queues; one that changes hands
/// its spool to the next.
#[test]
fn a_new_configuration_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let spooled = |more: &str| {
        format!(
            "format = none, transport = unix, unix_path = {root}/socket, delivery = spool, spool_path = {root}/spool, retry_first = 10 ms, retry_longest = 50 ms{more}"
        )
    };
    let drop = "format = none, transport = drop";
    let before = open(&[&spooled(""), drop]);
    offer(&before, 0, &["one", "two", "three"]);
    offer(&before, 1, &["kept"]);
    assert!(before.queue(ExporterId(1)).unwrap().flush(MAX_WAIT));

    // Only a comment moved.
    let same = before.follow(&settings(&[&spooled(""), drop])).unwrap();
    assert!(same.close_unless_in(&before, Duration::ZERO));
    offer(&same, 0, &["four"]);
    assert!(same.queue(ExporterId(0)).unwrap().flush(MAX_WAIT));

    let after = same
        .follow(&settings(&[&spooled(", max_age = 1 days"), drop]))
        .unwrap();
    // Some workers have heard of it, others have not yet.
    offer(&after, 0, &["six"]);
    offer(&same, 0, &["five"]);
    let status = |at| after.queue(ExporterId(at)).unwrap().status();
    assert_eq!((status(0).counters.recovered, status(0).waiting), (0, 1));
    let _ = same.close_unless_in(&after, MAX_WAIT);
    offer(&after, 0, &["seven"]);
    assert!(after.queue(ExporterId(0)).unwrap().flush(MAX_WAIT));
    assert_eq!((status(0).counters.recovered, status(0).waiting), (5, 7));
    assert_eq!(status(0).counters.dropped_in_all(), 0);
    assert_eq!(status(1).counters.queued, 1);
    offer(&after, 1, &["open"]);

    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    let stream = BufReader::new(listener.accept().unwrap().0);
    let lines: Vec<String> = stream.lines().take(7).map(Result::unwrap).collect();
    assert_eq!(
        lines,
        ["one", "two", "three", "four", "five", "six", "seven"]
    );
}

/// A configuration whose targets cannot be opened changes nothing.
#[test]
fn a_bad_configuration_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let good =
        format!("format = none, transport = drop, delivery = spool, spool_path = {root}/spool");
    let before = open(&[&good]);
    let bad = format!("format = none, transport = file, file_path = {root}/missing/file");
    let changed = format!("{good}, max_age = 1 days");
    let error = before.follow(&settings(&[&changed, &bad])).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot start the exporter b: "),
        "{error}"
    );
    offer(&before, 0, &["x"]);
    let queue = before.queue(ExporterId(0)).unwrap();
    assert!(queue.flush(MAX_WAIT));
    assert_eq!(queue.counters().dropped_in_all(), 0);
}

#[test]
fn rates_and_samples() {
    let exporters = open(&[
        "format = none, transport = drop",
        "format = none, transport = drop, rate_limit = 1, rate_burst = 5",
        "format = none, transport = drop, sample = 4294967295",
        "format = none, transport = drop, sample = 1, rate_limit = 0",
    ]);
    let start = Instant::now();
    let admitted = |at: usize| {
        let id = ExporterId(at);
        let clone = exporters.clone();
        (0..1_000).filter(|_| clone.admits(id)).count()
    };
    assert_eq!(admitted(0), 1_000);
    let (limited, passed) = (admitted(1), start.elapsed());
    assert!(limited >= 5 && limited <= 6 + usize::try_from(passed.as_secs()).unwrap());
    assert!(admitted(2) <= 1);
    assert_eq!(admitted(3), 1_000);
}

/// The first exporter waits for its target; the other one accepts nothing more at
/// once.
#[test]
fn exporters_close_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let exporters = open(&[
        &format!(
            "format = none, transport = unix, unix_path = {root}/socket, retry_first = 10 ms, retry_longest = 50 ms"
        ),
        &format!("format = none, transport = file, file_path = {root}/file"),
    ]);
    offer(&exporters, 0, &["one"]);
    let clone = exporters.clone();
    let closing = thread::spawn(move || clone.close(Duration::from_secs(3_600)));
    let second = exporters.queue(ExporterId(1)).unwrap();
    let deadline = Instant::now() + MAX_WAIT;
    while second.counters().dropped(DropReason::Closed) == 0 {
        assert!(Instant::now() < deadline, "it is still open");
        offer(&exporters, 1, &["x"]);
        thread::yield_now();
    }
    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    let mut line = String::new();
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    // Events that were offered after the end began are lost.
    assert!(!closing.join().unwrap());
}
