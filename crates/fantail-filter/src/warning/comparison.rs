//! Comparisons that hold for no event, mean something else than they seem to,
//! or are dangerous to a real Dovecot.

use alloc::{format, string::ToString, vec, vec::Vec};

use fantail_event::{Dialect, Level};
use fantail_syntax::{
    Comparison, Key, Network, Operator, ParseOptions, PatternPart, Shown, Value, ValueKind,
};

use super::{SHOWN_BYTES, Warning, WarningKind};
use crate::Hazard;

/// At most one warning: the gravest.
pub(super) fn check(comparison: &Comparison, dialect: Dialect) -> Option<Warning> {
    match &comparison.key {
        Key::Event => None,
        Key::Category => level_case(comparison).or_else(|| literal_wildcard(comparison)),
        Key::SourceLocation => literal_wildcard(comparison),
        Key::Field(key) => {
            let of_value = match (comparison.operator, dialect) {
                _ if comparison.value.kind() == ValueKind::Ambiguous => {
                    Some(ambiguous_unit(comparison))
                }
                (Operator::Equal, Dialect::V2_3) => equal_2_3(comparison),
                (Operator::Equal, Dialect::V2_4) if **key == *b"duration" => duration(comparison),
                (Operator::Equal, Dialect::V2_4) => rewritten(comparison),
                _ => order(comparison, dialect),
            };
            of_value.or_else(|| key_case(comparison, key))
        }
    }
}

fn value(comparison: &Comparison) -> Shown<'_> {
    Shown::up_to(comparison.value.written(), SHOWN_BYTES)
}

/// A replacement of the whole value.
fn instead(comparison: &Comparison, text: &str) -> Vec<(core::ops::Range<usize>, Vec<u8>)> {
    vec![(comparison.value_span.clone(), text.as_bytes().to_vec())]
}

/// `category=ERROR`.
fn level_case(comparison: &Comparison) -> Option<Warning> {
    let lower = comparison.value.written().to_ascii_lowercase();
    let level = Level::from_name(&lower).filter(|_| comparison.level().is_none())?;
    let name = level.name();
    Some(
        Warning::new(WarningKind::LetterCase, comparison.value_span.clone())
            .about(format_args!("this is no log level, but `{name}` is one"))
            .advise("write", instead(comparison, name)),
    )
}

/// `category=imap*`.
fn literal_wildcard(comparison: &Comparison) -> Option<Warning> {
    let what = match comparison.key {
        Key::Category => "a category is compared as a whole",
        _ => "a source place is compared as a whole",
    };
    let has = comparison
        .value
        .written()
        .iter()
        .any(|byte| b"*?".contains(byte));
    has.then(|| {
        let warning = Warning::new(WarningKind::LiteralWildcard, comparison.value_span.clone());
        let warning = warning.about(format_args!("{what}, and `{}` is none", value(comparison)));
        match comparison.key {
            Key::Category => warning.note(
                "a category stands for all that are below it, too: \
                 category=storage holds for events of category mailbox",
            ),
            _ => warning,
        }
    })
}

fn ambiguous_unit(comparison: &Comparison) -> Warning {
    let written = comparison.value.written();
    let digits = written
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = Shown::up_to(written.get(..digits).unwrap_or_default(), SHOWN_BYTES);
    Warning::new(WarningKind::AmbiguousUnit, comparison.value_span.clone())
        .about(format_args!(
            "`{}` could be minutes or megabytes",
            value(comparison)
        ))
        .note("Dovecot compares it with no number, only with text")
        .advise(
            "for megabytes write",
            instead(comparison, &format!("{number}MB")),
        )
        .advise(
            "for minutes write",
            instead(comparison, &format!("{number}mins")),
        )
}

