//! The keys by which an index finds a comparison, and the cost of choosing it.
//!
//! A field's comparison has, for each type of value, at most one key. TermResult too
//! much is harmless, because each comparison found is then evaluated; finding too
//! little would be wrong.

use core::net::IpAddr;

use fantail_syntax::{Network, Operator, PatternPart};

use crate::{
    FieldTest, NumberTest, Pattern, Test,
    set::checks::{CheckId, Checks},
};

/// The index key of a pattern. The bytes of patterns are in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::set) enum TextKey<'a> {
    /// By equality with this text, which is not empty.
    Equal(&'a [u8]),
    /// By its beginning: parts that are all bytes.
    Prefix(&'a [PatternPart]),
    /// By its end: parts that are all bytes.
    Suffix(&'a [PatternPart]),
    /// By trying each text.
    Any,
}

/// The numbers for which a comparison holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::set) enum NumberKey {
    Equal(i64),
    AtLeast(i64),
    AtMost(i64),
}

/// The keys of one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::set) struct IndexKeys<'a> {
    /// The comparison holds for a missing field.
    pub(in crate::set) missing: bool,
    /// For texts and elements of lists.
    pub(in crate::set) text: Option<TextKey<'a>>,
    pub(in crate::set) number: Option<NumberKey>,
    /// The text key also finds the digits of numbers.
    pub(in crate::set) digits: bool,
    pub(in crate::set) network: Option<Network>,
    /// The text key also finds addresses.
    pub(in crate::set) address_text: bool,
}

impl<'a> IndexKeys<'a> {
    pub(in crate::set) fn of(test: &'a FieldTest) -> Self {
        let is_equality = test.operator == Operator::Equal;
        let is_wild = test.text.wild().is_some();
        Self {
            missing: test.text.is_empty(),
            text: (is_equality && !test.text.is_empty()).then(|| text_key(&test.text)),
            number: match test.number {
                NumberTest::Compare(with) => Some(number_key(test.operator, with)),
                NumberTest::Digits | NumberTest::Never => None,
            },
            digits: is_equality && test.number == NumberTest::Digits,
            network: test.network.filter(|_| is_equality),
            address_text: is_equality && is_wild && test.network.is_none(),
        }
    }
}

fn text_key(pattern: &Pattern) -> TextKey<'_> {
    if let Some(text) = pattern.literal() {
        return TextKey::Equal(text);
    }
    let parts = pattern.wild().unwrap_or_default();
    let is_byte = |part: &&PatternPart| matches!(part, PatternPart::Byte(_));
    let before = parts.iter().take_while(is_byte).count();
    let after = parts.iter().rev().take_while(is_byte).count();
    let prefix = parts.get(..before).unwrap_or_default();
    let suffix = parts.get(parts.len() - after..).unwrap_or_default();
    match (before, after) {
        (0, 0) => TextKey::Any,
        _ if before >= after => TextKey::Prefix(prefix),
        _ => TextKey::Suffix(suffix),
    }
}

fn number_key(operator: Operator, with: i64) -> NumberKey {
    match operator {
        Operator::Equal => NumberKey::Equal(with),
        // Only unsigned numbers and floats lie outside `i64`.
        Operator::Greater => NumberKey::AtLeast(with.saturating_add(1)),
        Operator::GreaterOrEqual => NumberKey::AtLeast(with),
        Operator::Less => NumberKey::AtMost(with.saturating_sub(1)),
        Operator::LessOrEqual => NumberKey::AtMost(with),
    }
}

/// The first `bits` of an address, by which networks are hashed.
pub(in crate::set) fn masked(address: IpAddr, bits: u8) -> (bool, u128) {
    let mask = |value: u128, width: u32| {
        let beyond = width.saturating_sub(bits.into());
        let kept = value.checked_shr(beyond).unwrap_or(0);
        kept.checked_shl(beyond).unwrap_or(0)
    };
    match address {
        IpAddr::V4(v4) => (false, mask(v4.to_bits().into(), 32)),
        IpAddr::V6(v6) => (true, mask(v6.to_bits(), 128)),
    }
}

/// The cost of a comparison that holds for every event; costs are estimated shares
/// of events.
const UNIT: u32 = 1 << 16;

/// The cost of evaluating a filter.
pub(in crate::set) const EVALUATION_COST: u64 = UNIT as u64;

/// The cost of looking a field up and finding comparisons by its value.
pub(in crate::set) const LOOK_UP_COST: u32 = UNIT + UNIT / 2;

/// The cost of entering a filter under this comparison: the estimated share of
/// events for which it holds. `None` if no index finds the comparison.
///
/// A text is the more selective the more texts its field is compared with: one
/// user among a thousand excludes more events than one state of two.
pub(in crate::set) fn cost(checks: &Checks, id: CheckId) -> Option<u32> {
    let (slot, test) = checks.field(id)?;
    let keys = IndexKeys::of(test);
    let share = UNIT / checks.texts_of_slot(slot).saturating_add(1);
    let of_text = match keys.text {
        None => 0,
        Some(TextKey::Equal(_)) => share,
        Some(TextKey::Prefix(parts) | TextKey::Suffix(parts)) => {
            let rare = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            share.saturating_add(UNIT / 8 / rare.max(1))
        }
        Some(TextKey::Any) => UNIT * 3 / 4,
    };
    let of_number = match keys.number {
        None => 0,
        Some(NumberKey::Equal(_)) => share,
        Some(NumberKey::AtLeast(_) | NumberKey::AtMost(_)) => UNIT / 2,
    };
    let of_missing = if keys.missing { UNIT / 2 } else { 0 };
    Some(1 + of_text.max(of_number).max(of_missing))
}

/// Whether a comparison has the same result for all events of a class.
pub(in crate::set) fn is_of_class(test: &Test) -> bool {
    matches!(test, Test::Name(_) | Test::Level(_) | Test::Category(_))
}
