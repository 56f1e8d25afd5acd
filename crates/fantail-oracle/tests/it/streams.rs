//! Made-up clients and filters.

use std::collections::BTreeMap;

use fantail_event::Dialect;
use fantail_fuzz::SideBySide;
use fantail_wire::Limits;
use proptest::{collection::vec, prelude::*, sample::select};

const FILTERS: [&str; 40] = [
    "",
    "event=one",
    "event=*",
    "event=t?o AND k=v",
    "NOT event=one",
    "NOT event=one OR k=v",
    "event=one OR NOT event=*",
    "category=mail",
    "category=imap OR n>3",
    "category=\"a\tb\"",
    "NOT category=never",
    "NOT category=error",
    "category=debug",
    "category=info AND category=storage",
    "k=V*",
    "k=\"\"",
    "NOT k=*",
    "k>\"\"",
    "list=a",
    "list=A",
    "list=\"\"",
    "list=*b AND NOT list=c",
    "duration>20",
    "duration<=40 AND event=two",
    "duration=\"\"",
    "duration=4*",
    "n=5 OR n=-7",
    "n>=11",
    "n=1*",
    "n=\"\"",
    "source_location=file.c",
    "source_location=\"file.c:3\"",
    "source_location=other.c",
    "(event=one OR event=two) AND (k=v OR list=a OR n<0)",
    "t>1000",
    "ip=\"192.0.2.0/24\"",
    "ip=192.*",
    "missing=5",
    "f17=17 OR f200=200",
    "NOT (k=v AND NOT (n=5 OR category=storage))",
];

/// Filters that require a name, each for another reason, and two that do not.
/// Where all do, Dovecot 2.4 skips events without a name.
const NAMED: [&str; 8] = [
    "",
    "NOT event=one",
    "NOT (event=one AND k=v)",
    "event=one OR NOT event=two",
    "category=storage AND NOT event=*",
    "NOT (k=v AND (event=one AND n=5))",
    "event=one OR k=v",
    "NOT (event=one OR list=a)",
];

/// Parts of an event that most often can be read.
const PARTS: [&str; 52] = [
    "none",
    "ntwo",
    "none",
    "n",
    "nt\x01to",
    "cmail",
    "cimap",
    "cstorage",
    "ca\x01tb",
    "sfile.c\t3",
    "sfile.c\t0",
    "sother.c\t4",
    "l1700000000\t30",
    "l1700000000\t70",
    "l1700000001\t0",
    "l1600000000\t0",
    "l0\t5",
    "Sk\tv",
    "Sk\tV*",
    "Sk\t",
    "Sk\txv",
    "Lk\t1\tv",
    "Ik\t5",
    "In\t5",
    "In\t-7",
    "In\t11",
    "In\t9223372036854775807",
    "Sn\ttext",
    "Sn\t",
    "Llist\t2\ta\tb",
    "Llist\t3\tb\tb\ta",
    "Llist\t1\tc",
    "Llist\t0",
    "Llist\t2\t\td",
    "Slist\ta",
    "Slist\t",
    "Tt\t1001\t2",
    "It\t2000000000",
    "Pip\t192.0.2.7",
    "Pip\tfe80::1%eth0",
    "Sip\t192.0.2.9",
    "Iduration\t3",
    "Sduration\tlong",
    "Lduration\t1\tx",
    "Sk\tv\x01t\x01n\x01\x31",
    "S\x01tk\tv",
    "a",
    "",
    "X",
    "Sk2\tv",
    "Imissing\t6",
    "Imissing\t5",
];

/// Parts that end an event with an error, or read what follows otherwise.
const WRONG: [&str; 22] = [
    "cunknown",
    "c",
    "S",
    "Sk",
    "I",
    "Ik\t",
    "Ik\t5x",
    "Ik\t+5",
    "In\t9223372036854775808",
    "L",
    "Llist\t-1",
    "Llist\t9\ta",
    "Llist\tx",
    "Tt\t1\t1000000",
    "Tt\tx",
    "Pip\tnowhere",
    "P",
    "l1",
    "lx",
    "sfile.c\t-1",
    "sfile.c",
    "l\t",
];

