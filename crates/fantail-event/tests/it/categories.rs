//! The category tree: limits, and categories that come and go.

use fantail_event::{
    CategoryError, CategoryErrorKind, CategoryTree, Dialect, Event, MAX_ANCESTORS, MAX_CATEGORIES,
    MAX_CATEGORY_BYTES, RESERVED_CATEGORIES, internal::EventPositions as _,
};

/// Categories that any name can take.
const UNRESERVED: usize = MAX_CATEGORIES - RESERVED_CATEGORIES;

fn name(number: usize) -> Vec<u8> {
    format!("category-{number}").into_bytes()
}

fn filled(mut add: impl FnMut(&mut CategoryTree, &[u8])) -> CategoryTree {
    let mut tree = CategoryTree::default();
    (0..UNRESERVED).for_each(|number| add(&mut tree, &name(number)));
    tree
}

#[test]
fn a_full_tree_takes_no_other_category() {
    let mut tree = filled(|tree, name| tree.register(name, None).unwrap());
    let full = Err(CategoryErrorKind::TooMany.into());
    assert_eq!(tree.register(b"more", None), full);
    assert_eq!(tree.register(b"more", Some(&name(7))), full);
    assert_eq!(tree.register(&name(0), None), Ok(()));
    assert_eq!(tree.iter().count(), UNRESERVED);
}

#[test]
fn a_full_tree_takes_reserved_categories() {
    let mut tree = filled(|tree, name| _ = tree.acquire(name, None).unwrap());
    tree.reserve((0..MAX_CATEGORIES).map(|number| format!("reserved-{number}")));
    assert!(tree.acquire(b"other", None).is_err());
    for number in 0..RESERVED_CATEGORIES {
        let reserved = format!("reserved-{number}");
        assert!(tree.acquire(reserved.as_bytes(), None).is_ok(), "{number}");
    }
    let error = tree
        .acquire(b"reserved-1000", None)
        .map_err(CategoryError::kind);
    assert_eq!(error, Err(CategoryErrorKind::TooMany));
}

#[test]
fn a_full_tree_drops_categories_that_nobody_uses() {
    let mut ids = Vec::new();
    let mut tree = filled(|tree, name| ids.push(tree.acquire(name, None).unwrap()));
    let kept = ids.split_off(UNRESERVED - 2);
    let parent = tree.acquire(&name(0), None).unwrap();
    ids.into_iter().for_each(|id| tree.release(id));
    let before = tree.identity();
    assert!(tree.contains(&name(1)), "dropped while there is room");

    let new = tree.acquire(b"new", Some(&name(0))).unwrap();
    assert_ne!(tree.identity(), before);
    assert!(!tree.contains(&name(1)));
    assert_eq!(tree.iter().count(), 4);
    assert_eq!(tree.parent(new), Some(parent));
    for (id, number) in kept.into_iter().zip(UNRESERVED - 2..) {
        assert_eq!(tree.name(id), Some(&name(number)[..]));
        assert_eq!(tree.number(&name(number)), Some(id));
    }
    assert!(tree.is_within(b"new", &name(0)));
}

#[test]
fn a_parent_stays_as_long_as_its_children() {
    let mut tree = CategoryTree::default();
    let parent = tree.acquire(b"parent", None).unwrap();
    let child = tree.acquire(b"child", Some(b"parent")).unwrap();
    tree.release(parent);
    let fill = |tree: &mut CategoryTree, prefix: &str| {
        for number in 0..UNRESERVED {
            let name = format!("{prefix}{number}");
            let id = tree.acquire(name.as_bytes(), None).unwrap();
            tree.release(id);
        }
    };
    fill(&mut tree, "a");
    assert!(tree.is_within(b"child", b"parent"));
    tree.release(child);
    fill(&mut tree, "b");
    assert!(!tree.contains(b"child") && !tree.contains(b"parent"));
}

#[test]
fn registered_categories_are_never_dropped() {
    let mut tree = CategoryTree::default();
    tree.register(b"parent", None).unwrap();
    tree.register(b"child", Some(b"parent")).unwrap();
    for number in 0..2 * UNRESERVED {
        let id = tree.acquire(&name(number), None).unwrap();
        tree.release(id);
    }
    assert!(tree.is_within(b"child", b"parent"));
}

/// Events keep the numbers of their categories; a dropped number means another
/// category later.
#[test]
fn numbers_of_dropped_categories_are_not_believed() {
    let mut tree = CategoryTree::default();
    let old = tree.acquire(b"old", None).unwrap();
    let event = Event::parse(b"1\t0\tcold", &tree, Dialect::V2_4).unwrap();
    let ids = |tree: &CategoryTree| {
        let ids = event.as_event_ref().category_ids(tree);
        ids.map(Iterator::collect::<Vec<_>>)
    };
    assert_eq!(ids(&tree), Some(vec![old]));
    tree.release(old);
    for number in 0..UNRESERVED {
        tree.acquire(&name(number), None).unwrap();
    }
    assert_eq!(ids(&tree), None);
    assert!(event.as_event_ref().look_up_categories(&tree).is_empty());
}

#[test]
fn names_are_bounded() {
    let mut tree = CategoryTree::default();
    assert_eq!(tree.register(&[b'x'; MAX_CATEGORY_BYTES], None), Ok(()));
    let long = Err(CategoryErrorKind::LongName.into());
    assert_eq!(tree.register(&[b'x'; MAX_CATEGORY_BYTES + 1], None), long);
    // Each name is there once: 10,000 of them take less than 4 MiB.
    let mut tree = CategoryTree::default();
    for number in 0..UNRESERVED {
        let name = format!("{number:0>MAX_CATEGORY_BYTES$}");
        tree.register(name.as_bytes(), None).unwrap();
    }
    assert!(tree.size() < 4 << 20, "{}", tree.size());
}

#[test]
fn ancestors_are_bounded() {
    let mut tree = CategoryTree::default();
    tree.register(b"0", None).unwrap();
    let mut child = |number: usize| {
        let parent = (number - 1).to_string();
        tree.register(number.to_string().as_bytes(), Some(parent.as_bytes()))
    };
    assert!((1..=MAX_ANCESTORS).all(|number| child(number).is_ok()));
    let deep = Err(CategoryErrorKind::TooDeep.into());
    assert_eq!(child(MAX_ANCESTORS + 1), deep);
}

#[test]
fn new_categories_are_told_in_their_order() {
    let mut tree = CategoryTree::default();
    let told = |tree: &CategoryTree, since| {
        let new = tree.registered_since(since).into_iter();
        new.map(|(name, parent)| (name.to_vec(), parent.map(<[u8]>::to_vec)))
            .collect::<Vec<_>>()
    };
    tree.register(b"first", None).unwrap();
    tree.register(b"first", None).unwrap();
    assert_eq!(tree.registrations(), 1);
    for number in 0..UNRESERVED {
        let id = tree.acquire(&name(number), None).unwrap();
        tree.release(id);
    }
    let since = tree.registrations();
    // In the place of others.
    tree.register(b"z", None).unwrap();
    tree.register(b"a", Some(b"z")).unwrap();
    let expected = [(b"z".to_vec(), None), (b"a".to_vec(), Some(b"z".to_vec()))];
    assert_eq!(told(&tree, since), expected);
    assert_eq!(told(&tree, tree.registrations()), []);
}
