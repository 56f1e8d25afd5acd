//! Events that arrive twice, told apart by their ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::fixture::{Fixture, event, eventually};

const EVENTS: u64 = 200;

/// A server that takes what is posted, and says so only if it is told to.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    confirms: Arc<AtomicBool>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Target {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Self {
            address: listener.local_addr().unwrap(),
            confirms: Arc::default(),
            lines: Arc::default(),
        };
        let serving = target.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // One that was cut off arrives again.
                let _ = stream.and_then(|stream| serving.answer(BufReader::new(stream)));
            }
        });
        target
    }

    fn answer<S: Read + Write>(&self, mut stream: BufReader<S>) -> std::io::Result<()> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let body = String::from_utf8(body).unwrap();
        self.lines
            .lock()
            .unwrap()
            .extend(body.lines().map(str::to_owned));
        if self.confirms.load(Ordering::SeqCst) {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer)?;
        }
        Ok(())
    }

    /// What arrived, by id; how many lines there were.
    fn by_id(&self) -> (BTreeMap<String, BTreeSet<String>>, usize) {
        let lines = self.lines.lock().unwrap();
        let mut by_id: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in lines.iter() {
            let rest = line.strip_prefix("{\"event_id\":\"").unwrap();
            let (id, rest) = rest.split_once('"').unwrap();
            by_id
                .entry(id.to_owned())
                .or_default()
                .insert(rest.to_owned());
        }
        (by_id, lines.len())
    }
}

/// The target gets events, and the connection ends before it said so; then
/// the server ends. The next one sends them again, and others.
#[test]
fn what_arrives_twice_has_the_same_id() {
    let (folder, target) = (tempfile::tempdir().unwrap(), Target::start());
    let configuration = format!(
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
         event_exporter out {{\n  format = ndjson\n  driver = http-post\n  \
         http_post_url = http://{}/\n  http_client_request_absolute_timeout = 10 secs\n  \
         http_batch = lines\n  delivery = acknowledged\n  spool_path = {}\n  \
         retry_first = 10 ms\n  retry_longest = 50 ms\n  event_id = yes\n}}\n\
         metric all {{\n  filter = event=*\n  fields = x\n  exporter = out\n  \
         exporter_include = name fields\n}}\n",
        target.address,
        folder.path().join("spool").display()
    );
    let fixture = Fixture::within(folder, &configuration, |_| {});
    for x in 0..EVENTS / 2 {
        fixture.send(&event("a", x));
    }
    eventually("something arrives", || target.by_id().1 > 0);
    let folder = fixture.stop();
    target.confirms.store(true, Ordering::SeqCst);
    let fixture = Fixture::within(folder, &configuration, |_| {});
    for x in EVENTS / 2..EVENTS {
        fixture.send(&event("a", x));
    }
    eventually("all arrives", || target.by_id().0.len() as u64 >= EVENTS);
    drop(fixture);
    let (by_id, lines) = target.by_id();
    assert!(lines > by_id.len(), "nothing arrived twice");
    // Without repeated ids, each event is there once.
    let events = by_id.values().map(|lines| lines.first().unwrap().clone());
    let expected = (0..EVENTS).map(|x| format!(",\"event\":\"a\",\"x\":{x}}}"));
    assert!(by_id.values().all(|lines| lines.len() == 1));
    let mut events: Vec<String> = events.collect();
    let mut expected: Vec<String> = expected.collect();
    events.sort_unstable();
    expected.sort_unstable();
    assert_eq!(events, expected);
}
