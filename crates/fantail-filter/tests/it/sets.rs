//! Sets of filters: the same answers as one filter at a time, always.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use fantail_event::{Dialect, EventView, Level, SentEvent, Source, ValueRef};
use fantail_filter::{
    Filter, FilterId, FilterSet, Matcher,
    internal::{ClassMatcher as _, Slot, SlotView, Slots},
};
use fantail_syntax::ParseOptions;

use crate::events::Family;

/// Matches one event against a set in every way there is, and against each of
/// its filters alone: all must agree.
#[track_caller]
pub(crate) fn check_set<E: EventView>(
    set: &FilterSet,
    filters: &[(FilterId, Filter)],
    matcher: &mut Matcher,
    event: &E,
) -> Vec<FilterId> {
    let alone = filters.iter().filter(|(_, filter)| filter.evaluate(event));
    let alone: Vec<_> = alone.map(|(id, _)| *id).collect();
    assert_eq!(matcher.evaluate(set, event), alone);
    let required = filters.iter().all(|(_, filter)| filter.requires_name());
    assert_eq!(set.requires_name(), required);
    let matching = match event.name() {
        None if required => &[],
        _ => alone.as_slice(),
    };
    assert_eq!(matcher.matches(set, event), matching);
    let filled = Filled::new(set.slots(), event);
    let class = matcher.classify(set, &filled);
    let matches = matcher.match_class(set, class, &filled);
    assert_eq!(matches.filters, alone);
    if matches.always {
        // For any values.
        let unvalued = Unvalued(event);
        let filled = Filled::new(set.slots(), &unvalued);
        assert_eq!(matcher.match_class(set, class, &filled).filters, alone);
    }
    alone
}

/// An event without its values.
struct Unvalued<'a, E>(&'a E);

impl<E: EventView> EventView for Unvalued<'_, E> {
    fn name(&self) -> Option<&[u8]> {
        self.0.name()
    }

    fn field(&self, _: &[u8]) -> Option<ValueRef<'_>> {
        None
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.0.in_category(category)
    }

    fn level(&self) -> Option<Level> {
        self.0.level()
    }

    fn source(&self) -> Option<Source<'_>> {
        self.0.source()
    }
}

/// The slots' values, looked up before.
struct Filled<'a, E> {
    event: &'a E,
    values: Vec<Option<ValueRef<'a>>>,
}

impl<'a, E: EventView> Filled<'a, E> {
    fn new(slots: &'a Slots, event: &'a E) -> Self {
        let look_up = |(slot, _, _)| slots.look_up(slot, event);
        Self {
            event,
            values: slots.iter().map(look_up).collect(),
        }
    }
}

impl<E: EventView> SlotView for Filled<'_, E> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name()
    }

    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        self.values[slot.index()]
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.event.in_category(category)
    }

    fn level(&self) -> Option<Level> {
        self.event.level()
    }

    fn source(&self) -> Option<Source<'_>> {
        self.event.source()
    }
}

pub(crate) fn parse(text: &str, dialect: Dialect) -> Filter {
    Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).unwrap()
}

/// Which of the 2.4 filters match, by their places.
#[track_caller]
fn check(family: &Family, filters: &[&str], expected: &[usize]) {
    let parsed = filters.iter().map(|text| parse(text, Dialect::V2_4));
    let filters: Vec<_> = parsed.collect();
    let set: FilterSet = filters.iter().collect();
    let named: Vec<_> = set.ids().zip(filters).collect();
    let mut matcher = Matcher::new();
    let found = family.send(|sent| check_set(&set, &named, &mut matcher, sent));
    let found: Vec<_> = found.into_iter().map(FilterId::index).collect();
    assert_eq!(found, expected);
}

/// A field of each type.
fn every_type() -> Family {
    Family::new(
        &[
            "nx so.c 12 l3 0 cmail Stext Some-Where Inum 404 Pip 10.2.3.4 Ttime 5 5 La 2 Xa yb Sgone ",
            "Sgone hidden",
        ],
        &["Sglobal g"],
    )
}

#[test]
fn texts() {
    let check = |filters: &[&str], expected: &[usize]| check(&every_type(), filters, expected);
    check(
        &["text=some-where", "text=else", "text=so*", "text=SO*x"],
        &[0, 2],
    );
    check(
        &["text=*WHERE", "text=*x", "text=*e-w*", "text=s*e"],
        &[0, 2, 3],
    );
    check(&["a=xa", "a=y*", "a=*", "a=z", "a=\"\""], &[0, 1, 2]);
    check(
        &["gone=\"\"", "gone=*", "none=\"\"", "none>\"\""],
        &[0, 2, 3],
    );
    check(&["global=G", "global=*", "global>f"], &[0, 1]);
}

#[test]
fn numbers() {
    let check = |filters: &[&str], expected: &[usize]| check(&every_type(), filters, expected);
    check(
        &["num=404", "num=4*", "num=*4", "num=5*", "num=?0?"],
        &[0, 1, 2, 4],
    );
    check(
        &["num>403", "num>=404", "num<405", "num<=404"],
        &[0, 1, 2, 3],
    );
    check(&["num>404", "num>=405", "num<404", "num<=403"], &[]);
    let limits = ["num>9223372036854775807", "num<-9223372036854775808"];
    check(&limits, &[]);
    check(&["duration=2s", "duration>2s", "duration<=2s"], &[0, 2]);
    check(&["time=5", "time=*", "time=\"\"", "NOT time=5"], &[3]);
}

