//! Look-ups over parents and the global event, and the event in full.

use fantail_event::{
    CategoryErrorKind, CategoryTree, EffectiveBuffers, Event, EventView, ExportView, Level,
    SentEvent, Timestamp, ValueOrigin, ValueRef,
};

use super::{ancestors, event_of, text};

fn tree() -> CategoryTree {
    let mut tree = CategoryTree::default();
    tree.register(b"storage", None).unwrap();
    tree.register(b"mailbox", Some(b"storage")).unwrap();
    tree.register(b"mail", Some(b"mailbox")).unwrap();
    tree.register(b"imap", None).unwrap();
    tree
}

/// An event from its arguments, written with blanks for TABs.
fn event(arguments: &str) -> Event {
    event_of(arguments, &tree())
}

fn with_sent<R>(
    own: &str,
    parents: &[&str],
    global: &[&str],
    then: impl FnOnce(&SentEvent<'_>) -> R,
) -> R {
    let categories = tree();
    let own = event(own);
    let [parents, global] =
        [parents, global].map(|chain| chain.iter().map(|it| event(it)).collect::<Vec<_>>());
    then(&SentEvent {
        level: Level::Info,
        event: own.as_event_ref(),
        parents: &ancestors(&parents),
        global: &ancestors(&global),
        categories: &categories,
    })
}

#[test]
fn the_nearest_value_is_found() {
    with_sent(
        "Sa own",
        &["Sa p1 Sb p1", "Sb p2 Sc p2"],
        &["Sc g0 Sd g0", "Sd g1 Se g1"],
        |sent| {
            let cases: [(&str, Option<(&str, ValueOrigin)>); 6] = [
                ("a", Some(("own", ValueOrigin::Own))),
                ("b", Some(("p1", ValueOrigin::Parent(1)))),
                ("c", Some(("p2", ValueOrigin::Parent(2)))),
                ("d", Some(("g0", ValueOrigin::Global(0)))),
                ("e", Some(("g1", ValueOrigin::Global(1)))),
                ("f", None),
            ];
            for (key, expected) in cases {
                let key = key.as_bytes();
                assert_eq!(
                    sent.field(key),
                    expected.map(|(text, _)| ValueRef::Str(text.as_bytes()))
                );
                assert_eq!(sent.field_origin(key), expected.map(|(_, origin)| origin));
            }
        },
    );
}

#[test]
fn list_elements_come_from_the_whole_chain() {
    with_sent(
        "La 1 own",
        &["Sa text", "La 2 p own"],
        &["La 1 g"],
        |sent| {
            let Some(ValueRef::List(list)) = sent.field(b"a") else {
                panic!("{:?}", sent.field(b"a"));
            };
            let mut seen = Vec::new();
            assert!(!list.any(|element| {
                seen.push(text(element));
                false
            }));
            assert_eq!(seen, ["g", "p", "own", "own"]);
            assert!(list.any(|element| element == b"p"));
            assert!(!list.any(|element| element == b"q"));
            assert_eq!(sent.field(b"b"), None);
        },
    );
}

#[test]
fn categories_reach_up_the_tree_and_the_chain() {
    with_sent("cmail", &[""], &["cimap"], |sent| {
        for (category, within) in [
            ("mail", true),
            ("mailbox", true),
            ("storage", true),
            ("imap", true),
            ("other", false),
            ("Mail", false),
        ] {
            assert_eq!(sent.in_category(category.as_bytes()), within, "{category}");
        }
    });
    with_sent("cstorage", &[], &[], |sent| {
        assert!(!sent.in_category(b"mail"));
    });
}

#[test]
fn categories_keep_their_parent() {
    let mut tree = tree();
    assert_eq!(tree.register(b"mail", Some(b"mailbox")), Ok(()));
    assert_eq!(
        tree.register(b"mail", None),
        Err(CategoryErrorKind::OtherParent.into())
    );
    assert_eq!(
        tree.register(b"x", Some(b"none")),
        Err(CategoryErrorKind::UnknownParent.into())
    );
    assert_eq!(tree.iter().filter(|(name, _)| name == b"mail").count(), 1);
}

#[test]
fn many_fields_are_found_like_few() {
    let numbered = |from: usize, to: usize| {
        (from..to).fold(String::new(), |text, n| text + &format!("Sk{n} {from} "))
    };
    // More than are looked through one by one.
    let (parent, own) = (numbered(0, 100), numbered(50, 150));
    let (parent, own) = (parent + "Ll 1 p", own + "Ll 2 p own Sk0 last");
    with_sent(&own, &[&parent], &[], |sent| {
        let mut buffers = EffectiveBuffers::new();
        let effective = buffers.gather(sent);
        let mut keys = Vec::new();
        effective.each_field(|key, _| keys.push(text(key)));
        let expected: Vec<String> = (0..100)
            .map(|n| format!("k{n}"))
            .chain(["l".to_owned()])
            .chain((100..150).map(|n| format!("k{n}")))
            // No field of the parent, which is no live event.
            .chain(["duration".to_owned()])
            .collect();
        assert_eq!(keys, expected);
        let found = |key: &str| effective.field(key.as_bytes());
        assert_eq!(found("k0"), Some(ValueRef::Str(b"last")));
        assert_eq!(found("k49"), Some(ValueRef::Str(b"0")));
        assert_eq!(found("k50"), Some(ValueRef::Str(b"50")));
        let Some(ValueRef::List(list)) = found("l") else {
            panic!("{:?}", found("l"));
        };
        assert_eq!(list.to_vec(), [&b"p"[..], b"own"]);
    });
}

#[test]
fn durations_are_never_negative() {
    for (sent, expected) in [("", 0), ("l0 7", 0), ("l3 1", 3_000_001), ("l-1 0", 0)] {
        assert_eq!(
            event(sent).as_event_ref().duration_micros(),
            expected,
            "{sent}"
        );
    }
}

#[test]
fn a_user_type_needs_a_name_and_fields_only() {
    struct Request;
    impl EventView for Request {
        fn name(&self) -> Option<&[u8]> {
            Some(b"request")
        }
        fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
            (key == b"status").then_some(ValueRef::Int(200))
        }
    }
    assert_eq!(Request.field_origin(b"status"), Some(ValueOrigin::Own));
    assert_eq!(Request.field_origin(b"other"), None);
    assert!(!Request.in_category(b"any") && Request.level().is_none());
}

