//! An event costs no allocation once others of its kind were seen, and a live one
//! few; memory is no higher after many live events than before. A program of its
//! own, for an allocator of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fantail_config::{LoadOptions, load_text};
use fantail_engine::{Engine, Exported, RunningSessions};
use fantail_event::{Dialect, Timestamp};
use fantail_format::ExportContext;
use fantail_testkit::allocator::{self, CountingAllocator, live_bytes};
use fantail_wire::{Connection, Intake, Limits};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const METRICS: &str = "
metric by_command {
  filter = event=command_finished
  fields = bytes
  group_by user {
  }
}
metric large {
  filter = category=imap AND bytes>100 AND (user=an* OR list=b)
}
metric slow {
  filter = NOT event=login AND duration>10
}
";

/// Formats, and a target that takes each.
const FORMATS: [(&str, &str); 7] = [
    ("json", "drop"),
    ("tab-text", "drop"),
    ("none", "drop"),
    ("ndjson", "drop"),
    ("logfmt", "drop"),
    ("journal", "journal"),
    ("structured-data", "syslog"),
];

/// The metrics, and for each format one that exports everything in it and one
/// that exports a field and a part of another.
fn configuration() -> String {
    let exporters = FORMATS.iter().map(|(format, driver)| {
        format!(
            "event_exporter {format} {{\n driver = {driver}\n format = {format}\n}}\n\
             event_exporter {format}_little {{\n driver = {driver}\n format = {format}\n \
             fields_truncate = text:3\n fields_deny = k\n \
             event_id = yes\n}}\n\
             metric all_{format} {{\n filter = event=*\n exporter = {format}\n}}\n\
             metric little_{format} {{\n filter = event=*\n exporter = {format}_little\n \
             fields = user text\n}}\n"
        )
    });
    METRICS.to_owned() + &exporters.collect::<String>()
}

/// A client and the engine that follows it.
struct Server {
    engine: Engine,
    intake: Intake,
    connection: Connection,
}

impl Server {
    fn new(configuration: &str) -> Self {
        let options = LoadOptions {
            dialect: Some(Dialect::V2_4),
            ..LoadOptions::default()
        };
        let loaded = load_text("test.conf", configuration, &options).accept();
        let mut server = Self {
            engine: Engine::new(&loaded.unwrap().settings).unwrap(),
            intake: Intake::new(),
            connection: Connection::new(Dialect::V2_4, limits()),
        };
        server.play(&["VERSION\tstats-client\t4\t0", "CATEGORY\timap"]);
        server
    }