fn filters() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        3 => vec(select(&FILTERS[..]), 0..16),
        1 => vec(select(&NAMED[..]), 0..4),
    ]
}

/// Many fields: more than are searched one by one, or more than are allowed.
fn many() -> impl Strategy<Value = String> {
    (
        select(&[0, 5, 100, 900][..]),
        select(&[3, 130, 130, 1_000, 1_025][..]),
    )
        .prop_map(|(from, count)| {
            let fields = (from..from + count).map(|at| format!("If{at}\t{at}"));
            fields.collect::<Vec<_>>().join("\t")
        })
}

fn event() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        600 => select(&PARTS[..]).prop_map(str::to_owned),
        4 => select(&WRONG[..]).prop_map(str::to_owned),
        3 => many(),
    ];
    let start = prop_oneof![
        200 => Just("1700000000\t10"),
        1 => Just("1700000000"),
        1 => Just("x\t0"),
        1 => Just(""),
    ];
    (start, vec(part, 0..10)).prop_map(|(start, mut parts)| {
        parts.insert(0, start.to_owned());
        parts.join("\t")
    })
}

#[derive(Debug, Clone)]
enum Line {
    Event {
        global: u8,
        parent: u8,
        level: u8,
        event: String,
    },
    Begin {
        id: u8,
        parent: u8,
        level: u8,
        event: String,
    },
    Update {
        id: u8,
        event: String,
    },
    End {
        id: u8,
    },
    Other(&'static str),
    Close,
}

/// Lines that are no event; some are refused.
const OTHERS: [&str; 24] = [
    "",
    "",
    "CATEGORY\timap\tmail",
    "CATEGORY\tmail\tstorage",
    "CATEGORY\tnew",
    "CATEGORY\tnewer\tnew",
    "CATEGORY\ta\x01tb",
    "CATEGORY\tmail",
    "CATEGORY\tx\tunknown",
    "CATEGORY",
    "CATEGORY\t",
    "END",
    "END\t",
    "END\t9",
    "END\tx",
    "BEGIN",
    "BEGIN\t9\t9\t0\t1\t0",
    "UPDATE\t9\t0\t1\t0",
    "UPDATE\t1",
    "EVENT\t0\t0",
    "EVENT\t0\t0\t6\t1\t0",
    "EVENT\t0\t0\t0",
    "BEGIN\t8\t0\t01\t1\t0\tSk\tv",
    "NOTHING\t1",
];

fn line() -> impl Strategy<Value = Line> {
    let id = || 1..7_u8;
    let or_none = || prop_oneof![1 => Just(0), 2 => id()];
    let level = || 0..6_u8;
    prop_oneof![
        12 => (or_none(), or_none(), level(), event()).prop_map(
            |(global, parent, level, event)| Line::Event { global, parent, level, event }),
        8 => (id(), or_none(), level(), event()).prop_map(
            |(id, parent, level, event)| Line::Begin { id, parent, level, event }),
        4 => (id(), event()).prop_map(|(id, event)| Line::Update { id, event }),
        3 => id().prop_map(|id| Line::End { id }),
        1 => select(&OTHERS[..]).prop_map(Line::Other),
        1 => Just(Line::Close),
    ]
}

/// The ids that live on one connection, with their parents, as a client knows
/// them: so that few lines name an unknown event.
#[derive(Debug, Default)]
struct Client {
    parents: BTreeMap<u8, u8>,
}

impl Client {
    /// The line's text. Of six lines in seven, an unknown id becomes a known
    /// one or none.
    fn text(&mut self, at: usize, line: &Line) -> String {
        let careful = at % 29 != 28;
        let known = |id: u8| match !careful || self.parents.contains_key(&id) {
            true => id,
            false => 0,
        };
        match line {
            Line::Event {
                global,
                parent,
                level,
                event,
            } => {
                format!(
                    "EVENT\t{}\t{}\t{level}\t{event}",
                    known(*global),
                    known(*parent)
                )
            }
            Line::Begin {
                id,
                parent,
                level,
                event,
            } => {
                let parent = known(*parent);
                let mut id = *id;
                while careful && self.parents.contains_key(&id) {
                    id += 7;
                }
                let text = format!("BEGIN\t{id}\t{parent}\t{level}\t{event}");
                self.parents.insert(id, parent);
                text
            }
            Line::Update { id, event } => {
                let id = known(*id);
                let parent = self.parents.get(&id).copied().unwrap_or(0);
                format!("UPDATE\t{id}\t{parent}\t{event}")
            }
            Line::End { id } => {
                let id = known(*id);
                self.parents.remove(&id);
                format!("END\t{id}")
            }
            Line::Other(text) => (*text).to_owned(),
            Line::Close => unreachable!("it is no line"),
        }
    }

