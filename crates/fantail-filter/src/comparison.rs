//! Comparisons, prepared for matching.
//!
//! Plain data: everything is derived once from the text and the dialect, so that an
//! evaluation depends only on the type of the event's value.

use alloc::boxed::Box;
use core::ops::Range;

use fantail_event::{Dialect, Level};
use fantail_syntax::{Key, Network, Operator, PatternPart, ValueKind};

pub use self::pattern::{Case, Pattern};

mod evaluate;
pub(crate) mod number;
mod pattern;

/// A comparison of a filter, ready for matching.
///
/// ```
/// use fantail_filter::{CompiledComparison, Filter, NumberTest, Test};
///
/// let filter: Filter = "event=login AND tries>=3".parse()?;
/// let comparison: &CompiledComparison = &filter.comparisons()[1];
/// assert_eq!(comparison.span(), 16..24);
/// let Test::Field(test) = comparison.test() else { panic!() };
/// assert_eq!(&*test.key, b"tries");
/// assert_eq!(test.number, NumberTest::Compare(3));
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledComparison {
    test: Test,
    span: Range<usize>,
}

impl CompiledComparison {
    pub(crate) fn new(written: &fantail_syntax::Comparison, dialect: Dialect) -> Self {
        Self {
            test: Test::new(written, dialect),
            span: written.span.clone(),
        }
    }

    /// Returns the test.
    #[must_use]
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// Returns the position of the comparison in the filter's text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// The test of a comparison; equal tests have equal results for every event.
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
    /// The line of source code that sent the event.
    Source(SourceTest),
    /// A field.
    Field(FieldTest),
    /// 2.4's `duration`: the duration as a number, or the field of that name for
    /// events of a type without times.
    Duration(FieldTest),
}

/// A test of the source location.
///
/// ```
/// use fantail_filter::{Filter, SourceTest, Test};
///
/// let filter: Filter = "source_location=imap-fetch.c".parse()?;
/// assert!(matches!(filter.comparisons()[0].test(), Test::Source(SourceTest::Text(_))));
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
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
    /// 2.4: `file:line`, or the file's name if there is no `:`.
    Text(Box<[u8]>),
}

/// A test of a field, by the type of the value that the event has.
///
/// ```
/// use fantail_filter::{FieldTest, Filter, Test};
///
/// let filter: Filter = "remote_ip=10.0.0.0/8".parse()?;
/// let Test::Field(test) = filter.comparisons()[0].test() else { panic!() };
/// let FieldTest { key, network, .. } = test;
/// assert_eq!(&**key, b"remote_ip");
/// assert_eq!(network.map(|network| network.bits()), Some(8));
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldTest {
    /// The field's key.
    pub key: Box<[u8]>,
    /// Strings, lists and addresses match only if this is `=`.
    pub operator: Operator,
    /// The pattern for strings. A missing field matches, with every operator, if
    /// this is empty.
    pub text: Pattern,
    /// The pattern for elements of lists, if it is another one: 2.3 compares elements
    /// with regard to case if there are no wildcards.
    pub element: Option<Pattern>,
    /// Numbers.
    pub number: NumberTest,
    /// The network for addresses if the operator is `=`. Without a network, an address
    /// is compared as text if there are wildcards.
    pub network: Option<Network>,
}

/// The test of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberTest {
    /// Compares with this number by [the operator](FieldTest::operator).
    Compare(i64),
    /// Compares the decimal digits with [the text](FieldTest::text), which has
    /// wildcards.
    Digits,
    /// Never matches.
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

/// Returns whether a text is matched with the digits of a number: in 2.3 any
/// text with wildcards, in 2.4 only digits and wildcards (so `-*` matches no
/// number).
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