    fn play(&mut self, lines: &[&str]) {
        let (engine, intake) = (&mut self.engine, &mut self.intake);
        let context = ExportContext {
            host: b"host",
            received_at: Timestamp::default(),
        };
        for line in lines {
            let handled = self.connection.handle(line.as_bytes(), intake, |activity| {
                engine.step(&activity, context, &mut |_: Exported<'_>| ());
            });
            handled.unwrap();
        }
    }
}

/// Plays lines, some of them before counting begins; how many allocations
/// those had that were counted.
fn allocations(before: &[&str], counted: &[&str]) -> usize {
    let mut server = Server::new(&configuration());
    assert_eq!(
        server.engine.snapshot().metrics().len(),
        3 + 2 * FORMATS.len()
    );
    server.play(before);
    let start = allocator::allocations();
    server.play(counted);
    let count = allocator::allocations() - start;
    let events = counted.iter().filter(|line| line.starts_with("EVENT"));
    let exported = 2 * FORMATS.len() * (events.count() + usize::from(!before.is_empty()));
    assert!(server.engine.counters().exported >= exported as u64);
    count
}

const LIVE: &str =
    "BEGIN\t1\t0\t0\t1700000000\t10\tcimap\tSuser\tanna\tLlist\t1\tb\tSsession\tabcdefgh";
const EVENT: &str = "EVENT\t1\t1\t1\t1700000000\t10\tl1700000000\t70\tncommand_finished\
                     \tsfile.c\t12\tIbytes\t117\tLlist\t2\ta\tb\tStext\twith\x01tescape\tPip\t::1";

#[test]
fn an_event_allocates_nothing() {
    let before = [LIVE, EVENT];
    assert_ne!(allocations(&[], &before), 0);
    assert_eq!(allocations(&before, &[EVENT; 4]), 0);
}

#[test]
fn what_lives_allocates_little() {
    let update = "UPDATE\t2\t1\t1700000000\t10\tSmailbox\tINBOX\tIuid\t7";
    let child = "BEGIN\t2\t1\t0\t1700000000\t20\tSmailbox\tSent";
    let round = [child, update, EVENT, "END\t2"];
    let before = [&[LIVE, EVENT][..], &round, &round].concat();
    let rounds = [round, round, round, round].concat();
    let count = allocations(&before, &rounds);
    assert!(count <= 4 * 2, "{count} allocations in four rounds");
}

/// As many live events as by default, of any size.
fn limits() -> Limits {
    Limits {
        live_bytes: usize::MAX,
        ..Limits::default()
    }
}

/// Compares the allocated bytes after many events lived at one time with those
/// before.
#[track_caller]
fn check_spike(configuration: &str, living: u32, ended_first: impl Fn(u32) -> bool) {
    let mut server = Server::new(configuration);
    let play = |server: &mut Server, count: u32| {
        for id in 1..=count {
            // A child of the one before, or a root.
            let parent = if id % 2 == 0 { id - 1 } else { 0 };
            let begin = format!(
                "BEGIN\t{id}\t{parent}\t0\t1700000000\t10\tcimap\tSuser\tanna\tScmd_name\tx"
            );
            let event = format!("EVENT\t0\t{id}\t1\t1700000000\t10\tncommand_finished");
            server.play(&[&begin]);
            if id % 4 <= 1 {
                server.play(&[&event]);
            }
        }
        let peak = live_bytes();
        let ids = || 1..=count;
        for id in ids().filter(|id| ended_first(*id)) {
            server.play(&[&format!("END\t{id}")]);
        }
        // The children of those that ended are still told of.
        for id in ids().filter(|id| !ended_first(*id)) {
            let event = format!("EVENT\t0\t{id}\t1\t1700000000\t10\tncommand_finished");
            server.play(&[&event, &format!("END\t{id}")]);
        }
        assert!(server.intake.live_events().is_empty());
        peak
    };
    play(&mut server, 100);
    let before = live_bytes();
    let peak = play(&mut server, living);
    // Its table of ids is freed with the connection.
    let new = Connection::new(Dialect::V2_4, limits());
    std::mem::replace(&mut server.connection, new).close(&mut server.intake, |_| {});
    let after = live_bytes();
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
    assert!(
        peak - before > 200 * isize::try_from(living).unwrap(),
        "{} bytes",
        peak - before
    );
    // Tables of a thousand entries stay.
    assert!(after - before < 600 << 10, "{} bytes more", after - before);
}

#[test]
fn memory_after_many_live_events() {
    // As many as one connection may have.
    check_spike(METRICS, 100_000, |_| false);
    check_spike(METRICS, 10_000, |_| true);
}

/// Parents that end before their children are part of what is sent until these
/// end; nothing is remembered of them.
#[test]
fn memory_after_many_ended_parents() {
    check_spike(METRICS, 10_000, |id| id % 2 == 1);
}

#[test]
fn memory_after_many_sessions() {
    let sessions = "metric sessions {\n filter = event=fantail_session_finished\n}\n";
    let configuration = format!("{METRICS}{sessions}");
    check_spike(&configuration, 10_000, |_| false);
    check_spike(&configuration, 10_000, |id| id % 2 == 1);
}

/// The lists of many ancestors are joined once: memory for each element, not for
/// each element once for every ancestor below.
#[test]
fn joined_lists_take_memory_once() {
    let metric = "event_exporter e {\n driver = drop\n format = tab-text\n}\n\
                  metric m {\n filter = event=x\n exporter = e\n}\n";
    let mut server = Server::new(metric);
    for id in 1..=100 {
        let list = |key: &str| {
            let elements = (0..100).map(|n| format!("\t{key}{id}-{n}"));
            format!("\tL{key}\t100{}", elements.collect::<String>())
        };
        let begin = format!("BEGIN\t{id}\t{}\t0\t5\t5{}{}", id - 1, list("a"), list("b"));
        server.play(&[&begin]);
    }
    let before = live_bytes();
    server.play(&["EVENT\t0\t100\t0\t5\t5\tnx\tLa\t1\tlast"]);
    // 20,000 elements of 12 bytes, and the payload.
    let more = live_bytes() - before;
    assert!((200_000..1_500_000).contains(&more), "{more} bytes more");
}
