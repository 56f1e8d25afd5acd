//! Parsing and updating events, against the oracle.

use fantail_event::{
    CategoryTree, Dialect, Event, LiveEvents, Parser, TextError, internal::EventPositions as _,
};
use fantail_fuzz::oracle_event;
use fantail_oracle::{Categories, ParseError, Value as Known, set};
use proptest::{collection::vec, prelude::*, sample::select};

/// The same categories for both.
fn categories() -> (CategoryTree, Categories) {
    let (mut tree, mut categories) = (CategoryTree::default(), Categories::default());
    for (name, parent) in [("mail", None), ("imap", Some("mail")), ("a\tb", None)] {
        let parent = parent.map(str::as_bytes);
        assert_eq!(tree.register(name.as_bytes(), parent), Ok(()));
        assert_eq!(categories.register(name.as_bytes(), parent), Ok(()));
    }
    (tree, categories)
}

fn error(error: &TextError) -> ParseError {
    ParseError {
        kind: error.kind(),
        argument: error.argument(),
    }
}

#[track_caller]
fn check(text: &[u8], parser: &mut Parser) {
    let (tree, categories) = categories();
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let expected = fantail_oracle::parse(text, &categories, dialect);
        let parsed = parser.parse(text, &tree, dialect);
        let found = parsed.as_ref().map(|event| oracle_event(*event));
        assert_eq!(found.map_err(error), expected, "{}", text.escape_ascii());
        if let (Ok(parsed), Ok(event)) = (parsed, expected) {
            assert_eq!(parsed.duration_micros(), event.duration_micros());
            let copy = parsed.to_event();
            assert_eq!(copy.as_event_ref(), parsed);
            assert_eq!(copy.as_event_ref().field_count(), event.fields.len());
            for (key, _) in &event.fields {
                assert_eq!(copy.as_event_ref().field(key), parsed.field(key));
            }
        }
    }
}

/// Plays an event that begins and is updated; returns what is live.
#[track_caller]
fn check_updates(texts: &[&[u8]]) {
    let (tree, categories) = categories();
    let (mut parser, mut live) = (Parser::new(), LiveEvents::new());
    let (mut owned, mut event) = (Event::default(), fantail_oracle::Event::default());
    let mut id = live.insert(None, owned.as_event_ref()).ok();
    set(&mut event.fields, b"duration", Known::Int(0));
    assert_eq!(owned.set(b"duration", 0.into()), Ok(()));
    for text in texts {
        let Ok(update) = parser.parse(text, &tree, Dialect::V2_4) else {
            continue;
        };
        let expected = fantail_oracle::parse(text, &categories, Dialect::V2_4);
        event.update(expected.unwrap_or_default());
        assert_eq!(owned.merge(update), Ok(()));
        id = id.and_then(|id| live.update(id, update).ok());
        let kept = id.and_then(|id| live.get(id)).map(oracle_event);
        assert_eq!(kept.as_ref(), Some(&event));
        assert_eq!(oracle_event(owned.as_event_ref()), event);
        let copy = owned.as_event_ref().to_event();
        assert_eq!(oracle_event(copy.as_event_ref()), event);
    }
    // One by one.
    for (number, key) in (0..50).zip([b"n", b"k", b"j"].into_iter().cycle()) {
        assert_eq!(owned.set(key, number.into()), Ok(()));
        set(&mut event.fields, key, Known::Int(number.into()));
        assert_eq!(oracle_event(owned.as_event_ref()), event);
    }
}

/// Arguments that mean something, and such that nearly do.
fn argument() -> impl Strategy<Value = &'static [u8]> {
    let arguments: &[&[u8]] = &[
        b"",
        b"1",
        b"-7",
        b"999999",
        b"1000000",
        b"nname",
        b"n",
        b"a",
        b"ax",
        b"sfile.c",
        b"s",
        b"l1700000000",
        b"l",
        b"cmail",
        b"cimap",
        b"ca\x01tb",
        b"cother",
        b"c",
        b"Sk",
        b"Sk2",
        b"S\x01tk",
        b"S",
        b"Ik",
        b"I",
        b"In",
        b"Tt",
        b"T",
        b"Pip",
        b"P",
        b"Ll",
        b"Lk",
        b"L",
        b"2",
        b"0",
        b"value",
        b"a\x01nb",
        b"\x01",
        b"x\x01",
        b"\x01S",
        b"\x011\x01r",
        b"192.0.2.1",
        b"fe80::1%eth0",
        b"long value of more than sixty-four bytes, so that it goes over a block",
        b"\xff\x00",
        b"X",
        b"\x01\x01t",
    ];
    select(arguments)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let good_start = prop_oneof![9 => Just(true), 1 => Just(false)];
    (good_start, vec(argument(), 0..30)).prop_map(|(good_start, arguments)| {
        let start: &[u8] = if good_start { b"1700000000\t5\t" } else { b"" };
        [start, &arguments.join(&b'\t')].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn events_are_parsed_alike(texts in vec(text(), 1..4)) {
        let mut parser = Parser::new();
        for text in texts {
            check(&text, &mut parser);
        }
    }

    #[test]
    fn any_bytes(text in vec(any::<u8>(), 0..200)) {
        check(&[b"1\t2\t", &*text].concat(), &mut Parser::new());
        check(&text, &mut Parser::new());
    }

    #[test]
    fn updates_are_alike(texts in vec(text(), 1..6)) {
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        check_updates(&texts);
    }
}

#[test]
fn escapes_at_every_place() {
    let whole = b"1\t2\tsfile.c\t3\tnname\tcmail\tSkey\tvalue\tLlist\t2\tone\ttwo\tIn\t5";
    let mut parser = Parser::new();
    for at in 0..=whole.len() {
        for escape in [&b"\x01"[..], b"\x01t", b"\x010"] {
            let text = [&whole[..at], escape, &whole[at..]].concat();
            check(&text, &mut parser);
        }
    }
}

/// Up to the limits, over them, and with keys that come again and again.
#[test]
fn many_fields_and_categories() {
    let many = |count: usize, distinct: usize| {
        let fields = (0..count).map(|n| format!("\tIkey{}\t{n}", n % distinct));
        format!("1\t2{}", fields.collect::<String>())
    };
    let mut parser = Parser::new();
    for (count, distinct) in [
        (1024, 1024),
        (1025, 1025),
        (1025, 1024),
        (3000, 1024),
        (3000, 1025),
        (1500, 70),
        (100, 3),
    ] {
        check(many(count, distinct).as_bytes(), &mut parser);
    }
}