/// `=` in 2.3, with what is no whole number.
fn equal_2_3(comparison: &Comparison) -> Option<Warning> {
    let text = &comparison.value;
    if text.kind() != ValueKind::Text {
        return None;
    }
    if text.written().contains(&b'/') && Network::parse(text.written()).is_some() {
        return Some(
            Warning::new(WarningKind::NetworkAsText, comparison.value_span.clone())
                .about(format_args!("`{}` is compared as text", value(comparison)))
                .advise(
                    "write the beginning of the addresses and *, as in 10.1.*",
                    Vec::new(),
                ),
        );
    }
    // Any other text is as dangerous if the field is a number. But then, who
    // would write it? That the field is none cannot be seen here.
    let looks_like_number = match text.written() {
        [b'-' | b'+', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
        [] => false,
    };
    Hazard::of(comparison)?;
    // `1.5` is an address, too, but hardly meant as one.
    let count_of = |byte: u8| text.written().iter().filter(|b| **b == byte).count();
    let looks_like_address =
        (count_of(b'.') == 3 || count_of(b':') > 1) && Network::parse(text.written()).is_some();
    if !looks_like_number || looks_like_address {
        return None;
    }
    let warning = Warning::new(WarningKind::Crash, comparison.span.clone())
        .about(format_args!(
            "`{}` is neither a number to it nor has wildcards",
            value(comparison)
        ))
        .note("each process that is sent this filter dies at the first such event");
    Some(match number_in_2_4(text) {
        Some(number) => warning.advise("write", instead(comparison, &number.to_string())),
        None => warning.advise("write a whole number", Vec::new()),
    })
}

/// The number that 2.4 reads in a value with a unit.
fn number_in_2_4(value: &Value) -> Option<i64> {
    let filter = [b"x=\"", value.written(), b"\""].concat();
    let options = ParseOptions::new(Dialect::V2_4);
    let tree = fantail_syntax::parse(&filter, &options).ok()?;
    match tree.comparisons().first()?.value.kind() {
        ValueKind::Size(number) | ValueKind::Interval(number) => Some(number),
        _ => None,
    }
}

/// 2.4's `duration=`, which is a number in every event of Dovecot's.
fn duration(comparison: &Comparison) -> Option<Warning> {
    let value_is_digits = || {
        comparison.value.is_wild()
            && comparison.value.pattern().all(|part| match part {
                PatternPart::Byte(byte) => byte.is_ascii_digit(),
                _ => true,
            })
    };
    match comparison.value.kind() {
        ValueKind::Integer(_) | ValueKind::Size(_) | ValueKind::Interval(_) => None,
        ValueKind::Text if value_is_digits() => None,
        _ => Some(
            Warning::new(WarningKind::NeverTrue, comparison.span.clone())
                .about(format_args!(
                    "`duration` is always a number, and `{}` is none",
                    value(comparison)
                ))
                .advise(
                    "write a number of microseconds, or a unit as in 500ms",
                    Vec::new(),
                ),
        ),
    }
}

/// `a="1.5"` and `a=007` of 2.4, which no field with this text matches. Units are meant as
/// numbers, and addresses in other forms as addresses.
fn rewritten(comparison: &Comparison) -> Option<Warning> {
    let written = comparison.value.written();
    let what = match comparison.value.kind() {
        ValueKind::Integer(_) => "the number",
        ValueKind::Network(_) if !is_whole_address(written) => "the address",
        _ => return None,
    };
    let read = comparison.value.plain();
    if read == written {
        return None;
    }
    let read = Shown::up_to(read, SHOWN_BYTES);
    let shown = value(comparison);
    Some(
        Warning::new(WarningKind::Rewritten, comparison.value_span.clone())
            .about(format_args!("`{shown}` is {what} {read}"))
            .note("a field with exactly the written text does not match")
            .advise(
                format!("for the text write a wildcard, as in \"{shown}*\""),
                Vec::new(),
            ),
    )
}

/// Returns whether an address has all of its parts.
fn is_whole_address(written: &[u8]) -> bool {
    written.contains(&b':') || written.iter().filter(|byte| **byte == b'.').count() == 3
}

/// `<`, `>`, `<=` and `>=`.
fn order(comparison: &Comparison, dialect: Dialect) -> Option<Warning> {
    let symbol = comparison.operator.symbol();
    let operator = comparison.key_span.end..comparison.value_span.start;
    match comparison.value.kind() {
        ValueKind::Integer(_) | ValueKind::Size(_) | ValueKind::Interval(_) => return None,
        ValueKind::Text | ValueKind::Network(_) | ValueKind::Ambiguous => {}
    }
    if comparison.value.pattern().next().is_none() {
        return Some(
            Warning::new(WarningKind::OrderOfNothing, comparison.span.clone())
                .note("a missing field matches the empty value with any operator")
                .advise("write", vec![(operator.clone(), b"=".to_vec())])
                .advise("for a field that is there write NOT key=\"\"", Vec::new()),
        );
    }
    let warning = Warning::new(WarningKind::NeverTrue, comparison.span.clone());
    if let ValueKind::Network(_) = comparison.value.kind() {
        return Some(
            warning
                .about(format_args!(
                    "addresses have no order, only = works, not {symbol}"
                ))
                .advise("write", vec![(operator, b"=".to_vec())]),
        );
    }
    if comparison.value.is_wild() {
        return Some(
            warning
                .about(format_args!(
                    "wildcards only work with =, not with {symbol}"
                ))
                .advise("write", vec![(operator, b"=".to_vec())]),
        );
    }
    let warning = warning.about(format_args!(
        "{symbol} compares numbers only, and `{}` is none",
        value(comparison)
    ));
    Some(match number_in_2_4(&comparison.value) {
        Some(number) if dialect == Dialect::V2_3 => warning
            .note("2.3 knows no units")
            .advise("write", instead(comparison, &number.to_string())),
        _ => warning.note("text can only be compared with ="),
    })
}

/// `Event=x`.
fn key_case(comparison: &Comparison, key: &[u8]) -> Option<Warning> {
    let special = ["event", "category", "source_location"]
        .into_iter()
        .find(|special| key.eq_ignore_ascii_case(special.as_bytes()))?;
    let edits = vec![(comparison.key_span.clone(), special.as_bytes().to_vec())];
    let key = Shown::up_to(key, SHOWN_BYTES);
    Some(
        Warning::new(WarningKind::LetterCase, comparison.key_span.clone())
            .about(format_args!(
                "`{key}` is a field of this name, not `{special}`"
            ))
            .advise("write", edits),
    )
}
