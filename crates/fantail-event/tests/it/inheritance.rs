//! Look-ups over parents and the global event, and flattening.

use fantail_event::{
    CategoryError, CategoryTree, Dialect, Event, EventView, Level, MAX_ANCESTORS, MAX_CATEGORIES,
    Origin, SentEvent, Value, ValueRef, text,
};

fn tree() -> CategoryTree {
    let mut tree = CategoryTree::default();
    tree.register(b"storage", None).unwrap();
    tree.register(b"mailbox", Some(b"storage")).unwrap();
    tree.register(b"mail", Some(b"mailbox")).unwrap();
    tree.register(b"imap", None).unwrap();
    tree
}

/// An event from its arguments, written with blanks for TABs.
fn event(arguments: &str) -> Event<'static> {
    let line = format!("0 0 {arguments}");
    let arguments = line.split(' ').filter(|a| !a.is_empty()).map(str::as_bytes);
    text::parse(arguments, &tree(), Dialect::V2_4)
        .unwrap()
        .into_owned()
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
        [parents, global].map(|c| c.iter().map(|e| event(e)).collect::<Vec<_>>());
    then(&SentEvent {
        level: Level::Info,
        event: &own,
        parents: &parents.iter().collect::<Vec<_>>(),
        global: &global.iter().collect::<Vec<_>>(),
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
            let cases: [(&str, Option<(&str, Origin)>); 6] = [
                ("a", Some(("own", Origin::Own))),
                ("b", Some(("p1", Origin::Parent(1)))),
                ("c", Some(("p2", Origin::Parent(2)))),
                ("d", Some(("g0", Origin::Global(0)))),
                ("e", Some(("g1", Origin::Global(1)))),
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
            let mut seen = Vec::new();
            assert!(!sent.any_element(b"a", &mut |element| {
                seen.push(String::from_utf8_lossy(element).into_owned());
                false
            }));
            assert_eq!(seen, ["g", "p", "own", "own"]);
            assert!(sent.any_element(b"a", &mut |element| element == b"p"));
            assert!(!sent.any_element(b"b", &mut |_| true));
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
        Err(CategoryError::OtherParent)
    );
    assert_eq!(
        tree.register(b"x", Some(b"none")),
        Err(CategoryError::UnknownParent)
    );
    assert_eq!(tree.iter().filter(|(name, _)| name == b"mail").count(), 1);
}

#[test]
fn many_fields_are_flattened_like_few() {
    let numbered = |from: usize, to: usize| {
        (from..to).fold(String::new(), |text, n| text + &format!("Sk{n} {from} "))
    };
    // More than are looked through one by one.
    let (parent, own) = (numbered(0, 100), numbered(50, 150));
    let (parent, own) = (parent + "Ll 1 p", own + "Ll 2 p own Sk0 last");
    with_sent(&own, &[&parent], &[], |sent| {
        let flat = sent.flatten();
        let keys: Vec<_> = flat
            .fields()
            .iter()
            .map(|field| field.key.clone())
            .collect();
        let expected: Vec<String> = (0..100)
            .map(|n| format!("k{n}"))
            .chain(["l".to_owned()])
            .chain((100..150).map(|n| format!("k{n}")))
            .collect();
        assert!(
            keys.iter()
                .map(|key| &**key)
                .eq(expected.iter().map(String::as_bytes))
        );
        let text = |key: &str| flat.own_field(key.as_bytes()).cloned();
        assert_eq!(text("k0"), Some(Value::Str(b"last"[..].into())));
        assert_eq!(text("k49"), Some(Value::Str(b"0"[..].into())));
        assert_eq!(text("k50"), Some(Value::Str(b"50"[..].into())));
        let list = [b"p"[..].into(), b"own"[..].into()];
        assert_eq!(text("l"), Some(Value::List(list.to_vec())));
    });
}

#[test]
fn clients_cannot_fill_the_tree() {
    let mut tree = CategoryTree::default();
    for number in 0..MAX_CATEGORIES {
        tree.register(number.to_string().as_bytes(), None).unwrap();
    }
    assert_eq!(tree.register(b"more", None), Err(CategoryError::TooMany));
    assert_eq!(tree.register(b"0", None), Ok(()));

    let mut tree = CategoryTree::default();
    tree.register(b"0", None).unwrap();
    let mut child = |number: usize| {
        let parent = (number - 1).to_string();
        tree.register(number.to_string().as_bytes(), Some(parent.as_bytes()))
    };
    assert!((1..=MAX_ANCESTORS).all(|number| child(number).is_ok()));
    assert_eq!(child(MAX_ANCESTORS + 1), Err(CategoryError::TooDeep));
}

#[test]
fn durations_are_never_negative() {
    for (sent, expected) in [("", 0), ("l0 7", 0), ("l3 1", 3_000_001), ("l-1 0", 0)] {
        assert_eq!(event(sent).duration_micros(), expected, "{sent}");
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
    assert_eq!(Request.field_origin(b"status"), Some(Origin::Own));
    assert_eq!(Request.field_origin(b"other"), None);
    assert!(!Request.in_category(b"any") && Request.level().is_none());
}

/// Whatever place a look-up is told, it finds the same.
#[test]
fn a_hint_changes_no_answer() {
    const KEYS: [&str; 7] = ["a", "b", "c", "d", "e", "list", "none"];
    let sendings: [(&str, &[&str], &[&str]); 4] = [
        ("Sa 1 Sb 2 Sc 3", &[], &[]),
        ("Sb 2 Sa 6", &["Sc 3 Sa 4", "Sd 5"], &["Se 6 Sa 7"]),
        ("", &["Llist 1 x", "Sa 1 Sb 2"], &["Sb 3", "Id 4"]),
        ("Sc 1", &["Se 1 Sd 2 Sc 3 Sb 4 Sa 5"], &[]),
    ];
    for (own, parents, global) in sendings {
        with_sent(own, parents, global, |sent| {
            for key in KEYS.map(str::as_bytes) {
                let mut place = 0;
                for hint in [0, 1, 2, 3, 4, usize::MAX] {
                    let mut told = hint;
                    assert_eq!(sent.field_near(key, &mut told), sent.field(key));
                    // As it was left by other look-ups.
                    assert_eq!(sent.field_near(key, &mut place), sent.field(key));
                    place = told;
                }
            }
        });
    }
}

/// More keys than there are bits to tell what is not there.
#[test]
fn each_of_many_keys_is_found_and_no_other() {
    let key = |n: u32| format!("key-{}-{n}", n * 7_919 % 31).into_bytes();
    let mut event = Event::default();
    for n in 0..500 {
        event.set(key(n), Value::Int(n.into()));
        event.set(key(n), Value::Int(i64::from(n) + 1));
        assert_eq!(event.own_field(&key(n + 1)), None);
    }
    assert_eq!(event.fields().len(), 500);
    for n in 0..500 {
        assert_eq!(
            event.own_field(&key(n)),
            Some(&Value::Int(i64::from(n) + 1))
        );
    }
    for key in [&b""[..], b"key", b"k"] {
        assert_eq!(event.own_field(key), None);
    }
}
