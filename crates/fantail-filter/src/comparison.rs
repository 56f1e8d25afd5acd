//! Comparisons, made ready for matching.
//!
//! Plain data: everything that a comparison needs is worked out once, from
//! what was written and from the dialect, so that an evaluator has nothing to
//! decide but the type of the event's value.

use alloc::boxed::Box;

use fantail_event::{Dialect, Level};
use fantail_syntax::{Key, Network, Operator, PatternPart, Span, ValueKind};

use crate::{Case, Pattern};

/// A comparison of a filter, ready for matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    test: Test,
    span: Span,
}

impl Comparison {
    pub(crate) fn new(written: &fantail_syntax::Comparison, dialect: Dialect) -> Self {
        Self {
            test: Test::new(written, dialect),
            span: written.span.clone(),
        }
    }

    /// What it tests.
    #[must_use]
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// Where it is written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

/// What a comparison tests; equal tests have equal results on every event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Test {
    /// The event's name; false for an unnamed event.
    Name(Pattern),
    /// The level of the sending.
    Level(Level),
    /// The event, an ancestor or the global event has this category or one
    /// that descends from it.
    Category(Box<[u8]>),
    /// The place in the source that sent the event.
    Source(SourceTest),
    /// A field.
    Field(FieldTest),
    /// 2.4's `duration`: a number whatever fields there are. The field of that
    /// name counts only for events of a type that has no times.
    Duration(FieldTest),
}

/// A test of the source place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceTest {
    /// 2.3: this file, and this line unless it is 0.
    Place {
        /// The file's name.
        file: Box<[u8]>,
        /// The line; 0 stands for any.
        line: u32,
    },
    /// 2.4: with a `:` in it this is `file:line`, else the file's name.
    Text(Box<[u8]>),
}

/// A test of a field, by the type of the value that the event has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldTest {
    /// The field's key.
    pub key: Box<[u8]>,
    /// Strings, lists and addresses match only if this is `=`.
    pub operator: Operator,
    /// What strings are compared with. A field that is missing matches if this
    /// is empty, whatever the operator.
    pub text: Pattern,
    /// What elements of lists are compared with, where it is not the same: 2.3
    /// tells upper from lower case there if there are no wildcards.
    pub element: Option<Pattern>,
    /// Numbers.
    pub number: NumberTest,
    /// Addresses, if the operator is `=` and this is one; an address is
    /// otherwise compared as text where there are wildcards.
    pub network: Option<Network>,
}

/// How a number is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberTest {
    /// By [the operator](FieldTest::operator), with this.
    Compare(i64),
    /// Its decimal digits with [the text](FieldTest::text), which has
    /// wildcards.
    Digits,
    /// It never matches.
    Never,
}

impl Test {
    fn new(written: &fantail_syntax::Comparison, dialect: Dialect) -> Self {
        let value = &written.value;
        match &written.key {
            Key::Event => Self::Name(Pattern::new(value.pattern(), Case::Sensitive)),
            // Not unescaped: 2.4 compares the backslashes, too.
            Key::Category => match written.level() {
                Some(level) => Self::Level(level),
                None => Self::Category(value.written().into()),
            },
            Key::SourceLocation => Self::Source(match dialect {
                Dialect::V2_3 => {
                    let place = value.source_place();
                    SourceTest::Place {
                        file: place.file.into(),
                        line: place.line.unwrap_or(0),
                    }
                }
                Dialect::V2_4 => SourceTest::Text(value.unescaped().into()),
            }),
            Key::Field(key) => {
                let test = FieldTest::new(key, written, dialect);
                if dialect == Dialect::V2_4 && **key == *b"duration" {
                    Self::Duration(test)
                } else {
                    Self::Field(test)
                }
            }
        }
    }
}

impl FieldTest {
    fn new(key: &[u8], written: &fantail_syntax::Comparison, dialect: Dialect) -> Self {
        let text = Pattern::new(written.value.pattern(), Case::Insensitive);
        let (number, network) = match written.value.kind() {
            ValueKind::Integer(n) | ValueKind::Size(n) | ValueKind::Interval(n) => {
                (NumberTest::Compare(n), None)
            }
            ValueKind::Network(network) => (NumberTest::Never, Some(network)),
            ValueKind::Text
                if written.operator == Operator::Equal && fits_digits(&text, dialect) =>
            {
                (NumberTest::Digits, None)
            }
            ValueKind::Text | ValueKind::Ambiguous => (NumberTest::Never, None),
        };
        let element = (dialect == Dialect::V2_3 && text.literal().is_some())
            .then(|| Pattern::new(written.value.pattern(), Case::Sensitive));
        Self {
            key: key.into(),
            operator: written.operator,
            text,
            element,
            number,
            network,
        }
    }
}

/// Whether a text is matched with the digits of a number: in 2.3 any that has
/// wildcards, in 2.4 only digits and wildcards (so `-*` fits no number).
fn fits_digits(text: &Pattern, dialect: Dialect) -> bool {
    let Some(parts) = text.wild() else {
        return false;
    };
    let fits = |part: &PatternPart| match part {
        PatternPart::Byte(byte) => byte.is_ascii_digit(),
        PatternPart::AnyByte | PatternPart::AnyRun => true,
    };
    dialect == Dialect::V2_3 || parts.iter().all(fits)
}