    /// Whether a careful client would send the line at all.
    fn makes_sense(&self, line: &Line) -> bool {
        match line {
            Line::Update { id, .. } => {
                let parent = self.parents.get(id);
                parent.is_some_and(|parent| *parent == 0 || self.parents.contains_key(parent))
            }
            Line::End { id } => self.parents.contains_key(id),
            _ => true,
        }
    }
}

const START: [&str; 5] = [
    "VERSION\tstats-client\t4\t0",
    "CATEGORY\tstorage",
    "CATEGORY\tmail\tstorage",
    "CATEGORY\timap\tmail",
    "CATEGORY\ta\x01tb",
];

fn check(dialect: Dialect, filters: &[&str], lines: &[(usize, Line)], limits: &Limits) {
    let filters = filters.iter().map(|filter| filter.as_bytes());
    let mut servers = SideBySide::new(filters, dialect, limits);
    let mut clients: Vec<Client> = (0..3).map(|_| Client::default()).collect();
    for client in 0..clients.len() {
        assert!(
            START
                .iter()
                .all(|line| servers.line(client, line.as_bytes()))
        );
    }
    for (at, (client, line)) in lines.iter().enumerate() {
        let known = &mut clients[*client];
        if at % 29 != 28 && !known.makes_sense(line) {
            continue;
        }
        let accepted = match line {
            Line::Close => {
                servers.close(*client);
                false
            }
            line => servers.line(*client, known.text(at, line).as_bytes()),
        };
        if !accepted {
            *known = Client::default();
            assert!(
                START
                    .iter()
                    .all(|line| servers.line(*client, line.as_bytes()))
            );
        }
    }
    servers.finish();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn fantail_agrees_with_the_oracle(
        dialect in select(&[Dialect::V2_3, Dialect::V2_4][..]),
        filters in filters(),
        lines in vec((0..3_usize, line()), 1..80),
        (live_events, ancestors) in select(&[(100_000, 255), (100_000, 255), (4, 255), (100, 2)][..]),
    ) {
        let limits = Limits { live_events, ancestors, ..Limits::default() };
        check(dialect, &filters, &lines, &limits);
    }

    #[test]
    fn handshakes_agree(words in vec(select(&[
        "VERSION", "stats-client", "stats-server", "4", "5", "04", "0", "1", "4294967295", "4294967296",
        "18446744073709551616", "+4", "-0", "", "x", "\x01\x34",
    ][..]), 0..4), good in 0..5_usize) {
        let good = ["VERSION", "stats-client", "4", "0"].into_iter().take(good);
        let line = good.chain(words).collect::<Vec<_>>().join("\t");
        let mut servers = SideBySide::new([].into_iter(), Dialect::V2_4, &Limits::default());
        servers.line(0, line.as_bytes());
        // Known only after a handshake.
        servers.line(0, b"CATEGORY\tmail");
        servers.finish();
    }
}
