//! Escaping and the text form, both ways.

use fantail_event::{
    CategoryTree, Dialect, Elements, Event, Ip, TextErrorKind, Timestamp, ValueRef,
    escape::{escape, unescape},
    text,
};
use proptest::{collection::vec, prelude::*};

#[track_caller]
fn check_escape(plain: &[u8], escaped: &[u8]) {
    assert_eq!(escape(plain), escaped);
    assert_eq!(unescape(escaped), plain);
}

#[test]
fn five_bytes_are_escaped() {
    check_escape(b"", b"");
    check_escape(b"plain \xff", b"plain \xff");
    check_escape(b"\x00\x01\t\r\n", b"\x010\x011\x01t\x01r\x01n");
    check_escape(b"a\tb", b"a\x01tb");
}

#[test]
fn what_no_writer_escapes_is_read_as_dovecot_reads_it() {
    assert_eq!(*unescape(b"a\x01xb"), *b"axb");
    assert_eq!(*unescape(b"end\x01"), *b"end");
}

#[test]
fn an_event_may_have_many_fields_but_not_any_number() {
    let event = |fields: usize| {
        let fields = (0..fields).map(|number| format!("\tI{number}\t1"));
        let line = "1\t2".to_owned() + &fields.collect::<String>();
        Event::parse(line.as_bytes(), &CategoryTree::default(), Dialect::V2_4)
            .map(|event| event.as_event_ref().fields().count())
            .map_err(|error| (error.kind(), error.argument()))
    };
    assert_eq!(event(text::MAX_FIELDS), Ok(1024));
    assert_eq!(
        event(1025),
        Err((TextErrorKind::TooManyFields, 2 + 2 * 1024 + 1))
    );
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..12)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_u32).prop_map(|(s, us)| Timestamp::new(s, us).unwrap())
}

/// A value of a kind that the protocol has.
#[derive(Debug, Clone)]
enum Sent {
    Str(Vec<u8>),
    Int(i64),
    Time(Timestamp),
    Ip(Ip),
    List(Vec<Vec<u8>>),
}

impl Sent {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Str(text) => ValueRef::Str(text),
            Self::Int(number) => ValueRef::Int(*number),
            Self::Time(time) => ValueRef::Time(*time),
            Self::Ip(ip) => ValueRef::from(*ip),
            Self::List(list) => ValueRef::List(Elements::of(list, 0)),
        }
    }
}

fn value() -> impl Strategy<Value = Sent> {
    prop_oneof![
        bytes().prop_map(Sent::Str),
        any::<i64>().prop_map(Sent::Int),
        timestamp().prop_map(Sent::Time),
        any::<std::net::IpAddr>().prop_map(|ip| Sent::Ip(Ip::from(ip))),
        vec(bytes(), 0..4).prop_map(Sent::List),
    ]
}

prop_compose! {
    fn event()(
        created in timestamp(),
        sent in proptest::option::of(timestamp()),
        name in proptest::option::of(bytes()),
        source in proptest::option::of((bytes(), any::<u32>())),
        always_log_source in any::<bool>(),
        categories in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        fields in vec((vec(any::<u8>(), 1..6), value()), 0..6),
    ) -> Event {
        let mut event = Event::builder(created);
        if let Some(sent) = sent {
            event = event.sent(sent);
        }
        if let Some(name) = name {
            event = event.name(name);
        }
        if let Some((file, line)) = source {
            event = event.source(file, line);
        }
        if always_log_source {
            event = event.always_log_source();
        }
        for category in categories {
            event = event.category(category);
        }
        for (key, value) in &fields {
            event = event.field(key, value.as_ref());
        }
        event.build().unwrap()
    }
}

proptest! {
    #[test]
    fn escaping_is_undone(plain in vec(any::<u8>(), 0..40)) {
        let escaped = escape(&plain).into_owned();
        prop_assert!(!escaped.iter().any(|b| b"\0\t\r\n".contains(b)));
        prop_assert_eq!(&*unescape(&escaped), &plain);
    }

    #[test]
    fn events_are_read_as_they_were_written(event in event()) {
        let mut tree = CategoryTree::default();
        for category in ["a", "b", "c"] {
            tree.register(category.as_bytes(), None).unwrap();
        }
        let mut written = Vec::new();
        text::write(event.as_event_ref(), &mut written);
        let read = Event::parse(&written, &tree, Dialect::V2_4);
        prop_assert_eq!(read, Ok(event));
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in vec(any::<u8>(), 0..80)) {
        let bytes = [b"1\t2\t".as_slice(), &bytes].concat();
        let tree = CategoryTree::default();
        let _ = Event::parse(&bytes, &tree, Dialect::V2_4);
    }

    #[test]
    fn integers_are_read_as_rust_reads_them(text in "-?[0-9]{0,22}") {
        prop_assert_eq!(text::integer(text.as_bytes()), text.parse().ok());
    }
}

/// Kinds that no client sends are written as the strings by which filters and
/// exporters know them.
#[test]
fn other_kinds_are_written_as_strings() {
    let event = Event::builder(Timestamp::from_unix_micros(0))
        .field("large", u64::MAX)
        .field("half", 0.5)
        .field("whole", 2.0)
        .field("yes", true)
        .field("no", false)
        .build()
        .unwrap();
    let mut written = Vec::new();
    text::write(event.as_event_ref(), &mut written);
    assert_eq!(
        String::from_utf8_lossy(&written),
        "0\t0\tSlarge\t18446744073709551615\tShalf\t0.5\tSwhole\t2.0\tSyes\tyes\tSno\tno"
    );
}
