//! Live events: what ends when, and what an id is the id of.

use fantail_event::{
    Ancestor, CategoryTree, Dialect, Event, LiveEvents, LiveId, Parser, ValueRef,
    internal::EventPositions as _,
};

use super::{event_of, text};

fn event(arguments: &str) -> Event {
    event_of(arguments, CategoryTree::empty())
}

fn insert(live: &mut LiveEvents, parent: Option<LiveId>, arguments: &str) -> LiveId {
    live.insert(parent, event(arguments).as_event_ref())
        .unwrap()
}

/// The names of an event and its ancestors, nearest first.
fn names(live: &LiveEvents, id: LiveId) -> String {
    let name = |it: Ancestor<'_>| text(it.event.as_event_ref().name().unwrap_or_default());
    let names = live.ancestors(Some(id)).map(name);
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_ended_event_lives_on_for_its_children() {
    let mut live = LiveEvents::new();
    let root = insert(&mut live, None, "nroot");
    let middle = insert(&mut live, Some(root), "nmiddle");
    let [left, right] = ["nleft", "nright"].map(|it| insert(&mut live, Some(middle), it));
    assert_eq!(live.len(), 4);
    assert_eq!(live.ancestor_count(left), 2);
    assert!(live.has_parent(left, Some(middle)) && live.has_parent(root, None));
    assert!(!live.has_parent(left, Some(root)) && !live.has_parent(left, None));
    assert_eq!(live.end(root).events, 0);
    assert_eq!(live.end(middle).events, 0);
    assert_eq!(names(&live, left), "left middle root");
    // Numbers of those only that have not ended.
    let numbers: Vec<_> = live.ancestors(Some(left)).map(|it| it.live).collect();
    assert_eq!(numbers, [Some(left), None, None]);
    let before = [root, middle, right].map(|id| live.size(id));
    assert_eq!(live.end(left).events, 1);
    let removed = live.end(right);
    assert_eq!((removed.events, removed.bytes), (3, before.iter().sum()));
    assert!(live.is_empty());
    assert_eq!(live.get(root), None);
}

/// An id is that of one content: neither an update nor a later event at the same
/// index has it.
#[test]
fn a_stale_id_is_the_id_of_nothing() {
    let mut live = LiveEvents::new();
    let first = insert(&mut live, None, "nfirst Sk v");
    live.end(first);
    let second = insert(&mut live, None, "nsecond");
    assert_eq!(second.index(), first.index());
    assert_eq!(second.position(), first.position());
    assert_ne!(second, first);
    assert_eq!((live.get(first), live.size(first)), (None, 0));
    assert_eq!(live.ancestors(Some(first)).count(), 0);
    assert_eq!(live.end(first).events, 0);
    let updated = live.update(first, event("nwrong").as_event_ref()).unwrap();
    assert_eq!(live.get(updated), None);
    assert_eq!(names(&live, second), "second");
    let child = insert(&mut live, Some(first), "nchild");
    assert_eq!(names(&live, child), "child");

    let updated = live.update(second, event("nthird").as_event_ref()).unwrap();
    assert_eq!(updated.position(), second.position());
    assert_ne!(updated.generation(), second.generation());
    assert_eq!(live.get(second), None);
    assert_eq!(names(&live, updated), "third");
    // Ends once.
    let below = insert(&mut live, Some(updated), "nbelow");
    assert_eq!(live.end(updated).events, 0);
    assert_eq!(live.end(updated).events, 0);
    assert_eq!(names(&live, below), "below third");
    assert_eq!(live.end(below).events, 2);
}

/// Ids of one table mean nothing to another.
#[test]
fn tables_are_told_apart() {
    let (mut one, mut other) = (LiveEvents::new(), LiveEvents::new());
    let [a, b] = [&mut one, &mut other].map(|live| insert(live, None, "nx"));
    assert_eq!(a.index(), b.index());
    assert_ne!(a.position(), b.position());
    assert_ne!(a.generation(), b.generation());
    assert_eq!(other.get(a), None);
    assert_eq!(other.end(a).events, 0);
    assert_eq!(one.end(a).events, 1);
}

/// Indices are used again, so that what others keep by index stays small.
#[test]
fn indices_are_dense() {
    let mut live = LiveEvents::new();
    let ids: Vec<LiveId> = (0..1_000).map(|_| insert(&mut live, None, "nx")).collect();
    for id in ids.iter().step_by(2) {
        live.end(*id);
    }
    for _ in 0..500 {
        assert!(insert(&mut live, None, "ny").index() < 1_000);
    }
    assert_eq!(live.len(), 1_000);
    assert_eq!(insert(&mut live, None, "nz").index(), 1_000);
    for id in &ids {
        live.end(*id);
    }
    assert_eq!(live.len(), 501);
}

/// An update's waste is dropped before it becomes much.
#[test]
fn updates_take_bounded_memory() {
    let tree = CategoryTree::default();
    let mut parser = Parser::new();
    let mut live = LiveEvents::new();
    let mut id = insert(&mut live, None, "");
    for number in 0..10_000 {
        let text = format!("1\t2\tSkey\tvalue {number}\tLlist\t2\tone {number}\ttwo");
        let update = parser.parse(text.as_bytes(), &tree, Dialect::V2_4);
        id = live.update(id, update.unwrap()).unwrap();
        assert!(live.size(id) < 3_000, "{} bytes", live.size(id));
    }
    let text = b"1\t2\tIduration\t0\tSkey\tvalue 9999\tLlist\t2\tone 9999\ttwo";
    let expected = Event::parse(text, &tree, Dialect::V2_4).unwrap();
    assert_eq!(live.get(id), Some(expected.as_event_ref()));
}

/// So is that of fields that are set one by one.
#[test]
fn setting_takes_bounded_memory() {
    let mut event = event("Sother 1");
    for number in 0..10_000 {
        let text = format!("value {number}");
        event.set(b"key", ValueRef::from(&text)).unwrap();
        assert!(event.size() < 3_000, "{} bytes", event.size());
    }
    let expected = [
        (&b"other"[..], ValueRef::Str(b"1")),
        (b"key", ValueRef::Str(b"value 9999")),
    ];
    assert!(event.as_event_ref().fields().eq(expected));
}

/// An update replaces categories, as in Dovecot 2.3.19.
#[test]
fn an_update_replaces_categories() {
    let mut tree = CategoryTree::default();
    for name in ["aaa", "bbb"] {
        tree.register(name.as_bytes(), None).unwrap();
    }
    let mut live = LiveEvents::new();
    let begin = event_of("caaa", &tree);
    let mut id = live.insert(None, begin.as_event_ref()).unwrap();
    for (update, expected) in [
        ("cbbb", vec!["bbb"]),
        ("Sk v", vec![]),
        ("caaa cbbb", vec!["aaa", "bbb"]),
    ] {
        let update = event_of(update, &tree);
        id = live.update(id, update.as_event_ref()).unwrap();
        let kept = live.get(id).unwrap();
        let names: Vec<String> = kept.categories().map(text).collect();
        assert_eq!(names, expected);
        let ids = kept.category_ids(&tree).map(|ids| ids.len());
        assert_eq!(ids, Some(expected.len()));
    }
}
