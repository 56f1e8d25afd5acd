//! A raw event costs no allocation once others of its kind were seen, and a
//! live one few. A program of its own, for an allocator of its own.

#![allow(unsafe_code, reason = "an allocator that counts is one")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use fantail_config::{Options, load_text};
use fantail_engine::{Engine, ExporterId};
use fantail_event::{CategoryTree, Dialect, Scan, Timestamp};
use fantail_format::Moment;
use fantail_wire::{Connection, Limits};

/// The system's allocator, counting for each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count_one() {
    COUNT.with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is the system allocator's; the counter is beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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

/// Plays lines, some of them before counting begins; how many allocations
/// those had that were counted.
fn allocations(before: &[&str], counted: &[&str]) -> usize {
    let options = Options {
        dialect: Some(Dialect::V2_4),
        ..Options::default()
    };
    let settings = load_text("test.conf", configuration(), &options).settings;
    assert_eq!(settings.metrics.len(), 3 + 2 * FORMATS.len());
    let mut engine = Engine::new(&settings).unwrap();
    let (mut categories, mut scan) = (CategoryTree::default(), Scan::new());
    let mut connection = Connection::new(Dialect::V2_4, Limits::default());
    let mut play = |lines: &[&str]| {
        for line in lines {
            let handled =
                connection.handle_raw(line.as_bytes(), &mut categories, &mut scan, |sending| {
                    let moment = Moment {
                        hostname: b"host",
                        now: Timestamp::default(),
                    };
                    engine.handle_raw(sending, moment, &mut |_: ExporterId, _: &[u8]| ());
                });
            handled.unwrap();
        }
    };
    play(&["VERSION\tstats-client\t4\t0", "CATEGORY\timap"]);
    play(before);
    let start = COUNT.get();
    play(counted);
    let count = COUNT.get() - start;
    let events = counted.iter().filter(|line| line.starts_with("EVENT"));
    let exported = 2 * FORMATS.len() * (events.count() + usize::from(!before.is_empty()));
    assert!(engine.counters().exported >= exported as u64);
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
