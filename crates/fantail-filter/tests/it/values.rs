//! Values that no event of Dovecot has: unsigned numbers, floats, and truth
//! values. One filter and a set of filters give the same answers.

use fantail_event::{
    Dialect::{self, V2_3, V2_4},
    EventView, ValueRef,
};
use fantail_filter::{Filter, FilterId, FilterSet, Matcher};
use proptest::{prelude::*, sample::select};

use crate::sets::{check_set, parse};

pub(crate) const BOTH: [Dialect; 2] = [V2_3, V2_4];

/// 2^63, the first number above `i64::MAX`.
const ABOVE_I64: f64 = 9_223_372_036_854_775_808.0;

/// Numbers at, between and beyond the integers that filters name.
pub(crate) const AROUND_INTEGERS: &[ValueRef<'static>] = &[
    ValueRef::Float(f64::NEG_INFINITY),
    ValueRef::Float(-ABOVE_I64 * 2.0),
    ValueRef::Float(-ABOVE_I64),
    ValueRef::Float(-42.5),
    ValueRef::Float(-42.0),
    ValueRef::Float(-0.5),
    ValueRef::Float(-0.0),
    ValueRef::Float(0.0),
    ValueRef::Float(5e-324),
    ValueRef::Float(41.5),
    ValueRef::Float(42.0),
    ValueRef::Float(42.000_000_000_000_01),
    ValueRef::Float(42.5),
    ValueRef::Float(420.0),
    ValueRef::Float(1024.0),
    ValueRef::Float(2_000_000.25),
    ValueRef::Float(1e16),
    ValueRef::Float(ABOVE_I64),
    ValueRef::Float(f64::MAX),
    ValueRef::Float(f64::INFINITY),
    ValueRef::Float(f64::NAN),
    ValueRef::Unsigned(1 << 63),
    ValueRef::Unsigned(u64::MAX),
];

/// Unsigned numbers, floats and truth values.
pub(crate) fn any() -> impl Strategy<Value = ValueRef<'static>> {
    prop_oneof![
        8 => select(AROUND_INTEGERS),
        2 => (-50_i32..50, 0_u8..4).prop_map(|(whole, quarters)| {
            ValueRef::Float(f64::from(whole) + f64::from(quarters) / 4.0)
        }),
        1 => proptest::num::f64::ANY.prop_map(ValueRef::Float),
        1 => (1_u64 << 63..).prop_map(ValueRef::Unsigned),
        2 => proptest::bool::ANY.prop_map(ValueRef::Bool),
    ]
}

/// An event named `e` whose field `v` has this value.
struct One<'a>(Option<ValueRef<'a>>);

impl EventView for One<'_> {
    fn name(&self) -> Option<&[u8]> {
        Some(b"e")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        self.0.filter(|_| key == b"v")
    }
}

/// Which filters match, by their positions: alone, in a set, and in a set where
/// each has a second comparison.
#[track_caller]
pub(crate) fn check_view(
    event: &impl EventView,
    dialects: &[Dialect],
    filters: &[&str],
    expected: &[usize],
) {
    for &dialect in dialects {
        for form in ["F", "event=e AND (F)", "NOT (F)", "missing=\"\" AND (F)"] {
            let text = |filter: &&str| form.replace('F', filter);
            let parsed: Vec<Filter> = filters.iter().map(|f| parse(&text(f), dialect)).collect();
            let set: FilterSet = parsed.iter().collect();
            let named: Vec<(FilterId, Filter)> = set.ids().zip(parsed).collect();
            let found = check_set(&set, &named, &mut Matcher::new(), event);
            let found: Vec<_> = found.into_iter().map(FilterId::index).collect();
            let is_negated = form.starts_with("NOT");
            let expected = (0..filters.len()).filter(|at| expected.contains(at) != is_negated);
            assert_eq!(
                found,
                expected.collect::<Vec<_>>(),
                "{form} in {dialect} of {filters:?}"
            );
        }
    }
}

#[track_caller]
fn check(value: ValueRef<'_>, filters: &[&str], expected: &[usize]) {
    check_view(&One(Some(value)), &BOTH, filters, expected);
}

/// Units and numbers below -2^31 are text in 2.3.
#[track_caller]
fn check_2_4(value: ValueRef<'_>, filters: &[&str], expected: &[usize]) {
    check_view(&One(Some(value)), &[V2_4], filters, expected);
}

#[test]
fn floats_compare_as_numbers() {
    let whole = ["v=42", "v>42", "v>=42", "v<42", "v<=42"];
    check(ValueRef::Float(42.0), &whole, &[0, 2, 4]);
    check(ValueRef::Float(42.5), &whole, &[1, 2]);
    check(ValueRef::Float(41.5), &whole, &[3, 4]);
    let between = ["v>42", "v<43", "v>=43", "v<=42", "v=42", "v=43"];
    check(ValueRef::Float(42.5), &between, &[0, 1]);
    let negative = ["v>-43", "v<-42", "v>=-42", "v<=-43"];
    check(ValueRef::Float(-42.5), &negative, &[0, 1]);
    let zero = ["v=0", "v>=0", "v<=0", "v<0", "v>0"];
    check(ValueRef::Float(-0.0), &zero, &[0, 1, 2]);
    let units = ["v>1k", "v=1k", "v<1MB"];
    check_2_4(ValueRef::Float(1024.0), &units, &[1, 2]);
}