#[test]
fn addresses() {
    let check = |filters: &[&str], expected: &[usize]| check(&every_type(), filters, expected);
    let networks = ["ip=10.2.3.4", "ip=10.0.0.0/8", "ip=11.0.0.0/8", "ip=10.*"];
    check(&networks, &[0, 1, 3]);
    check(
        &["ip=0.0.0.0/0", "ip=::/0", "ip=*.4", "ip>10.2.3.3"],
        &[0, 2],
    );
}

#[test]
fn places_and_categories() {
    let check = |filters: &[&str], expected: &[usize]| check(&every_type(), filters, expected);
    let places = [
        "source_location=o.c",
        "source_location=\"o.c:12\"",
        "NOT source_location=o.c",
    ];
    check(&places, &[0, 1]);
    let categories = [
        "category=storage",
        "category=imap",
        "category=info",
        "category=debug",
    ];
    check(&categories, &[0, 2]);
    check(
        &[
            "category=mail AND num=404",
            "category=imap OR num=404",
            "NOT category=imap",
        ],
        &[0, 1, 2],
    );
}

#[test]
fn every_shape() {
    let family = Family::new(&["nx Sa 1 Sb 2"], &[]);
    check(
        &family,
        &["", "event=x", "event=y", "event=*", "NOT event=y"],
        &[1, 3, 4],
    );
    check(
        &family,
        &["event=y OR a=1", "event=y OR a=2", "event=x AND a=1"],
        &[0, 2],
    );
    check(
        &family,
        &["NOT a=1", "NOT a=2", "NOT (a=1 AND b=3)", "a=1 AND NOT b=2"],
        &[1, 2],
    );
    check(
        &family,
        &["(a=1 OR a=2) AND (b=3 OR b=2)", "(a=3 OR b=2) AND NOT a=2"],
        &[0, 1],
    );
    check(
        &family,
        &["a=1", "a=1", "a=1 AND a=1", "a=1 AND NOT a=1"],
        &[0, 1, 2],
    );
}

#[test]
fn unnamed_events() {
    let unnamed = Family::new(&["Sa 1"], &[]);
    check(
        &unnamed,
        &["NOT event=x", "a=1 AND NOT event=x", "event=x"],
        &[0, 1],
    );
    check(&unnamed, &["NOT event=x", "a=1", "event=*"], &[0, 1]);
    check(&unnamed, &[], &[]);
}

/// Shares nothing but the slots' numbers with the set it was cloned from.
#[test]
fn clones_go_their_own_way() {
    let family = Family::new(&["nx Sa 1"], &[]);
    let mut one: FilterSet = [parse("a=1", Dialect::V2_4)].into_iter().collect();
    let mut other = one.clone();
    let mut matcher = Matcher::new();
    let first = one.ids().next().unwrap();
    let id = one.insert(&parse("event=x", Dialect::V2_4));
    assert_eq!(other.insert(&parse("event=y", Dialect::V2_4)), id);
    for _ in 0..2 {
        family.send(|sent| {
            assert_eq!(matcher.evaluate(&one, sent), [first, id]);
            assert_eq!(matcher.evaluate(&other, sent), [first]);
        });
    }
    assert!(other.remove(id) && !other.remove(id) && other.len() == 1);
}

/// A class that matches the same filters always says so, and they follow
/// changes all the same.
#[test]
fn classes_of_the_same_filters() {
    let family = Family::new(&["nx Sa 1"], &[]);
    let filters = ["event=x", "event=x OR event=y", "a=1 AND event=y"];
    let filters = filters.map(|text| parse(text, Dialect::V2_4));
    let check = |set: &FilterSet, matcher: &mut Matcher, expected: &[u64], always: bool| {
        family.send(|sent: &SentEvent<'_>| {
            let filled = Filled::new(set.slots(), sent);
            let class = matcher.classify(set, &filled);
            let matches = matcher.match_class(set, class, &filled);
            let ids: Vec<u64> = matches.filters.iter().map(|id| id.get()).collect();
            assert_eq!((ids.as_slice(), matches.always), (expected, always));
        });
    };
    for in_base in [true, false] {
        let mut set = FilterSet::new();
        let mut matcher = Matcher::new();
        if in_base {
            set.extend(&filters);
        } else {
            filters.iter().for_each(|filter| _ = set.insert(filter));
        }
        check(&set, &mut matcher, &[0, 1], true);
        let ids: Vec<FilterId> = set.ids().collect();
        assert!(set.remove(ids[0]));
        // Classes of the base stay as they were made.
        check(&set, &mut matcher, &[1], !in_base);
        set.insert(&parse("a=1", Dialect::V2_4));
        check(&set, &mut matcher, &[1, 3], false);
    }
}

/// A class that the matcher has forgotten is found again.
#[test]
fn classes_of_the_past() {
    let family = Family::new(&["nx Sa 1"], &[]);
    let mut set: FilterSet = [parse("event=x", Dialect::V2_4)].into_iter().collect();
    let mut matcher = Matcher::new();
    family.send(|sent: &SentEvent<'_>| {
        let class = {
            let filled = Filled::new(set.slots(), sent);
            matcher.classify(&set, &filled)
        };
        let id = set.insert(&parse("a=1", Dialect::V2_4));
        let filled = Filled::new(set.slots(), sent);
        assert_eq!(matcher.match_class(&set, class, &filled).filters[1..], [id]);
        let class = matcher.classify(&set, &filled);
        let mut elsewhere = Matcher::new();
        assert_eq!(elsewhere.match_class(&set, class, &filled).filters.len(), 2);
    });
}
