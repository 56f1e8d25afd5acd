//! Whole lines through everything: what one worker of a server does with the
//! bytes of its clients.
//!
//! Two streams. *Recorded*: the lines of the recording as they were sent, with
//! all that begins, is updated and ends. *Flat*: only named events, each with
//! all that it inherits written into its line (409 bytes on average would be
//! the mix of a busy server).

use std::{collections::HashMap, fmt::Write as _};

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::{Engine, ExportSink, Exported, ObserverId};
use fantail_event::{Dialect, EffectiveEvent, Timestamp};
use fantail_filter::Filter;
use fantail_format::ExportContext;
use fantail_syntax::ParseOptions;
use fantail_wire::{Connection, Intake, Limits};

use crate::{Recording, counting, rules::Lines};

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

    /// A filter on the event name that is nearest to one in a hundred events.
    ///
    /// # Panics
    /// Never: a name is a filter.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a filter of our own")]
    pub fn rare_name(&self) -> Filter {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for line in self.clients.iter().flatten() {
            let mut arguments = line.split(|byte| *byte == b'\t').skip(5);
            let name = arguments.find_map(|argument| argument.strip_prefix(b"n"));
            *counts.entry(name.unwrap_or_default()).or_default() += 1;
        }
        counts.remove(&b""[..]);
        let wanted = self.events / 100;
        let nearest = counts.into_iter().min_by_key(|(name, count)| {
            // The first of equal ones, so that the choice is stable.
            (count.abs_diff(wanted), *name)
        });
        let name = nearest.map_or(&b"none"[..], |(name, _)| name);
        let text = [b"event=", name].concat();
        Filter::parse(&text, &ParseOptions::new(Dialect::V2_4)).expect("a name")
    }

    /// Each client's lines.
    pub fn clients(&self) -> impl Iterator<Item = &[Vec<u8>]> {
        self.clients.iter().map(Vec::as_slice)
    }

    /// Commands that match several `counting` metrics.
    #[must_use]
    pub fn commands(events: u64) -> Self {
        let mut client = vec![HANDSHAKE.to_vec()];
        let text = counting::lines(events);
        client.extend(text.lines().map(|line| line.as_bytes().to_vec()));
        Self {
            clients: vec![client],
            events: usize::try_from(events).unwrap_or(usize::MAX),
        }
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

/// Metrics with two fields and filters of five shapes: an event of
/// [`Stream::commands`] matches some.
#[must_use]
pub fn with_fields(count: u64) -> Settings {
    settings(&counting::metrics(count))
}

/// Metrics that each event matches, with a series for each user and command.
#[must_use]
pub fn by_user_and_command(count: usize) -> Settings {
    let metric = |at| {
        format!(
            "metric m{at} {{\n filter = event=*\n group_by user {{\n }}\n \
             group_by cmd_name {{\n }}\n}}\n"
        )
    };
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
    let options = LoadOptions {
        dialect: Some(Dialect::V2_4),
        ..LoadOptions::default()
    };
    let loaded = load_text("bench.conf", text, &options).accept();
    loaded.expect("a right configuration").settings
}

/// A worker with all that it keeps from one event to the next.
#[derive(Debug)]
pub struct Worker {
    engine: Engine,
    intake: Intake,
    /// Bytes exported.
    pub exported: usize,
    /// Whether observers want what they match.
    wants_observed: bool,
    /// Events that an observer got.
    pub observed: usize,
}

/// Where a worker's engine leaves what it exports.
struct Sink<'a> {
    exported: &'a mut usize,
    observed: &'a mut usize,
    wants_observed: bool,
}

impl ExportSink for Sink<'_> {
    fn export(&mut self, exported: Exported<'_>) {
        *self.exported += exported.payload.len();
    }

    fn wants_observed(&mut self, _: ObserverId, _: usize) -> bool {
        self.wants_observed
    }

    fn observed(&mut self, _: ObserverId, event: &EffectiveEvent<'_>, _: ExportContext<'_>) {
        event.each_field(|key, value| _ = std::hint::black_box((key, value)));
        *self.observed += 1;
    }
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
            intake: Intake::new(),
            exported: 0,
            wants_observed: true,
            observed: 0,
        }
    }

    /// The same, with a filter that watches as a tap does; `wants` says whether
    /// there is room for what it matches.
    #[must_use]
    pub fn observed(mut self, filter: Filter, wants: bool) -> Self {
        self.engine.observe([filter]);
        self.wants_observed = wants;
        self
    }

    /// Takes all that the clients sent.
    #[inline(never)] // Its instructions are counted.
    pub fn play(&mut self, stream: &Stream) {
        let context = ExportContext {
            host: b"host",
            received_at: Timestamp::from_unix_micros(1_795_328_191_000_000),
        };
        let Self {
            engine,
            intake,
            exported,
            wants_observed,
            observed,
        } = self;
        let mut sink = Sink {
            exported,
            observed,
            wants_observed: *wants_observed,
        };
        for lines in stream.clients() {
            let mut connection = Connection::new(Dialect::V2_4, Limits::default());
            for line in lines {
                let handled = connection.handle(line, intake, |activity| {
                    engine.step(&activity, context, &mut sink);
                });
                // The tests hold that recordings are read without an error.
                handled.ok();
            }
            connection.close(intake, |activity| {
                engine.step(&activity, context, &mut sink);
            });
        }
    }

    /// Reads all events, and does nothing with them.
    #[inline(never)]
    pub fn play_nothing(&mut self, stream: &Stream) {
        for lines in stream.clients() {
            let mut connection = Connection::new(Dialect::V2_4, Limits::default());
            for line in lines {
                let handled = connection.handle(line, &mut self.intake, |activity| {
                    std::hint::black_box(activity);
                });
                handled.ok();
            }
            connection.close(&mut self.intake, |activity| {
                std::hint::black_box(activity);
            });
        }
    }
}
