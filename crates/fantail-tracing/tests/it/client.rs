//! The client of a stats-writer socket, at a scripted server and at real Dovecots.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    thread,
    time::Duration,
};

use fantail_event::{CategoryTree, Dialect, Event, EventView as _, SentEvent, Timestamp, ValueRef};
use fantail_testkit::dovecot::{Installation, Site, StatsService, Users, Version};
use fantail_tracing::{LayerBuilder, StatsClient};
use tempfile::TempDir;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

/// More than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    listener: UnixListener,
    path: PathBuf,
    _folder: TempDir,
}

/// The server's end of a connection.
struct Connection {
    reader: BufReader<UnixStream>,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats-writer");
        Self {
            listener: UnixListener::bind(&path).unwrap(),
            path,
            _folder: folder,
        }
    }

    /// Accepts a connection and sends the handshake with this filter.
    fn accept(&self, filter: &str) -> Connection {
        let (stream, _) = self.listener.accept().unwrap();
        let mut connection = Connection {
            reader: BufReader::new(stream),
        };
        connection.send("VERSION\tstats-server\t4\t0");
        connection.send(&format!("FILTER\t{filter}"));
        assert_eq!(connection.line(), "VERSION\tstats-client\t4\t0");
        connection
    }
}

impl Connection {
    fn send(&mut self, line: &str) {
        let stream = self.reader.get_mut();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// The next event.
    fn event(&mut self, tree: &CategoryTree) -> Event {
        let line = self.line();
        let event = line.strip_prefix("EVENT\t0\t0\t").unwrap();
        let (_level, event) = event.split_once('\t').unwrap();
        Event::parse(event.as_bytes(), tree, Dialect::V2_4).unwrap()
    }

    fn number(&mut self) -> i64 {
        match self
            .event(CategoryTree::empty())
            .as_event_ref()
            .field(b"number")
        {
            Some(ValueRef::Int(number)) => number,
            other => panic!("{other:?}"),
        }
    }
}

fn send(client: &StatsClient, name: &str, number: i64) {
    let event = Event::builder(Timestamp::default());
    let event = event.name(name).field("number", number).build().unwrap();
    client.send(&SentEvent::alone(&event));
}

#[test]
fn only_what_the_filter_of_the_server_matches_is_sent() {
    let server = Server::new();
    let client = StatsClient::connect(&server.path).unwrap();
    send(&client, "before", 0);
    let mut connection = server.accept("(event=\"wanted\" AND \"number\">\"1\")");
    assert!(client.wait_until_ready(PATIENCE));
    for number in 0..4 {
        send(&client, "wanted", number);
        send(&client, "other", number);
    }
    assert_eq!([connection.number(), connection.number()], [2, 3]);
    assert!(client.flush(PATIENCE));
    let counters = client.counters();
    assert_eq!((counters.accepted, counters.unwanted), (2, 7));
}

#[test]
fn a_new_connection_goes_on_where_the_last_one_ended() {
    let server = Server::new();
    let client = StatsClient::connect(&server.path).unwrap();
    let mut numbers = Vec::new();
    let mut next = 0..;
    for _ in 0..4 {
        let mut connection = server.accept("event=\"e\"");
        assert!(client.wait_until_ready(PATIENCE));
        for number in next.by_ref().take(100) {
            send(&client, "e", number);
        }
        let waiting = 100 + if numbers.is_empty() { 0 } else { 50 };
        numbers.extend((0..waiting).map(|_| connection.number()));
        assert!(client.flush(PATIENCE));
        drop(connection);
        // They wait for the next connection.
        for number in next.by_ref().take(50) {
            send(&client, "e", number);
        }
    }
    let expected: Vec<i64> = (0..numbers.len() as i64).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn a_buffer_that_is_full_drops_and_counts() {
    let server = Server::new();
    let client = StatsClient::with_buffer(&server.path, 64 * 1024).unwrap();
    let mut connection = server.accept("event=\"e\"");
    assert!(client.wait_until_ready(PATIENCE));
    let mut number = 0;
    while client.counters().dropped == 0 {
        send(&client, "e", number);
        number += 1;
    }
    let accepted = client.counters().accepted;
    assert_eq!(accepted + client.counters().dropped, number as u64);
    for expected in 0..accepted as i64 {
        assert_eq!(connection.number(), expected);
    }
    assert!(client.close(PATIENCE));
}

#[test]
fn a_server_of_another_protocol_gets_no_event() {
    let server = Server::new();
    let client = StatsClient::connect(&server.path).unwrap();
    let (stream, _) = server.listener.accept().unwrap();
    let mut other = Connection {
        reader: BufReader::new(stream),
    };
    other.send("VERSION\tstats-server\t5\t0");
    other.send("FILTER\tevent=\"e\"");
    assert_eq!(other.line(), "VERSION\tstats-client\t4\t0");
    // The end of the connection.
    assert_eq!(other.line(), "");
    assert_eq!(client.filter(), None);
}

#[test]
fn categories_are_registered_before_their_first_event_on_each_connection() {
    let mut tree = CategoryTree::default();
    tree.register(b"mail", None).unwrap();
    tree.register(b"imap", Some(b"mail")).unwrap();
    let event = Event::builder(Timestamp::default())
        .name("e")
        .category("imap");
    let event = event.build().unwrap();
    let sent = SentEvent {
        categories: &tree,
        ..SentEvent::alone(&event)
    };
    let server = Server::new();
    let client = StatsClient::connect(&server.path).unwrap();
    for _ in 0..2 {
        let mut connection = server.accept("(event=\"e\" AND category=\"mail\")");
        assert!(client.wait_until_ready(PATIENCE));
        client.send(&sent);
        assert_eq!(connection.line(), "CATEGORY\tmail");
        assert_eq!(connection.line(), "CATEGORY\timap\tmail");
        let event = connection.event(&tree);
        assert!(event.as_event_ref().categories().eq([b"imap"]));
        assert!(client.flush(PATIENCE));
    }
}

#[test]
fn a_layer_follows_the_filter_of_the_server() {
    let server = Server::new();
    let client = StatsClient::connect(&server.path).unwrap();
    let (layer, handle) = LayerBuilder::new("").client(client).build().unwrap();
    let mut connection = server.accept("");
    let client = handle.client().unwrap();
    assert!(client.wait_until_ready(PATIENCE));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let request = || {
            let _session = info_span!("session", user = "anna").entered();
            info_span!("request", bytes = 17).in_scope(|| info!("not sent"));
        };
        request();
        assert_eq!(client.counters().accepted, 0);
        connection.send("FILTER\t(event=\"request\" AND \"user\"=\"anna\")");
        while client.counters().accepted == 0 {
            request();
            thread::yield_now();
        }
    });
    let event = connection.event(CategoryTree::empty());
    let sent = SentEvent::alone(&event);
    assert_eq!(sent.name(), Some(&b"request"[..]));
    assert_eq!(sent.field(b"user"), Some(ValueRef::Str(b"anna")));
    assert_eq!(sent.field(b"bytes"), Some(ValueRef::Int(17)));
}

