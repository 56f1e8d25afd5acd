//! An event as it was read is written as the same event as a value: in each
//! format, whatever it inherits.

use fantail_event::{Gather, KeptEvent, RawSending, Scan};
use fantail_format::{HashKey, KeyPattern, Mask};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

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

const MOMENT: Moment<'_> = Moment {
    hostname: b"vm",
    now: Timestamp::from_unix_micros(7),
};

/// The events of a chain, kept as a server keeps them.
fn kept(chain: &[Vec<u8>], categories: &CategoryTree, dialect: Dialect) -> Vec<KeptEvent> {
    let mut scan = Scan::new();
    let mut kept = |text: &Vec<u8>| KeptEvent::new(scan.read(text, categories, dialect).unwrap());
    chain.iter().map(&mut kept).collect()
}

/// Checks all formats, with one's buffers after another.
fn check_all(
    [event, parents, global]: [&[Vec<u8>]; 3],
    styles: &FormatterSettings,
    gather: &mut Gather,
) -> Result<(), TestCaseError> {
    let categories = categories();
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let [parents, global] = [parents, global].map(|chain| kept(chain, &categories, dialect));
        let mut scan = Scan::new();
        let sending = RawSending {
            level: Level::Info,
            event: scan.read(&event[0], &categories, dialect).unwrap(),
            parents: &parents.iter().collect::<Vec<_>>(),
            global: &global.iter().collect::<Vec<_>>(),
            categories: &categories,
        };
        let flat = gather.gather(&sending);
        for (name, format) in Format::NAMES {
            let formatter = Formatter::new(FormatterSettings {
                format: *format,
                dialect,
                ..styles.clone()
            });
            let (mut ours, mut expected) = (Vec::new(), Vec::new());
            formatter.write_view(&flat, MOMENT, &mut ours);
            sending.with_sent(|sent| {
                formatter.write_flat(&sent.flatten(), MOMENT, &mut expected);
            });
            prop_assert_eq!(
                ours.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
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
    fn raw_events_are_written_alike(
        events in vec((event(0..14), vec(event(0..6), 0..4), vec(event(0..4), 0..3)), 1..3),
        styles in styles(),
    ) {
        let mut gather = Gather::new();
        for (event, parents, global) in &events {
            let event = std::slice::from_ref(event);
            check_all([event, parents, global], &styles, &mut gather)?;
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
        check_all([&[event], &parents, &[]], &styles, &mut Gather::new())?;
    }
}