/// The other views of an event that was sent tell the same.
#[test]
fn a_sent_event_is_its_own_export() {
    with_sent("Sa own l1 5 cmail", &["Sb p"], &[], |sent| {
        let mut fields = Vec::new();
        sent.each_field(&mut |key, _| fields.push(text(key)));
        assert_eq!(fields, ["b", "a", "duration"]);
        let mut categories = Vec::new();
        sent.each_category(&mut |name| categories.push(text(name)));
        assert_eq!(categories, ["mail", "mailbox", "storage"]);
        assert_eq!(sent.created(), Timestamp::from_unix_micros(0));
        assert_eq!(sent.sent(), Timestamp::new(1, 5));
    });
}

#[test]
fn an_event_that_is_sent_alone() {
    let own = event("Sa own nx");
    let sent = SentEvent::alone(&own);
    assert_eq!(sent.level, Level::Info);
    assert_eq!(EventView::level(&sent), Some(Level::Info));
    assert_eq!(sent.event, own.as_event_ref());
    assert!(sent.parents.is_empty() && sent.global.is_empty());
    assert_eq!(sent.categories.iter().count(), 0);
}

/// More keys than are compared one by one.
#[test]
fn each_of_many_keys_is_found_and_no_other() {
    let key = |n: u32| format!("key-{}-{n}", n * 7_919 % 31).into_bytes();
    let mut event = Event::default();
    for n in 0..500 {
        event.set(&key(n), ValueRef::Int(n.into())).unwrap();
        event.set(&key(n), ValueRef::Int(i64::from(n) + 1)).unwrap();
        assert_eq!(event.as_event_ref().field(&key(n + 1)), None);
    }
    let event = event.as_event_ref();
    assert_eq!(event.fields().count(), 500);
    for n in 0..500 {
        assert_eq!(event.field(&key(n)), Some(ValueRef::Int(i64::from(n) + 1)));
    }
    for key in [&b""[..], b"key", b"k"] {
        assert_eq!(event.field(key), None);
    }
}