/// A real stats process counts the spans of a program as the layer does.
fn counted_by(version: Version, settings: &str) {
    let Some(installation) = Installation::find(version) else {
        return;
    };
    let mut site = Site::new(&installation, StatsService::Own, Users::None, settings);
    site.start();
    let client = StatsClient::connect(site.path("run/stats-writer")).unwrap();
    assert!(client.wait_until_ready(PATIENCE));
    let text = "metric requests {\n filter = event=request AND user=an*\n fields = bytes\n}\n";
    let (layer, handle) = LayerBuilder::new(text).client(client).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        for (user, bytes) in [("anna", 17), ("bob", 4), ("andy", 5), ("anna", 8)] {
            let _session = info_span!("session", user, note = "TAB\tand\nline").entered();
            info_span!("request", bytes, ok = true, ratio = 0.5).in_scope(|| ());
            info!("unnamed");
        }
    });
    assert!(handle.client().unwrap().flush(PATIENCE));
    // The socket has accepted the events; the process reads them in its own time.
    let dump = loop {
        let output = site.doveadm_output(&["stats", "dump"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let row = |field: &str| {
            let row = text
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>());
            let mut rows = row.filter(|row| row.starts_with(&["requests", field]));
            rows.next().map(|row| row[2..4].join(" "))
        };
        match row("bytes") {
            Some(bytes) if bytes.starts_with("3 ") => break bytes,
            _ => assert!(site.log().is_empty() || !has_error(&site), "{text}"),
        }
    };
    assert_eq!(dump, "3 30");
    let samples = crate::samples(&handle);
    assert!(
        samples.contains(&"requests_total 3".to_owned()),
        "{samples:?}"
    );
    assert!(
        samples.contains(&"requests_bytes_total 30".to_owned()),
        "{samples:?}"
    );
    assert!(!has_error(&site));
}

fn has_error(site: &Site) -> bool {
    String::from_utf8_lossy(&site.log()).contains("Error")
}

#[test]
fn a_dovecot_2_3_counts_what_the_layer_counts() {
    counted_by(
        Version::V2_3,
        "metric requests {\n filter = event=request AND user=an*\n fields = bytes\n}\n",
    );
}

#[test]
fn a_dovecot_2_4_counts_what_the_layer_counts() {
    counted_by(
        Version::V2_4,
        "metric requests {\n filter = event=request AND user=an*\n fields = bytes\n}\n",
    );
}
