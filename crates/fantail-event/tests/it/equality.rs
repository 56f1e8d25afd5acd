//! Events and values are equal if they mean the same.

use std::net::IpAddr;

use fantail_event::{
    CategoryTree, Dialect, EffectiveBuffers, ElementSource, Elements, Event, EventRef, EventView,
    Ip, IpRef, Parser, SentEvent, Timestamp, ValueRef, Zone,
};

use super::{ancestors, event_of};

fn assert_shared<T: Send + Sync>() {}

/// What an event is made of may go from thread to thread.
#[test]
fn events_are_send_and_sync() {
    assert_shared::<Event>();
    assert_shared::<EventRef<'static>>();
    assert_shared::<CategoryTree>();
    assert_shared::<fantail_event::LiveEvents>();
    assert_shared::<Parser>();
}

fn tree() -> CategoryTree {
    let mut tree = CategoryTree::default();
    for name in ["a", "b"] {
        tree.register(name.as_bytes(), None).unwrap();
    }
    tree
}

/// The same parts at other positions of other texts.
#[test]
fn spans_of_different_texts() {
    let tree = tree();
    let one = event_of(
        "nx ca cb Sk v In 5 Ll 2 p q Pip 192.0.2.7 sf.c 3 l1 2",
        &tree,
    );
    let other = event_of("sf.c 3 Sk old l1 2 cb Pip ::1 nold nx", &tree);
    let mut other = other;
    // What it replaces stays in the text.
    let update = event_of("ca cb Sk v In 5 Ll 2 p q Pip 192.0.2.7 l1 2", &tree);
    other.merge(update.as_event_ref()).unwrap();
    // Equal but for the order of the fields.
    assert_ne!(one, other);
    let mut third = event_of("sf.c 3 Sk old l1 2", &tree);
    let update = event_of("nx ca cb Sk v In 5 Ll 2 p q Pip 192.0.2.7", &tree);
    third.merge(update.as_event_ref()).unwrap();
    assert_eq!(one, third);
    assert_eq!(
        one.as_event_ref(),
        third.as_event_ref().to_event().as_event_ref()
    );

    let made = Event::builder(Timestamp::from_unix_micros(0))
        .field("k", "v")
        .field("n", 5)
        .field("l", Elements::of(&vec!["p", "q"], 0))
        .field("ip", Ip::parse(b"192.0.2.7").unwrap())
        .category("a")
        .category("b")
        .sent(Timestamp::from_unix_micros(1_000_002))
        .source("f.c", 3)
        .name("x")
        .build()
        .unwrap();
    assert_eq!(made, one);
}

#[test]
fn each_part_counts() {
    let tree = tree();
    let base = "nx ca Sk v sf.c 3 l1 2";
    let one = event_of(base, &tree);
    for other in [
        "ny ca Sk v sf.c 3 l1 2",
        "ca Sk v sf.c 3 l1 2",
        "nx cb Sk v sf.c 3 l1 2",
        "nx Sk v sf.c 3 l1 2",
        "nx ca Sk w sf.c 3 l1 2",
        "nx ca Sj v sf.c 3 l1 2",
        "nx ca Sk v Sk2 v sf.c 3 l1 2",
        "nx ca Sk v sf.c 4 l1 2",
        "nx ca Sk v l1 2",
        "nx ca Sk v sf.c 3 l1 3",
        "nx ca Sk v sf.c 3",
        "nx ca Sk v sf.c 3 l1 2 a",
    ] {
        assert_ne!(one, event_of(other, &tree), "{other}");
    }
    let created = Event::parse(b"0\t1\tnx\tca\tSk\tv\tsf.c\t3\tl1\t2", &tree, Dialect::V2_4);
    assert_ne!(Ok(one), created);
}

