//! Events with all that they inherit: what is written of them, in each format, is
//! what the oracle's effective event is written as.

use fantail_event::{
    CategoryTree, EffectiveBuffers, EffectiveEvent, Elements, EventView, ExportView, Level,
    LiveEvents, LiveId, Parser, SentEvent, Timestamp, ValueRef,
};
use fantail_format::{Formatter, HashKey, KeyPattern, Mask};
use fantail_oracle::{Categories, Effective, Value, set};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::event::{self, CATEGORIES, categories};

/// Keys that are inherited, and texts of all that has to be escaped.
const KEYS: [&str; 9] = [
    "user",
    "k",
    "kk",
    "list",
    "duration",
    "event",
    "field_k",
    "Odd key=\"1\"",
    "k\u{e4}",
];
const TEXTS: [&[u8]; 14] = [
    b"",
    b"v",
    b"vvv",
    b"seven b",
    b"eight by",
    b"anna@example.com",
    b"two words, \\ and \"quotes\"",
    b"\x01n\x01t\x01r\x011\x010",
    b"\x1b[31m\x7f]",
    "\u{e4}\u{2028}\u{9b}\u{1f600}".as_bytes(),
    b"\xff broken \xe2\x82",
    b"192.0.2.77",
    b"a,b",
    b"01.2.3.4",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => select(&TEXTS[..]).prop_map(<[u8]>::to_vec),
        1 => (select(&TEXTS[..]), 990..1_010_usize)
            .prop_map(|(text, length)| [&vec![b'x'; length][..], text].concat()),
        2 => vec(prop_oneof![Just(b'a'), 14..=255_u8], 0..40),
    ]
}

/// An argument with what belongs to it.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let key = || select(&KEYS[..]).prop_map(|key| key.as_bytes().to_vec());
    let joined = |parts: &[&[u8]]| parts.join(&b'\t');
    prop_oneof![
        4 => (key(), text()).prop_map(move |(key, text)| {
            joined(&[&[b"S", key.as_slice()].concat(), &text])
        }),
        2 => (key(), any::<i64>(), 0..63_u32).prop_map(move |(key, number, shift)| {
            joined(&[&[b"I", key.as_slice()].concat(), (number >> shift).to_string().as_bytes()])
        }),
        1 => (key(), any::<i64>(), 0..63_u32).prop_map(move |(key, number, shift)| {
            let seconds = (number >> shift).to_string();
            joined(&[&[b"T", key.as_slice()].concat(), seconds.as_bytes(), b"70"])
        }),
        1 => (key(), select(&["192.0.2.9", "0.0.0.0", "010.1.1.1", "2001:db8::1", "fe80::1%eth0"][..]))
            .prop_map(move |(key, ip)| joined(&[&[b"P", key.as_slice()].concat(), ip.as_bytes()])),
        3 => (key(), vec(text(), 0..4)).prop_map(move |(key, list)| {
            let count = list.len().to_string();
            let start = joined(&[&[b"L", key.as_slice()].concat(), count.as_bytes()]);
            list.iter().fold(start, |all, element| joined(&[&all, element]))
        }),
        2 => select(&["croot1", "cmid1", "cleaf1", "l1795328192\t5", "none", "ntw\"o\u{e4}"][..])
            .prop_map(|part| part.as_bytes().to_vec()),
    ]
}

fn event(parts: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(part(), parts).prop_map(|parts| {
        let start = [b"1795328191\t267241".to_vec()];
        start
            .into_iter()
            .chain(parts)
            .collect::<Vec<_>>()
            .join(&b'\t')
    })
}

fn rules() -> impl Strategy<Value = FieldRules> {
    let patterns = || vec(select(&["user", "k*", "list", "missing"][..]), 0..2);
    let key = HashKey::new(b"a secret of more than sixteen").unwrap();
    let mask = select(vec![
        Mask::Hash(key),
        Mask::Truncate(3),
        Mask::Network { v4: 24, v6: 56 },
    ]);
    let masks = vec((select(&KEYS[..]), mask), 0..3);
    (patterns(), patterns(), masks).prop_map(|(allow, deny, masks)| {
        let all = |names: Vec<&str>| names.into_iter().map(KeyPattern::new).collect();
        let masks = masks.into_iter();
        FieldRules {
            allow: all(allow),
            deny: all(deny),
            masks: masks
                .map(|(key, mask)| (KeyPattern::new(key), mask))
                .collect(),
        }
    })
}

/// Settings but for format and dialect.
fn styles() -> impl Strategy<Value = FormatterSettings> {
    let fields = vec(select(&["list", "k", "missing", "duration"][..]), 0..4);
    let rules = option::weighted(0.5, rules());
    (fields, rules, any::<[bool; 3]>()).prop_map(|(fields, rules, [unix, cut, all])| {
        FormatterSettings {
            time_style: if unix {
                TimeStyle::Unix
            } else {
                TimeStyle::Rfc3339
            },
            parts: Parts::ALL,
            fields: match all {
                true => Vec::new(),
                false => fields.iter().map(|key| key.as_bytes().to_vec()).collect(),
            },
            rules: rules.unwrap_or_default(),
            cut_long_strings: cut,
            ..settings(Format::Json, Dialect::V2_4)
        }
    })
}

