//! Reasons for the comparisons of fields, by the type of the event's value.

use alloc::{boxed::Box, vec::Vec};

use fantail_event::{Dialect, Elements, EventView, ValueRef};
use fantail_syntax::{Comparison as Written, Operator, ValueKind};

use super::{Reason, Seen, TermResult};
use crate::{FieldTest, NumberTest, comparison::number::ShortText};

pub(super) fn explain<E: EventView + ?Sized>(
    test: &FieldTest,
    written: &Written,
    dialect: Dialect,
    holds: bool,
    event: &E,
) -> TermResult {
    let Some(value) = event.field(&test.key) else {
        return TermResult::new(Seen::Nothing, missing(test, holds, event));
    };
    let (seen, reason) = match value {
        ValueRef::Str(seen) => (Seen::Text(seen.into()), text(test, written, holds, seen)),
        ValueRef::Int(seen) => (Seen::Number(seen), number(test, written, dialect, holds)),
        ValueRef::Unsigned(seen) => {
            let seen = Seen::Text(ShortText::of_unsigned(seen).as_bytes().into());
            (seen, number(test, written, dialect, holds))
        }
        ValueRef::Float(seen) => {
            let shown = ShortText::of_float(seen);
            let reason = match test.number {
                NumberTest::Compare(_) => number(test, written, dialect, holds),
                _ => text(test, written, holds, shown.as_bytes()),
            };
            (Seen::Text(shown.as_bytes().into()), reason)
        }
        ValueRef::Bool(seen) => {
            let shown = ShortText::of_bool(seen);
            let reason = text(test, written, holds, shown.as_bytes());
            (Seen::Text(shown.as_bytes().into()), reason)
        }
        ValueRef::Ip(ip) => (Seen::Address(ip.address()), address(test, holds)),
        ValueRef::Time(time) => (Seen::Time(time), Reason::Time),
        ValueRef::List(elements) => list(test, holds, elements),
    };
    finding(seen, reason, written).from(event.field_origin(&test.key))
}

/// A finding with what its words need of the value.
pub(super) fn finding(seen: Seen, reason: Reason, written: &Written) -> TermResult {
    let value = &written.value;
    let finding = TermResult::new(seen, reason);
    match reason {
        Reason::UnitAmbiguous => {
            let is_digit = |byte: &&u8| byte.is_ascii_digit();
            let digits = value.written().iter().take_while(is_digit).count();
            finding.wanted(value.written().get(..digits).unwrap_or_default())
        }
        Reason::TextOfReading => finding.wanted(value.plain()),
        _ => finding,
    }
}

fn missing<E: EventView + ?Sized>(test: &FieldTest, holds: bool, event: &E) -> Reason {
    if holds {
        return Reason::MissingFits;
    }
    let lower = test.key.to_ascii_lowercase();
    if *lower != *test.key && event.field(&lower).is_some() {
        Reason::KeyCase
    } else {
        Reason::Missing
    }
}

fn text(test: &FieldTest, written: &Written, holds: bool, seen: &[u8]) -> Reason {
    let value = &written.value;
    match (holds, seen.is_empty()) {
        (true, true) => Reason::EmptyFits,
        (true, false) => Reason::TextFits,
        (false, _) if test.operator != Operator::Equal => Reason::TextOrder,
        (false, true) => Reason::Empty,
        (false, false)
            if value.plain() != value.written() && value.written().eq_ignore_ascii_case(seen) =>
        {
            Reason::TextOfReading
        }
        (false, false) => Reason::TextDiffers,
    }
}

pub(super) fn number(test: &FieldTest, written: &Written, dialect: Dialect, holds: bool) -> Reason {
    let value = &written.value;
    let is_equality = test.operator == Operator::Equal;
    match (test.number, holds) {
        (NumberTest::Compare(_), true) => Reason::NumberFits,
        (NumberTest::Compare(_), false) => Reason::NumberDiffers,
        (NumberTest::Digits, true) => Reason::DigitsFit,
        (NumberTest::Digits, false) => Reason::DigitsDiffer,
        (NumberTest::Never, _) => match value.kind() {
            ValueKind::Ambiguous => Reason::UnitAmbiguous,
            ValueKind::Text if value.is_wild() && is_equality => Reason::DigitsOnly,
            ValueKind::Text if value.is_wild() => Reason::DigitsOrder,
            ValueKind::Text if dialect == Dialect::V2_3 && is_equality => Reason::Crash,
            _ => Reason::NotANumber,
        },
    }
}

fn address(test: &FieldTest, holds: bool) -> Reason {
    if holds {
        Reason::AddressFits
    } else if test.operator != Operator::Equal {
        Reason::AddressOrder
    } else if test.network.is_some() || test.text.wild().is_some() {
        Reason::AddressDiffers
    } else {
        Reason::NotAnAddress
    }
}

fn list(test: &FieldTest, holds: bool, list: Elements<'_>) -> (Seen, Reason) {
    let mut elements: Vec<Box<[u8]>> = Vec::new();
    let mut count = 0;
    let mut is_case = false;
    list.for_each(|element| {
        count += 1;
        if elements.len() < Seen::MAX_ELEMENTS {
            elements.push(element.into());
        }
        is_case |= test.element.is_some() && test.text.matches(element);
    });
    let reason = match (holds, count) {
        (true, 0) => Reason::NoElementsFit,
        (true, _) => Reason::ElementFits,
        (false, _) if test.operator != Operator::Equal => Reason::ListOrder,
        (false, 0) => Reason::NoElements,
        (false, _) if is_case => Reason::ElementCase,
        (false, _) => Reason::ElementsDiffer,
    };
    (Seen::List { elements, count }, reason)
}