#[test]
fn floats_at_the_ends_of_integers() {
    let top = [
        "v>9223372036854775807",
        "v>=9223372036854775807",
        "v=9223372036854775807",
        "v<=9223372036854775807",
    ];
    check(ValueRef::Float(ABOVE_I64), &top, &[0, 1]);
    check(ValueRef::Float(f64::INFINITY), &top, &[0, 1]);
    check(ValueRef::Float(ABOVE_I64.next_down()), &top, &[3]);
    let bottom = [
        "v<-9223372036854775807",
        "v<=-9223372036854775807",
        "v>-9223372036854775807",
    ];
    check_2_4(ValueRef::Float(-ABOVE_I64), &bottom, &[0, 1]);
    check_2_4(ValueRef::Float(-ABOVE_I64 * 2.0), &bottom, &[0, 1]);
    check_2_4(ValueRef::Float(f64::NEG_INFINITY), &bottom, &[0, 1]);
}

/// A NaN is neither below nor above a number, nor equal to one.
#[test]
fn no_number_fits_nan() {
    let numbers = ["v=0", "v>0", "v>=0", "v<0", "v<=0"];
    check(ValueRef::Float(f64::NAN), &numbers, &[]);
    let texts = ["v=nan", "v=n*", "v=*", "v=?a?", "v>nan"];
    check(ValueRef::Float(f64::NAN), &texts, &[0, 1, 2, 3]);
}

/// With anything but a number, a float compares by its shortest text.
#[test]
fn floats_have_a_text() {
    let texts = ["v=1.*", "v=*", "v=?.5", "v=1.50", "v=2*"];
    check(ValueRef::Float(1.5), &texts, &[0, 1, 2]);
    // 2.4 reads `1.5` as the address 1.0.0.5, which no other text equals.
    let written = ["v=1.5", "v=-1.5"];
    let of_2_3 = |number| check_view(&One(Some(number)), &[V2_3], &written, &[0]);
    of_2_3(ValueRef::Float(1.5));
    of_2_3(ValueRef::Str(b"1.5"));
    check_2_4(ValueRef::Float(1.5), &written, &[]);
    check_2_4(ValueRef::Str(b"1.5"), &written, &[]);
    check_2_4(ValueRef::Float(-1.5), &written, &[1]);
    check(
        ValueRef::Float(1e300),
        &["v=1e300", "v=1E3*", "v=1e3"],
        &[0, 1],
    );
    check(ValueRef::Float(42.0), &["v=42*", "v=4?"], &[0]);
    check(ValueRef::Float(f64::INFINITY), &["v=inf", "v=-inf"], &[0]);
    let order = ["v>1.5", "v>=1.5", "v<1.5", "v<1.*"];
    check(ValueRef::Float(1.5), &order, &[]);
}

#[test]
fn numbers_above_i64_are_greater_than_all_integers() {
    let numbers = [
        "v>0",
        "v>=9223372036854775807",
        "v>9223372036854775807",
        "v=9223372036854775807",
        "v<=9223372036854775807",
        "v<0",
    ];
    for number in [1 << 63, u64::MAX] {
        check(ValueRef::from(number), &numbers, &[0, 1, 2]);
    }
    let digits = ["v=184*", "v=*615", "v=*", "v=9*", "v=?"];
    check(ValueRef::from(u64::MAX), &digits, &[0, 1, 2]);
}

/// Dovecot writes `yes` and `no`.
#[test]
fn truth_values_are_yes_or_no() {
    let words = ["v=yes", "v=YES", "v=y*", "v=no", "v=*", "v=true", "v=1"];
    check(ValueRef::Bool(true), &words, &[0, 1, 2, 4]);
    check(ValueRef::Bool(false), &words, &[3, 4]);
    let order = ["v>no", "v>=yes", "v<1", "v>0"];
    check(ValueRef::Bool(true), &order, &[]);
}

/// They are there, so none of them is the empty string.
#[test]
fn none_of_them_is_missing() {
    let missing = ["v=\"\"", "v>\"\"", "none=\"\"", "none=*"];
    for value in AROUND_INTEGERS {
        check(*value, &missing, &[2]);
    }
    check(ValueRef::Bool(false), &missing, &[2]);
    check_view(&One(None), &BOTH, &missing, &[0, 1, 2]);
}

/// The explanation of a comparison agrees with the comparison.
#[test]
fn explanations_agree() {
    let filters = [
        "v=42", "v>42", "v<42", "v=4*", "v=*", "v=yes", "v=x*", "v=\"\"", "v=nan",
    ];
    let truths = [ValueRef::Bool(true), ValueRef::Bool(false)];
    for dialect in BOTH {
        for value in AROUND_INTEGERS.iter().chain(&truths) {
            for text in filters {
                let (filter, event) = (parse(text, dialect), One(Some(*value)));
                let explained = filter.explain(&event);
                assert_eq!(
                    explained.matches(),
                    filter.matches(&event),
                    "{text} {value:?}"
                );
                let holds = explained.findings()[0].holds();
                assert_eq!(
                    holds,
                    filter.comparisons()[0].holds(&event),
                    "{text} {value:?}"
                );
            }
        }
    }
}
