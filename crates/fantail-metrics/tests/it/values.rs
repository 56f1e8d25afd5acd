//! Values that no event of Dovecot has: unsigned numbers, floats and booleans.

use fantail_event::{Dialect, SentEvent, Timestamp, ValueRef};
use fantail_metrics::{Exponential, Limits, Linear, Method, Modifier, Registry, Snapshot, state};

use crate::{
    fixture::{counts, discrete, event, settings, with_sent},
    snapshots::contents,
};

const FLOATS: [f64; 5] = [1.5, -1.5, 10.0, f64::NAN, f64::INFINITY];

/// Counts an event for each of these values of `x`, grouped by `x`.
fn played(dialect: Dialect, method: Method, values: &[ValueRef<'_>]) -> Snapshot {
    let mut registry = Registry::with_limits(dialect, Limits::default());
    let id = registry.add(settings("m", "x", &[("x", method)])).unwrap();
    for value in values {
        with_sent(&event(vec![("x", *value)]), |sent| {
            assert!(registry.observe(id, sent));
        });
    }
    registry.snapshot()
}

#[track_caller]
fn check(method: &Method, values: &[ValueRef<'_>], expected: &str) {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let got = counts(&played(dialect, method.clone(), values), 0);
        assert_eq!(got, expected, "{dialect}");
    }
}

fn linear() -> Method {
    Method::Linear(Linear::new(0, 20, 10).unwrap())
}

/// Each value has a series, distinguished by its text.
#[test]
fn discrete_levels() {
    let floats = FLOATS.map(ValueRef::Float);
    check(&discrete(), &floats, "=5 1.5=1 -1.5=1 10.0=1 NaN=1 inf=1");
    let unsigned = [1 << 63, u64::MAX, u64::MAX].map(ValueRef::from);
    let expected = "=3 9223372036854775808=1 18446744073709551615=2";
    check(&discrete(), &unsigned, expected);
    let truths = [true, false, true].map(ValueRef::Bool);
    check(&discrete(), &truths, "=3 yes=2 no=1");
}

/// A text, a list and another value with the same text share a series.
#[test]
fn series_are_told_by_text() {
    let values = [
        ValueRef::from("yes"),
        ValueRef::Bool(true),
        ValueRef::from("1.5"),
        ValueRef::Float(1.5),
        // Dovecot prints integers as unsigned.
        ValueRef::Int(-1),
        ValueRef::from(u64::MAX),
    ];
    check(
        &discrete(),
        &values,
        "=6 yes=2 1.5=2 18446744073709551615=2",
    );
}

/// The bucket of a float may lie between two integers.
#[test]
fn quantized_levels() {
    let floats = |values: &[f64]| {
        values
            .iter()
            .map(|it| ValueRef::Float(*it))
            .collect::<Vec<_>>()
    };
    let inner = floats(&[-0.5, 0.0, 0.5, 1.0, 10.0, 10.5, 20.0]);
    check(&linear(), &inner, "=7 x_ninf_0=2 x_1_10=3 x_11_20=2");
    let outer = floats(&[-1e300, f64::NEG_INFINITY, 20.000_1, 1e300, f64::INFINITY]);
    check(&linear(), &outer, "=5 x_ninf_0=2 x_21_inf=3");
    let exponential = || Method::Exponential(Exponential::new(0, 2, 10).unwrap());
    let powers = floats(&[0.1, 1.0, 1.1, 10.0, 10.1, 100.0, 100.1]);
    let expected = "=7 x_ninf_1=2 x_2_10=2 x_11_100=2 x_101_inf=1";
    check(&exponential(), &powers, expected);
    let unsigned = [1 << 63, u64::MAX].map(ValueRef::from);
    check(&linear(), &unsigned, "=2 x_21_inf=2");
    check(&exponential(), &unsigned, "=2 x_101_inf=2");
}

/// Like texts, these values have no bucket.
#[test]
fn values_without_order_are_in_no_bucket() {
    let values = [
        ValueRef::Bool(true),
        ValueRef::Float(f64::NAN),
        ValueRef::Int(5),
    ];
    check(&linear(), &values, "=3 x_1_10=1");
}

/// A distribution counts the integer part of a float, at least 0, and only the
/// number of booleans.
#[test]
fn distributions_of_fields() {
    let field = |values: &[ValueRef<'_>]| {
        let snapshot = played(Dialect::V2_4, discrete(), values);
        let root = snapshot.metrics()[0].series().get(0).unwrap();
        let field = &root.fields()[0];
        (field.count(), field.min(), field.max())
    };
    assert_eq!(field(&[1.9, 7.0].map(ValueRef::Float)), (2, 1, 7));
    let odd = [-3.5, f64::NAN].map(ValueRef::Float);
    assert_eq!(field(&odd), (2, 0, 0));
    let large = [ValueRef::Float(1e300), ValueRef::from(u64::MAX)];
    assert_eq!(field(&large), (2, u64::MAX, u64::MAX));
    assert_eq!(field(&[true, false].map(ValueRef::Bool)), (2, 0, 0));
}

/// Modifiers change texts only.
#[test]
fn modifiers_leave_numbers_alone() {
    let upper = Method::Discrete(vec![Modifier::Upper]);
    let values = [ValueRef::Float(1e300), ValueRef::Bool(true)];
    check(&upper, &values, "=2 1e300=1 yes=1");
}

/// An exemplar has an unsigned number of its field like a signed one; floats
/// and booleans are too coarse to find an event.
#[test]
fn exemplars_tell_unsigned_numbers() {
    let told = |value: ValueRef<'_>| {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.keep_exemplars(Some(b"session"));
        let id = registry.add(settings("m", "", &[])).unwrap();
        let event = event(vec![("session", value)]);
        let time = Timestamp::new(10, 0).unwrap();
        assert!(registry.observe_at(id, &SentEvent::alone(&event), time));
        let snapshot = registry.snapshot();
        let root = snapshot.metrics()[0].series().get(0).unwrap();
        root.exemplar().map(|exemplar| exemplar.value.clone())
    };
    let expected = b"18446744073709551615".to_vec();
    assert_eq!(told(ValueRef::from(u64::MAX)), Some(expected));
    assert_eq!(told(ValueRef::Float(1.5)), None);
    assert_eq!(told(ValueRef::Bool(true)), None);
}

/// A state file contains these values like others.
#[test]
fn they_come_back_from_a_state() {
    let values = FLOATS.map(ValueRef::Float);
    let others = [ValueRef::from(u64::MAX), ValueRef::Bool(true)];
    let all: Vec<_> = values.into_iter().chain(others).collect();
    for method in [discrete(), linear()] {
        let snapshot = played(Dialect::V2_4, method.clone(), &all);
        let saved = state::write(&snapshot, |_| Vec::new());
        let mut registry = Registry::new(Dialect::V2_4);
        registry.add(settings("m", "x", &[("x", method)])).unwrap();
        registry.restore(&state::read(&saved).unwrap(), |_, _| true);
        assert_eq!(contents(&registry.snapshot()), contents(&snapshot));
    }
}
