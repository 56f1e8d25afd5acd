//! Sets beyond what a matcher has room for, and sets that change for long.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Display;

use fantail_event::{Dialect, EventView, ValueRef};
use fantail_filter::{Filter, FilterId, FilterSet, Matcher};

use crate::sets::{check_set, parse};

/// An event with a name, some categories, and the number `n`.
struct Numbered {
    name: String,
    categories: Vec<String>,
    n: i64,
}

impl EventView for Numbered {
    fn name(&self) -> Option<&[u8]> {
        Some(self.name.as_bytes())
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        (key == b"n").then_some(ValueRef::Int(self.n))
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.categories.iter().any(|own| own.as_bytes() == category)
    }
}

fn numbered(name: impl Display, categories: &[String], n: i64) -> Numbered {
    Numbered {
        name: name.to_string(),
        categories: categories.to_vec(),
        n,
    }
}

fn set_of(texts: impl Iterator<Item = String>) -> (FilterSet, Vec<(FilterId, Filter)>) {
    let filters: Vec<_> = texts.map(|text| parse(&text, Dialect::V2_4)).collect();
    let set: FilterSet = filters.iter().collect();
    let named = set.ids().zip(filters).collect();
    (set, named)
}

/// More names than are remembered, of more kinds than there is room for.
#[test]
fn more_names_than_room() {
    const LETTERS: std::ops::RangeInclusive<char> = 'a'..='k';
    let tests = LETTERS.map(|letter| format!("event=*{letter}*"));
    let (set, filters) = set_of(tests.chain(["n=5 AND NOT event=*a*".to_owned()]));
    let name = |number: u32| -> String {
        let bits = LETTERS.zip(0..).filter(|(_, bit)| number >> bit & 1 == 1);
        bits.map(|(letter, _)| letter).collect()
    };
    let mut matcher = Matcher::new();
    for number in 0..2_048_u32 {
        let event = numbered(name(number), &[], 0);
        let found = check_set(&set, &filters, &mut matcher, &event);
        assert_eq!(found.len(), number.count_ones() as usize);
    }
    // Until everything is forgotten, and on.
    for number in 0..75_000 {
        let event = numbered(format_args!("Z{number}"), &[], 5);
        let found = matcher.evaluate(&set, &event);
        assert_eq!(found.iter().map(|id| id.index()).collect::<Vec<_>>(), [11]);
    }
    let event = numbered(name(2_047), &[], 5);
    assert_eq!(check_set(&set, &filters, &mut matcher, &event).len(), 11);
}

/// Each name that filters name has room, however many there are.
#[test]
fn room_for_names_that_are_mentioned() {
    let (set, filters) = set_of((0..1_500).map(|n| format!("event=x{n} OR (n={n} AND event=y)")));
    let mut matcher = Matcher::new();
    for number in (0..1_600).step_by(3) {
        let event = numbered(format_args!("x{number}"), &[], number % 7);
        let found = check_set(&set, &filters, &mut matcher, &event);
        assert_eq!(found.len(), usize::from(number < 1_500));
    }
}

/// More categories than tell classes apart, in more ways than there is room.
#[test]
fn more_categories_than_room() {
    let (set, filters) = set_of((0..80).map(|n| format!("category=c{n}")));
    let mut matcher = Matcher::new();
    for number in 0..1_500_u64 {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let categories = (0..80).filter(|bit| mixed.rotate_left(*bit) & 3 == 0);
        let categories: Vec<_> = categories.map(|bit| format!("c{bit}")).collect();
        let event = numbered("x", &categories, 0);
        let found = check_set(&set, &filters, &mut matcher, &event);
        assert_eq!(found.len(), categories.len());
    }
}

/// Through all sizes of a tail, removals from the base, and compaction.
#[test]
fn years_of_changes() {
    let mut set = FilterSet::new();
    let mut filters: Vec<(FilterId, Filter)> = Vec::new();
    let mut matcher = Matcher::new();
    let mut inserted = 0;
    // Grows, shrinks to nothing nearly, grows again.
    for step in 0..1_800_usize {
        let is_growing = !(600..1_180).contains(&step);
        if is_growing || filters.is_empty() {
            let text = match inserted % 4 {
                0 => format!("n={}", inserted % 50),
                1 => format!("event=e{} AND n<{}", inserted % 9, inserted % 50),
                2 => format!("category=c{} OR n={}", inserted % 5, inserted % 50),
                _ => format!("NOT event=e{} AND n={}", inserted % 9, inserted % 50),
            };
            let filter = parse(&text, Dialect::V2_4);
            filters.push((set.insert(&filter), filter));
            inserted += 1;
        } else {
            let (id, _) = filters.remove(step * 7 % filters.len());
            assert!(set.remove(id));
        }
        assert_eq!(set.len(), filters.len());
        if step % 5 == 0 {
            let number = i64::try_from(step % 50).expect("small");
            let categories = [format!("c{}", step % 7)];
            let event = numbered(format_args!("e{}", step % 11), &categories, number);
            check_set(&set, &filters, &mut matcher, &event);
        }
    }
    let (rebuilt, again) = set_of(filters.iter().map(|(_, filter)| filter.to_string()));
    let mut fresh = Matcher::new();
    for number in 0..60 {
        let event = numbered(format_args!("e{}", number % 11), &["c3".into()], number);
        let kept = check_set(&set, &filters, &mut matcher, &event);
        let places = kept.iter().map(|id| {
            let at = filters.binary_search_by_key(id, |(id, _)| *id).unwrap();
            again[at].0
        });
        assert!(places.eq(check_set(&rebuilt, &again, &mut fresh, &event)));
    }
}
