//! Escaping and the text form, both ways.

use std::borrow::Cow;

use fantail_event::{
    CategoryTree, Dialect, Event, Ip, Source, TextErrorKind, Timestamp, Value,
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
        let arguments = line.split('\t').map(str::as_bytes);
        text::parse(arguments, &CategoryTree::default(), Dialect::V2_4)
            .map(|event| event.fields().len())
            .map_err(|error| (error.kind(), error.argument()))
    };
    assert_eq!(event(text::MAX_FIELDS), Ok(1024));
    assert_eq!(
        event(1025),
        Err((TextErrorKind::TooManyFields, 2 + 2 * 1024 + 1))
    );
}

fn bytes() -> impl Strategy<Value = Cow<'static, [u8]>> {
    vec(any::<u8>(), 0..12).prop_map(Cow::Owned)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_u32).prop_map(|(s, us)| Timestamp::new(s, us).unwrap())
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        bytes().prop_map(Value::Str),
        any::<i64>().prop_map(Value::Int),
        timestamp().prop_map(Value::Time),
        any::<std::net::IpAddr>().prop_map(|ip| Value::Ip(Ip::from(ip))),
        vec(bytes(), 0..4).prop_map(Value::List),
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
    ) -> Event<'static> {
        let mut event = Event::new(created);
        event.sent = sent;
        event.name = name;
        event.source = source.map(|(file, line)| Source { file, line });
        event.always_log_source = always_log_source;
        event.categories = categories.into_iter().map(|c| Cow::Borrowed(c.as_bytes())).collect();
        for (key, value) in fields {
            event.set(key, value);
        }
        event
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
        text::write(&event, &mut written);
        let read = text::parse(written.split(|&b| b == b'\t'), &tree, Dialect::V2_4);
        prop_assert_eq!(read, Ok(event));
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in vec(any::<u8>(), 0..80)) {
        let bytes = [b"1\t2\t".as_slice(), &bytes].concat();
        let tree = CategoryTree::default();
        let _ = text::parse(bytes.split(|&b| b == b'\t'), &tree, Dialect::V2_4);
    }

    #[test]
    fn integers_are_read_as_rust_reads_them(text in "-?[0-9]{0,22}") {
        prop_assert_eq!(text::integer(text.as_bytes()), text.parse().ok());
    }
}
