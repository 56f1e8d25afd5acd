//! Sets against their filters one at a time, on random filters and events of
//! every kind, while filters come and go.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use fantail_event::{CategoryTree, Dialect, Event, EventBuilder, Level, SentEvent, ValueRef};
use fantail_filter::{Filter, FilterId, FilterSet, Matcher};
use fantail_syntax::ParseOptions;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{events, sets::check_set, values};

const NAMES: &[&str] = &["x", "xy", "X*", "imap_done", "imap_begun"];
const CATEGORIES: &[&str] = &["mail", "mailbox", "storage", "imap", "sql", "unheard-of"];
const KEYS: &[&str] = &["a", "b", "list", "duration", "user"];
const VALUES: &[&str] = &[
    "x",
    "X",
    "xy",
    "axe",
    "42",
    "-42",
    "420",
    "1k",
    "it's",
    "",
    "10.1.2.3",
    "::1",
    "fe80::1",
    "5M",
    "2 secs",
    "12345678",
    "1234567890",
    "o.c",
    "o.c:7",
    "9223372036854775807",
    "9223372036854775808",
    "yes",
    "no",
    "nan",
    "42.0",
    "-0.5",
];
const PATTERNS: &[&str] = &[
    "x*",
    "*x",
    "*x*",
    "*",
    "?",
    "4*",
    "*2",
    "4?",
    "x?",
    "X*Y",
    "10.*",
    "10.0.0.0/8",
    "::/0",
    "fe80::/10",
    "fe80::1%2",
    "0.0.0.0/0",
    "*.3",
    "imap_*",
    "*_done",
    r"\*",
    r"x\*",
    r"\\",
    "-*",
    "*.*",
    "*e*",
    "y*",
];

fn categories() -> CategoryTree {
    events::categories()
}

fn field() -> impl Strategy<Value = String> {
    let key = || select(KEYS);
    let numbers = [0, 42, 420, -42, 1024, 2_000_000, i64::MAX, i64::MIN];
    let addresses = [
        "10.1.2.3",
        "10.1.2.4",
        "::1",
        "fe80::1",
        "fe80::1%2",
        "::ffff:10.1.2.3",
    ];
    prop_oneof![
        4 => (key(), select(VALUES)).prop_map(|(key, value)| format!("S{key}\t{value}")),
        3 => (key(), select(numbers.to_vec())).prop_map(|(key, n)| format!("I{key}\t{n}")),
        2 => (key(), select(addresses.to_vec())).prop_map(|(key, ip)| format!("P{key}\t{ip}")),
        1 => key().prop_map(|key| format!("T{key}\t42\t0")),
        2 => (key(), vec(select(VALUES), 0..4)).prop_map(|(key, list)| {
            let elements: String = list.iter().map(|element| format!("\t{element}")).collect();
            format!("L{key}\t{}{elements}", list.len())
        }),
    ]
}

/// The text form of an event, and fields of values that have none.
type Made = (String, Vec<(&'static str, ValueRef<'static>)>);

fn event() -> impl Strategy<Value = Made> {
    let others = vec((select(KEYS), values::any()), 0..3);
    (event_text(), prop_oneof![Just(Vec::new()), others])
}

fn event_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        1 => Just(String::new()),
        4 => select(NAMES).prop_map(|name| format!("\tn{name}")),
    ];
    let place = prop_oneof![Just(""), Just("\tso.c\t7"), Just("\tsp.c\t0")];
    let sent = prop_oneof![Just(""), Just("\tl3\t0"), Just("\tl1\t42")];
    let categories = vec(select(&CATEGORIES[..5]), 0..3);
    (name, place, sent, categories, vec(field(), 0..6)).prop_map(
        |(name, place, sent, categories, fields)| {
            let categories: String = categories.iter().map(|it| format!("\tc{it}")).collect();
            let fields: String = fields.iter().map(|field| format!("\t{field}")).collect();
            format!("1\t0{place}{sent}{name}{categories}{fields}")
        },
    )
}

#[derive(Debug)]
struct Sending {
    level: Level,
    own: Vec<Made>,
    global: Vec<Made>,
}

fn sending() -> impl Strategy<Value = Sending> {
    (
        select(&Level::ALL[..]),
        vec(event(), 1..4),
        vec(event(), 0..3),
    )
        .prop_map(|(level, own, global)| Sending { level, own, global })
}

