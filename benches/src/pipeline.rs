//! Whole lines through everything: what one worker of a server does with the
//! bytes of its clients.
//!
//! Two streams. *Recorded*: the lines of the recording as they were sent, with
//! all that begins, is updated and ends. *Flat*: only named events, each with
//! all that it inherits written into its line (409 bytes on average would be
//! the mix of a busy server).

use std::fmt::Write as _;

use fantail_config::{Options, Settings, load_text};
use fantail_engine::{Engine, ExporterId};
use fantail_event::{CategoryTree, Dialect, Scan, Timestamp};
use fantail_format::Moment;
use fantail_wire::{Connection, Limits};

use crate::{Recording, rules::Lines};

/// What clients send: the lines of each, one after another.
#[derive(Debug)]
pub struct Stream {
    clients: Vec<Vec<Vec<u8>>>,
    /// How many events are sent, those of `BEGIN` among them.
    pub events: usize,
}

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0";

impl Stream {
    /// The recording of Dovecot 2.4.1.
    #[must_use]
    pub fn recorded() -> Self {
        let recording = Recording::dovecot_2_4();
        let clients = recording.clients();
        let owned = |lines: &Vec<&[u8]>| lines.iter().map(|line| line.to_vec()).collect();
        let clients: Vec<Vec<Vec<u8>>> = clients.iter().map(owned).collect();
        let is_event = |line: &&Vec<u8>| line.starts_with(b"EVENT") || line.starts_with(b"BEGIN");
        let events = clients.iter().flatten().filter(is_event).count();
        Self { clients, events }
    }

    /// Its named events, each whole.
    #[must_use]
    pub fn flat() -> Self {
        let lines = Lines::new();
        let mut client = vec![HANDSHAKE.to_vec()];
        for (name, parent) in lines.categories().iter() {
            let mut line = [b"CATEGORY\t", name].concat();
            if let Some(parent) = parent {
                line.extend_from_slice(&[b"\t", parent].concat());
            }
            client.push(line);
        }
        let events = lines.texts().iter();
        let events = events.map(|text| [b"EVENT\t0\t0\t1\t", text.as_slice()].concat());
        client.extend(events);
        Self {
            clients: vec![client],
            events: lines.texts().len(),
        }
    }

    /// A login each, of `users` users in a mixed order.
    #[must_use]
    pub fn logins(users: usize) -> Self {
        let mut client = vec![HANDSHAKE.to_vec()];
        for number in 0..users {
            // A prime that divides no round number: each comes once.
            let user = number * 7_919 % users;
            let line = format!(
                "EVENT\t0\t0\t1\t1795328191\t200548\tslogin.c\t27\tl1795328191\t{}\
                 \tnlogin_finished\tSuser\tuser{user:06}@example.com\tSservice\timap",
                200_600 + number % 977,
            );
            client.push(line.into_bytes());
        }
        Self {
            clients: vec![client],
            events: users,
        }
    }

    /// Each client's lines.
    pub fn clients(&self) -> impl Iterator<Item = &[Vec<u8>]> {
        self.clients.iter().map(Vec::as_slice)
    }

    /// All bytes, each line with its end.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let lines = self.clients.iter().flatten();
        lines.flat_map(|line| [line, &b"\n"[..]].concat()).collect()
    }
}

/// The limit: lines and TABs found with memchr, and nothing done.
#[must_use]
pub fn split(bytes: &[u8]) -> usize {
    let mut found = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = bytes.get(start..end).unwrap_or_default();
        for tab in memchr::memchr_iter(b'\t', line) {
            found += tab;
        }
        start = end + 1;
    }
    found
}

/// Settings of metrics with the filters of [`rules`](crate::rules).
///
/// # Panics
/// Never: they are right.
#[must_use]
pub fn typical(count: usize) -> Settings {
    let lines = Lines::new();
    let rules = lines.events().rules(count);
    let mut text = String::new();
    for (at, rule) in rules.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "metric m{at} {{\n  filter = {}\n}}", rule.filter());
    }
    settings(&text)
}