/// An effective event of the oracle as one that can be written, and the event it was
/// made from.
struct Oracle(Effective, fantail_oracle::Sent);

fn value(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Str(text) => ValueRef::from(text),
        Value::Int(number) => ValueRef::Int(*number),
        Value::Time(time) => ValueRef::Time(*time),
        Value::Ip(ip) => ValueRef::from(*ip),
        Value::List(list) => ValueRef::List(Elements::of(list, 0)),
    }
}

impl EventView for Oracle {
    fn level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    fn name(&self) -> Option<&[u8]> {
        self.0.name.as_deref()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        let mut fields = self.0.fields.iter();
        let (_, found) = fields.find(|(known, _)| known == key)?;
        Some(value(found))
    }
}

impl ExportView for Oracle {
    fn created(&self) -> Timestamp {
        self.0.created
    }

    fn sent(&self) -> Option<Timestamp> {
        self.0.sent
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.categories.iter().for_each(|name| each(name));
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        let fields = self.0.fields.iter();
        fields.for_each(|(key, field)| each(key, value(field)));
    }

    fn chosen_field(&self, key: &[u8], then: &mut dyn FnMut(ValueRef<'_>)) {
        let found = self.field(key);
        if let Some(found) = found.or_else(|| self.1.global_field(key).map(value)) {
            then(found);
        }
    }
}

/// What the oracle makes of the chains: the event, its parents and the global
/// event with its parents, each nearest first.
fn expected(chains: [&[Vec<u8>]; 3], dialect: Dialect) -> Oracle {
    let mut categories = Categories::default();
    for (name, parent) in CATEGORIES {
        categories.register(name, parent).unwrap();
    }
    let [event, parents, global] = chains.map(|chain| {
        let read = |text: &Vec<u8>| {
            let mut event = fantail_oracle::parse(text, &categories, dialect).unwrap();
            let duration = Value::Int(event.duration_micros());
            set(&mut event.fields, b"duration", duration);
            event
        };
        chain.iter().map(read).collect::<Vec<_>>()
    });
    let sent = fantail_oracle::Sent {
        level: Level::Info,
        event: event[0].clone(),
        parents,
        global,
    };
    Oracle(sent.effective(&categories), sent)
}

/// Begins the events of a chain, which is given nearest first.
fn begin(
    live: &mut LiveEvents,
    chain: &[Vec<u8>],
    categories: &CategoryTree,
    dialect: Dialect,
) -> Option<LiveId> {
    let mut parser = Parser::new();
    chain.iter().rev().fold(None, |parent, text| {
        let event = parser.parse(text, categories, dialect).unwrap();
        Some(live.insert(parent, event).unwrap())
    })
}

/// Checks all formats, with one's buffers after another.
fn check_all(
    chains: [&[Vec<u8>]; 3],
    styles: &FormatterSettings,
    buffers: &mut EffectiveBuffers,
) -> Result<(), TestCaseError> {
    let categories = categories();
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let mut live = LiveEvents::new();
        let [parents, global] =
            [chains[1], chains[2]].map(|chain| begin(&mut live, chain, &categories, dialect));
        let mut parser = Parser::new();
        let sent = SentEvent {
            level: Level::Info,
            event: parser.parse(&chains[0][0], &categories, dialect).unwrap(),
            parents: &live.ancestors(parents).collect::<Vec<_>>(),
            global: &live.ancestors(global).collect::<Vec<_>>(),
            categories: &categories,
        };
        let effective = buffers.gather(&sent);
        let oracle = expected(chains, dialect);
        for (name, format) in Format::NAMES {
            let formatter = Formatter::new(FormatterSettings {
                format: *format,
                dialect,
                ..styles.clone()
            });
            let write = |event| event::format(&formatter, event).escape_ascii().to_string();
            let expected = EffectiveEvent::from(&oracle as &dyn ExportView);
            prop_assert_eq!(
                write(&effective),
                write(&expected),
                "{} {:?}",
                name,
                dialect
            );
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn inherited_fields_in_all_formats(
        events in vec((event(0..14), vec(event(0..6), 0..4), vec(event(0..4), 0..3)), 1..3),
        styles in styles(),
    ) {
        let mut buffers = EffectiveBuffers::new();
        for (event, parents, global) in &events {
            let event = std::slice::from_ref(event);
            check_all([event, parents, global], &styles, &mut buffers)?;
        }
    }

    /// Beyond what is looked through, and what is near it.
    #[test]
    fn events_of_many_fields_too(count in 120..140_usize, repeated in any::<bool>()) {
        let mut event = b"1795328191\t267241\tnone".to_vec();
        for at in 0..count {
            let at = if repeated { at / 2 } else { at };
            event.extend_from_slice(format!("\tIkey{at}\t{at}").as_bytes());
        }
        let parents = [b"1795328191\t267241\tIkey7\t8\tSduration\tx".to_vec()];
        let styles = FormatterSettings {
            parts: Parts::ALL,
            ..settings(Format::Json, Dialect::V2_4)
        };
        check_all([&[event], &parents, &[]], &styles, &mut EffectiveBuffers::new())?;
    }
}