impl Sending {
    fn with<T>(&self, categories: &CategoryTree, receive: impl FnOnce(&SentEvent<'_>) -> T) -> T {
        let make = |(text, others): &Made| -> Event {
            let parsed = events::parse(text.as_bytes(), categories, Dialect::V2_4);
            let set = |event: EventBuilder, (key, value): &(&str, ValueRef<'static>)| {
                event.field(key, *value)
            };
            let made = others.iter().fold(EventBuilder::from(parsed), set);
            made.build().unwrap()
        };
        let parse = |all: &Vec<Made>| -> Vec<Event> { all.iter().map(make).collect() };
        let (own, global) = (parse(&self.own), parse(&self.global));
        receive(&SentEvent {
            level: self.level,
            parents: &events::ancestors(&own[1..]),
            global: &events::ancestors(&global),
            categories,
            ..SentEvent::alone(&own[0])
        })
    }
}

fn comparison() -> impl Strategy<Value = String> {
    let value = || prop_oneof![select(VALUES), select(PATTERNS)];
    let operators = ["=", "=", "=", ">", "<", ">=", "<="];
    prop_oneof![
        2 => prop_oneof![select(NAMES), select(PATTERNS)].prop_map(|v| format!("event=\"{v}\"")),
        1 => select(CATEGORIES).prop_map(|v| format!("category={v}")),
        1 => select(vec!["debug", "info", "warning", "panic"]).prop_map(|v| format!("category={v}")),
        1 => select(VALUES).prop_map(|v| format!("source_location=\"{v}\"")),
        8 => (select(KEYS), select(operators.to_vec()), value())
            .prop_map(|(key, operator, value)| format!("{key}{operator}\"{value}\"")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    comparison().prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|a| format!("NOT ({a})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) AND ({b})")),
            2 => (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) OR ({b})")),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let dialects = vec![Dialect::V2_3, Dialect::V2_4];
    let text = prop_oneof![1 => Just(String::new()), 60 => expression()];
    (text, select(dialects)).prop_map(|(text, dialect)| {
        Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).unwrap()
    })
}

/// What happens to a set.
#[derive(Debug)]
enum Change {
    Insert(Filter),
    Extend(Vec<Filter>),
    /// The one at this place, counted round.
    Remove(usize),
    Send(Sending),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => filter().prop_map(Change::Insert),
        1 => vec(filter(), 0..8).prop_map(Change::Extend),
        3 => any::<usize>().prop_map(Change::Remove),
        6 => sending().prop_map(Change::Send),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn as_one_at_a_time(
        filters in vec(filter(), 0..60),
        sendings in vec(sending(), 1..12),
    ) {
        let categories = categories();
        let set: FilterSet = filters.iter().collect();
        let named: Vec<_> = set.ids().zip(filters).collect();
        let mut matcher = Matcher::new();
        for sending in &sendings {
            sending.with(&categories, |sent| check_set(&set, &named, &mut matcher, sent));
        }
    }

    #[test]
    fn while_filters_come_and_go(changes in vec(change(), 1..60)) {
        let categories = categories();
        let mut set = FilterSet::new();
        let mut named: Vec<(FilterId, Filter)> = Vec::new();
        let mut matcher = Matcher::new();
        for change in changes {
            match change {
                Change::Insert(filter) => named.push((set.insert(&filter), filter)),
                Change::Extend(filters) => {
                    set.extend(&filters);
                    let known = named.len();
                    let added = set.ids().skip(known).collect::<Vec<_>>();
                    named.extend(added.into_iter().zip(filters));
                }
                Change::Remove(_) if named.is_empty() => {}
                Change::Remove(at) => {
                    let (id, _) = named.remove(at % named.len());
                    assert!(set.remove(id) && !set.contains(id));
                }
                Change::Send(sending) => {
                    sending.with(&categories, |sent| check_set(&set, &named, &mut matcher, sent));
                }
            }
            assert_eq!(set.len(), named.len());
        }
        // As a set made of what is left.
        let rebuilt: FilterSet = named.iter().map(|(_, filter)| filter).collect();
        assert_eq!(rebuilt.requires_name(), set.requires_name());
        assert!(set.ids().eq(named.iter().map(|(id, _)| *id)));
    }
}
