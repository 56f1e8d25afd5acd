//! A scan reads what `text::parse` reads, and refuses what that refuses; a
//! kept event is what merging gives.

use fantail_event::{
    CategoryTree, Dialect, Event, EventView as _, KeptEvent, Level, RawSending, Scan, Value, text,
};
use proptest::{collection::vec, prelude::*, sample::select};

fn categories() -> CategoryTree {
    let mut tree = CategoryTree::default();
    for (name, parent) in [("mail", None), ("imap", Some("mail")), ("a\tb", None)] {
        let parent = parent.map(str::as_bytes);
        assert_eq!(tree.register(name.as_bytes(), parent), Ok(()));
    }
    tree
}

fn parse<'a>(
    text: &'a [u8],
    categories: &CategoryTree,
    dialect: Dialect,
) -> Result<Event<'a>, String> {
    let arguments = text.split(|&byte| byte == b'\t');
    text::parse(arguments, categories, dialect).map_err(|error| error.to_string())
}

#[track_caller]
fn check(text: &[u8], scan: &mut Scan) {
    let tree = categories();
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let read = scan.read(text, &tree, dialect);
        let read = read.map_err(|error| error.to_string());
        let got = read.clone().map(|raw| raw.to_event(&tree));
        let expected = parse(text, &tree, dialect);
        assert_eq!(got, expected, "{}", text.escape_ascii());
        if let (Ok(raw), Ok(event)) = (read, expected) {
            assert_eq!(raw.duration_micros(), event.duration_micros());
            let kept = KeptEvent::new(raw);
            assert_eq!(*kept.event(&tree), event);
            assert_eq!(kept.raw().len(), event.fields().len());
        }
    }
}

/// Plays an event that begins and is updated; it is what merging gives.
#[track_caller]
fn check_updates(texts: &[&[u8]]) {
    let tree = categories();
    let mut scan = Scan::new();
    let (mut kept, mut event) = (KeptEvent::default(), Event::default());
    for (at, text) in texts.iter().enumerate() {
        let Ok(raw) = scan.read(text, &tree, Dialect::V2_4) else {
            continue;
        };
        let update = raw.to_event(&tree).into_owned();
        if at == 0 {
            kept.replace(raw);
            event = update;
        } else {
            assert!(kept.update(raw));
            event.merge(update);
        }
        assert_eq!(*kept.event(&tree), event);
        assert!(kept.set_int(b"n", 5));
        event.set(&b"n"[..], Value::Int(5));
        assert_eq!(kept.raw().to_event(&tree), event);
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
    fn scanning_is_parsing(texts in vec(text(), 1..4)) {
        let mut scan = Scan::new();
        for text in texts {
            check(&text, &mut scan);
        }
    }

    #[test]
    fn any_bytes(text in vec(any::<u8>(), 0..200)) {
        check(&[b"1\t2\t", &*text].concat(), &mut Scan::new());
        check(&text, &mut Scan::new());
    }

    #[test]
    fn updating_is_merging(texts in vec(text(), 1..6)) {
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        check_updates(&texts);
    }
}

#[test]
fn escapes_at_every_place() {
    let whole = b"1\t2\tsfile.c\t3\tnname\tcmail\tSkey\tvalue\tLlist\t2\tone\ttwo\tIn\t5";
    let mut scan = Scan::new();
    for at in 0..=whole.len() {
        for escape in [&b"\x01"[..], b"\x01t", b"\x010"] {
            let text = [&whole[..at], escape, &whole[at..]].concat();
            check(&text, &mut scan);
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
    let mut scan = Scan::new();
    for (count, distinct) in [
        (1024, 1024),
        (1025, 1025),
        (1025, 1024),
        (3000, 1024),
        (3000, 1025),
        (1500, 70),
        (100, 3),
    ] {
        check(many(count, distinct).as_bytes(), &mut scan);
    }
}

/// An update's waste is dropped before it becomes much.
#[test]
fn updates_take_bounded_memory() {
    let tree = categories();
    let mut scan = Scan::new();
    let mut kept = KeptEvent::default();
    for number in 0..10_000 {
        let text = format!("1\t2\tSkey\tvalue {number}\tLlist\t2\tone {number}\ttwo");
        let raw = scan.read(text.as_bytes(), &tree, Dialect::V2_4).unwrap();
        assert!(kept.update(raw));
        assert!(kept.size() < 3_000, "{} bytes", kept.size());
    }
    let expected = parse(
        b"1\t2\tSkey\tvalue 9999\tLlist\t2\tone 9999\ttwo",
        &tree,
        Dialect::V2_4,
    );
    assert_eq!(Ok(kept.event(&tree)), expected.as_ref());
}

#[test]
fn a_sending_becomes_an_event_with_its_duration() {
    let tree = categories();
    let (mut own, mut other) = (Scan::new(), Scan::new());
    let text = b"1\t2\tl1\t42\tSduration\tlong\tSk\tv";
    let event = own.read(text, &tree, Dialect::V2_4).unwrap();
    let parent = other
        .read(b"1\t2\tSp\tw\tcimap", &tree, Dialect::V2_4)
        .unwrap();
    let sending = RawSending {
        level: Level::Info,
        event,
        parents: &[&KeptEvent::new(parent)],
        global: &[],
        categories: &tree,
    };
    sending.with_sent(|sent| {
        assert_eq!(sent.find(b"duration"), Some(&Value::Int(40)));
        assert_eq!(sent.find(b"p"), Some(&Value::Str(b"w"[..].into())));
        assert_eq!(sent.event.fields().len(), 2);
        assert!(sent.in_category(b"mail"));
    });
}