/// Metrics that each event matches, with a field and a level.
#[must_use]
pub fn all_match(count: usize) -> Settings {
    let metric = |at| {
        format!(
            "metric m{at} {{\n filter = event=*\n fields = net_in_bytes\n \
             group_by cmd_name {{\n }}\n}}\n"
        )
    };
    settings(&(0..count).map(metric).collect::<String>())
}

/// Metrics that each event matches, with nothing but durations.
#[must_use]
pub fn plain(count: usize) -> Settings {
    let metric = |at| format!("metric m{at} {{\n filter = event=*\n}}\n");
    settings(&(0..count).map(metric).collect::<String>())
}

/// One metric with a series for each user.
#[must_use]
pub fn by_user() -> Settings {
    settings("metric logins {\n filter = event=login_finished\n group_by user {\n }\n}\n")
}

/// One metric that exports each event.
#[must_use]
pub fn exported(format: &str) -> Settings {
    settings(&format!(
        "event_exporter out {{\n driver = drop\n format = {format}\n time_format = rfc3339\n}}\n\
         metric all {{\n filter = event=*\n exporter = out\n}}\n"
    ))
}

#[allow(clippy::expect_used, reason = "configurations of our own")]
fn settings(text: &str) -> Settings {
    let options = Options {
        dialect: Some(Dialect::V2_4),
        ..Options::default()
    };
    let loaded = load_text("bench.conf", text, &options).accept();
    loaded.expect("a right configuration").settings
}

/// A worker with all that it keeps from one event to the next.
#[derive(Debug)]
pub struct Worker {
    engine: Engine,
    scan: Scan,
    categories: CategoryTree,
    /// Bytes exported.
    pub exported: usize,
}

impl Worker {
    /// With these settings.
    ///
    /// # Panics
    /// Never: settings that were read are right.
    #[must_use]
    #[allow(clippy::expect_used, reason = "configurations of our own")]
    pub fn new(settings: &Settings) -> Self {
        Self {
            engine: Engine::new(settings).expect("settings that were read"),
            scan: Scan::new(),
            categories: CategoryTree::default(),
            exported: 0,
        }
    }

    /// Takes all that the clients sent.
    #[inline(never)] // Its instructions are counted.
    pub fn play(&mut self, stream: &Stream) {
        let moment = Moment {
            hostname: b"host",
            now: Timestamp::from_unix_micros(1_795_328_191_000_000),
        };
        let Self {
            engine,
            scan,
            categories,
            exported,
        } = self;
        for lines in stream.clients() {
            let mut connection = Connection::new(Dialect::V2_4, Limits::default());
            for line in lines {
                let mut sink = |_: ExporterId, payload: &[u8]| *exported += payload.len();
                let handled = connection.handle_raw(line, categories, scan, |sending| {
                    engine.handle_raw(sending, moment, &mut sink);
                });
                // The tests hold that recordings are read without an error.
                handled.ok();
            }
        }
    }

    /// Reads all events, and does nothing with them.
    #[inline(never)]
    pub fn play_nothing(&mut self, stream: &Stream) {
        for lines in stream.clients() {
            let mut connection = Connection::new(Dialect::V2_4, Limits::default());
            for line in lines {
                let (categories, scan) = (&mut self.categories, &mut self.scan);
                let handled = connection.handle_raw(line, categories, scan, |sending| {
                    std::hint::black_box(sending);
                });
                handled.ok();
            }
        }
    }

    /// The same by way of events as values.
    pub fn play_plainly(&mut self, stream: &Stream) {
        let moment = Moment {
            hostname: b"host",
            now: Timestamp::from_unix_micros(1_795_328_191_000_000),
        };
        let (engine, exported) = (&mut self.engine, &mut self.exported);
        for lines in stream.clients() {
            let mut connection = Connection::new(Dialect::V2_4, Limits::default());
            for line in lines {
                let mut sink = |_: ExporterId, payload: &[u8]| *exported += payload.len();
                let handled = connection.handle(line, &mut self.categories, |sent| {
                    engine.handle(sent, moment, &mut sink);
                });
                handled.ok();
            }
        }
    }
}