/// As it comes from the parser, an event may name a key again.
#[test]
fn repeated_keys() {
    let (tree, mut parser) = (tree(), Parser::new());
    let line = b"0\t0\tSk\told\tIn\t5\tSk\tv";
    let parsed = parser.parse(line, &tree, Dialect::V2_4).unwrap();
    assert_eq!(parsed, event_of("Sk v In 5", &tree).as_event_ref());
    assert_ne!(parsed, event_of("In 5 Sk v", &tree).as_event_ref());
    assert_eq!(parsed.to_event().as_event_ref(), parsed);
}

#[test]
fn values() {
    let int = ValueRef::Int(5);
    assert_eq!(ValueRef::from(5_u64), int);
    assert_ne!(ValueRef::from("5"), int);
    assert_ne!(ValueRef::from(5.0), int);
    assert_ne!(ValueRef::from(u64::MAX), ValueRef::Int(-1));
    assert_eq!(ValueRef::from(u64::MAX), ValueRef::Unsigned(u64::MAX));
    assert_ne!(ValueRef::from(true), ValueRef::from("yes"));
    // As `f64` has it.
    assert_ne!(ValueRef::from(f64::NAN), ValueRef::from(f64::NAN));
    assert_eq!(ValueRef::from(0.0), ValueRef::from(-0.0));
}

/// An address that was sent is still text; it equals one that was parsed.
#[test]
fn addresses() {
    let event = event_of(
        "Pv4 192.0.2.7 Pold 192.0.519 Pv6 [2001:db8::0:1] Pzone fe80::1%2",
        CategoryTree::empty(),
    );
    let field = |key: &str| event.as_event_ref().field(key.as_bytes()).unwrap();
    let v4 = ValueRef::Ip(IpRef::from(Ip::parse(b"192.0.2.7").unwrap()));
    assert_eq!(field("v4"), v4);
    assert_eq!(v4, field("v4"));
    assert_eq!(field("old"), v4);
    assert_eq!(field("v4"), field("old"));
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    assert_eq!(field("v6"), ValueRef::from(Ip::from(v6)));
    let zone = Ip {
        zone: Zone::Number(2),
        ..Ip::parse(b"fe80::1").unwrap()
    };
    assert_eq!(field("zone"), ValueRef::from(zone));
    assert_ne!(
        field("zone"),
        ValueRef::from(Ip::parse(b"fe80::1").unwrap())
    );
}

/// A source with elements of its own.
struct Numbers(u8);

impl ElementSource for Numbers {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        (0..self.0).any(|n| test((u64::from(n) + list).to_string().as_bytes()))
    }
}

#[test]
fn lists_from_different_sources() {
    let tree = tree();
    let own = event_of("Ll 2 2 3", &tree);
    let parents = [event_of("Ll 1 1 ca cb", &tree)];
    let parents = ancestors(&parents);
    let sent = SentEvent {
        parents: &parents,
        categories: &tree,
        ..SentEvent::alone(&own)
    };
    let words = vec!["1", "2", "3"];
    let mut buffers = EffectiveBuffers::new();
    let effective = buffers.gather(&sent);
    // From spans of two texts, from all ancestors, from a vector, from numbers.
    let joined = effective.field(b"l").unwrap();
    let inherited = sent.field(b"l").unwrap();
    let vector = ValueRef::List(Elements::of(&words, 7));
    let numbers = ValueRef::List(Elements::of(&Numbers(3), 1));
    for one in [joined, inherited, vector, numbers] {
        for other in [joined, inherited, vector, numbers] {
            assert_eq!(one, other);
        }
    }
    assert_eq!(
        own.as_event_ref().field(b"l"),
        Some(ValueRef::List(Elements::of(&Numbers(2), 2)))
    );
    assert_ne!(own.as_event_ref().field(b"l"), Some(joined));
    assert_ne!(numbers, ValueRef::List(Elements::of(&Numbers(3), 2)));
    assert_eq!(effective.categories(), Elements::of(&vec!["a", "b"], 0));
    assert_ne!(effective.categories(), Elements::of(&vec!["b", "a"], 0));
}
