//! Sets in which many filters share a comparison: what is left of them lies
//! beneath it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;

use fantail_event::{Dialect, ElementSource, Elements, EventView, ValueRef};
use fantail_filter::{Filter, FilterSet, Matcher};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    sets::{check_set, parse},
    values,
};

/// The value of a field, without a lifetime of its own.
#[derive(Debug, Clone, Copy)]
enum Field {
    Value(ValueRef<'static>),
    List(&'static [&'static str]),
}

/// An event named `e`, of these fields.
struct Fields(Vec<(&'static str, Field)>);

impl EventView for Fields {
    fn name(&self) -> Option<&[u8]> {
        Some(b"e")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        let mut fields = (0..).zip(&self.0);
        let found = fields.find(|(_, (own, _))| own.as_bytes() == key);
        found.map(|(at, (_, field))| match field {
            Field::Value(value) => *value,
            Field::List(_) => ValueRef::List(Elements::of(self, at)),
        })
    }
}

/// A list is named by the position of its field.
impl ElementSource for Fields {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let at = usize::try_from(list).unwrap();
        match self.0[at].1 {
            Field::List(list) => list.iter().any(|element| test(element.as_bytes())),
            Field::Value(value) => panic!("no list: {value:?}"),
        }
    }
}

fn text(key: &'static str, text: &'static str) -> Fields {
    Fields(vec![(key, Field::Value(ValueRef::Str(text.as_bytes())))])
}

/// All events against all filters in one set.
fn check(texts: &[String], events: &[Fields]) -> usize {
    let filters: Vec<Filter> = texts.iter().map(|it| parse(it, Dialect::V2_4)).collect();
    let set: FilterSet = filters.iter().collect();
    let named: Vec<_> = set.ids().zip(filters).collect();
    let mut matcher = Matcher::new();
    let mut check = |event| check_set(&set, &named, &mut matcher, event).len();
    events.iter().map(&mut check).sum()
}

/// Bounds at and around the values, and at the ends of all numbers.
#[test]
fn bounds_on_both_sides() {
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, 41, 42, i64::MAX];
    let mut texts = Vec::new();
    for operator in [">", ">=", "<", "<=", "="] {
        for number in numbers {
            texts.push(format!("event=e AND n{operator}{number}"));
            texts.push(format!("event=e AND a=x AND n{operator}{number}"));
            texts.push(format!("a=x AND NOT n{operator}{number} AND NOT b=y"));
        }
    }
    let of = |number| {
        Fields(vec![
            ("n", Field::Value(number)),
            ("a", Field::Value(ValueRef::Str(b"X"))),
        ])
    };
    let integers = numbers.map(ValueRef::Int);
    let others = values::AROUND_INTEGERS.iter().copied();
    let mut events: Vec<_> = integers.into_iter().chain(others).map(of).collect();
    events.push(text("a", "x"));
    events.push(text("n", "42"));
    assert!(check(&texts, &events) > 100);
}

/// Ways to a filter that hold together, and more of them than are specialised.
#[test]
fn several_ways_to_one_filter() {
    let any = |key: &str, count: usize| {
        let all: Vec<_> = (0..count).map(|n| format!("{key}=v{n}")).collect();
        all.join(" OR ")
    };
    let mut texts = Vec::new();
    for count in [2, 10, 40, 300] {
        for other in 0..8 {
            texts.push(format!("({}) AND b=v{other}", any("a", count)));
            texts.push(format!(
                "({}) AND ({})",
                any("a", count),
                any("b", other + 1)
            ));
            texts.push(format!("a=v1 AND ({}) AND NOT c=v1", any("b", count)));
            texts.push(format!("{} OR {}", any("a", count), any("b", other + 1)));
        }
    }
    let list: &[&str] = &["v1", "v7", "v1", "v250", "", "v0", "v7"];
    let both = |a, b| Fields(vec![a, b]);
    let value = |key, text: &'static str| (key, Field::Value(ValueRef::Str(text.as_bytes())));
    let of_list = |key| (key, Field::List(list));
    let events = [
        text("a", "v1"),
        text("b", "v299"),
        both(value("a", "V1"), value("b", "v3")),
        both(of_list("a"), value("b", "v3")),
        both(of_list("a"), of_list("b")),
        both(value("a", "v1"), of_list("b")),
    ];
    assert!(check(&texts, &events) > 100);
}

/// Very many elements that lead to few comparisons: each counts once.
#[test]
fn elements_that_come_again() {
    let mut all = String::new();
    for n in 0..20_000 {
        write!(all, "x{} ", n % 50).unwrap();
    }
    let elements: Vec<&'static str> = all.leak().split_whitespace().collect();
    let event = Fields(vec![("list", Field::List(elements.leak()))]);
    let texts: Vec<_> = (0..60)
        .map(|n| format!("list=x{n} AND list=\"x{}*\"", n % 7))
        .collect();
    assert_eq!(check(&texts, &[event]), 50);
}

/// Patterns with one beginning are no slower to enter than others.
#[test]
fn one_beginning() {
    let filter = |n| parse(&format!("a=\"begin*{n}\""), Dialect::V2_4);
    let set: FilterSet = (0..10_000).map(filter).collect();
    let mut matcher = Matcher::new();
    let found = matcher.evaluate(&set, &text("a", "Beginning 4321"));
    let found: Vec<_> = found.iter().map(|id| id.get()).collect();
    assert_eq!(found, [1, 21, 321, 4321]);
}

fn comparison() -> impl Strategy<Value = String> {
    let texts = || {
        select(vec![
            "x", "X", "y", "42", "x*", "*x", "42.0", "4*", "yes", "n*", "nan",
        ])
    };
    let numbers = select(vec![i64::MIN, -42, 0, 41, 42, 43, i64::MAX]);
    let operators = select(vec![">", ">=", "<", "<="]);
    prop_oneof![
        4 => (select(vec!["a", "b", "c"]), texts()).prop_map(|(k, v)| format!("{k}=\"{v}\"")),
        1 => (select(vec!["a", "b"]), texts()).prop_map(|(k, v)| format!("NOT {k}=\"{v}\"")),
        1 => (texts(), texts()).prop_map(|(v, w)| format!("(a=\"{v}\" OR b=\"{w}\")")),
        3 => (select(vec!["n", "a"]), operators, numbers).prop_map(|(k, o, n)| format!("{k}{o}{n}")),
    ]
}

fn value() -> impl Strategy<Value = Field> {
    let texts = select(vec!["x", "X", "y", "xx", "42", ""]);
    let lists: Vec<&'static [&'static str]> = vec![&[], &["x", "y", "x"], &["42", "xx"]];
    prop_oneof![
        4 => texts.prop_map(|text| Field::Value(ValueRef::Str(text.as_bytes()))),
        3 => select(vec![-42, 0, 42, i64::MAX]).prop_map(|n| Field::Value(ValueRef::Int(n))),
        2 => values::any().prop_map(Field::Value),
        1 => select(lists).prop_map(Field::List),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn conjunctions(
        filters in vec(vec(comparison(), 1..5), 1..150),
        values in vec([value(), value(), value(), value()], 1..8),
    ) {
        let texts: Vec<_> = filters.iter().map(|all| all.join(" AND ")).collect();
        let event = |values: [Field; 4]| {
            let fields = ["a", "b", "c", "n"].into_iter().zip(values);
            Fields(fields.collect())
        };
        let events: Vec<_> = values.into_iter().map(event).collect();
        check(&texts, &events);
    }
}
