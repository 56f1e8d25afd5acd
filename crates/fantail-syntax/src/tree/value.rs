//! The values of comparisons.
//!
//! A value stays the text that was written; 2.4 also reads field values as
//! numbers, addresses, sizes and intervals, and then prints, and compares
//! with strings, the plain form of what it read (`1k` becomes `1024`).

use alloc::{borrow::Cow, boxed::Box, string::ToString};

use fantail_event::Dialect;

use super::network::Network;
use crate::text::{escape, interval::unit_milliseconds};

/// The value of a comparison.
///
/// ```
/// use fantail_syntax::{ParseOptions, PatternPart, Value, ValueKind, parse};
///
/// let tree = parse(br#"size=5k OR user="a\*?""#, &ParseOptions::default())?;
/// let size: &Value = &tree.comparisons()[0].value;
/// assert_eq!((size.written(), size.plain()), (&b"5k"[..], &b"5120"[..]));
/// assert_eq!(size.kind(), ValueKind::Size(5120));
///
/// let user = &tree.comparisons()[1].value;
/// let parts: Vec<_> = user.pattern().collect();
/// assert_eq!(
///     parts,
///     [PatternPart::Byte(b'a'), PatternPart::Byte(b'*'), PatternPart::AnyByte]
/// );
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    written: Box<[u8]>,
    plain: Option<Box<[u8]>>,
    kind: ValueKind,
    dialect: Dialect,
    is_wild: bool,
}

/// The type that a value is read as.
///
/// 2.3 knows only `Integer` and `Text`; the values of `event`, `category` and
/// `source_location` are always `Text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A text, possibly with wildcards.
    Text,
    /// A decimal number. (2.3: one greater than −2³¹; others are `Text`.)
    Integer(i64),
    /// An address or a network.
    Network(Network),
    /// A size in bytes, at most 2⁶³−1 (`5kB`).
    Size(i64),
    /// A time span in microseconds, at most 4,294,967,295,000 (`5 mins`).
    Interval(i64),
    /// A number and `M`: minutes or megabytes? Compared as text only.
    Ambiguous,
}

impl Value {
    /// The value of a field.
    pub(crate) fn of_field(written: &[u8], dialect: Dialect) -> Self {
        let kind = match dialect {
            Dialect::V2_3 => fantail_event::text::integer(written)
                .filter(|&number| number > i64::from(i32::MIN))
                .map_or(ValueKind::Text, ValueKind::Integer),
            Dialect::V2_4 => read(written),
        };
        let plain = match (dialect, kind) {
            (Dialect::V2_3, _) | (_, ValueKind::Text | ValueKind::Ambiguous) => None,
            (_, ValueKind::Network(network)) => Some(network.to_string()),
            (_, ValueKind::Integer(n) | ValueKind::Size(n) | ValueKind::Interval(n)) => {
                Some(n.to_string())
            }
        };
        let plain = plain.map(|text| text.into_bytes().into_boxed_slice());
        Self {
            written: written.into(),
            plain: plain.filter(|text| **text != *written),
            kind,
            dialect,
            is_wild: kind == ValueKind::Text && is_wild(written, dialect),
        }
    }

    /// The value of `event`.
    pub(crate) fn pattern_only(written: &[u8], dialect: Dialect) -> Self {
        Self {
            is_wild: is_wild(written, dialect),
            ..Self::verbatim(written, dialect)
        }
    }

    /// The value of `category` or `source_location`: no wildcards.
    pub(crate) fn verbatim(written: &[u8], dialect: Dialect) -> Self {
        Self {
            written: written.into(),
            plain: None,
            kind: ValueKind::Text,
            dialect,
            is_wild: false,
        }
    }

    /// Returns the type that it was read as.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// Returns the dialect that it was read in.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The text as written, without quotes; in 2.4 with its backslash pairs
    /// (2.3 has resolved `\\` and `\"`, and knows no others).
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.written
    }

    /// The text that strings are compared with, and that is printed: that of
    /// the number or address that was read, else as [written](Self::written).
    #[must_use]
    pub fn plain(&self) -> &[u8] {
        self.plain.as_deref().unwrap_or(&self.written)
    }

    /// The [plain](Self::plain) text with nothing escaped in it. Of a value
    /// without wildcards this is what Dovecot prints: in 2.4 an escaped
    /// wildcard is then no longer told from a real one.
    #[must_use]
    pub fn unescaped(&self) -> Cow<'_, [u8]> {
        match self.dialect {
            Dialect::V2_3 => Cow::Borrowed(self.plain()),
            Dialect::V2_4 => escape::unescape(self.plain()),
        }
    }

    /// Returns whether it has wildcards; `false` for `category` and
    /// `source_location`.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        self.is_wild
    }

    /// The parts of the [plain](Self::plain) text, wildcards told from bytes
    /// that stand for themselves.
    ///
    /// Beside wildcards, 2.4 knows only `\*`, `\?` and `\\` as escapes:
    /// another pair stands for both of its bytes. Without wildcards every
    /// pair stands for its second byte.
    pub fn pattern(&self) -> impl Iterator<Item = PatternPart> + Clone {
        PatternParts {
            rest: self.plain(),
            dialect: self.dialect,
            wild: self.is_wild,
        }
    }

    /// Returns the number of wildcards.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        if !self.is_wild {
            return 0;
        }
        self.pattern()
            .filter(|part| !matches!(part, PatternPart::Byte(_)))
            .count()
    }
}

/// The parts of a text.
#[derive(Debug, Clone)]
struct PatternParts<'a> {
    rest: &'a [u8],
    dialect: Dialect,
    wild: bool,
}

impl Iterator for PatternParts<'_> {
    type Item = PatternPart;

    #[inline]
    fn next(&mut self) -> Option<PatternPart> {
        let (&byte, after) = self.rest.split_first()?;
        self.rest = after;
        Some(match (byte, after.split_first()) {
            (b'*', _) if self.wild => PatternPart::AnyRun,
            (b'?', _) if self.wild => PatternPart::AnyByte,
            (b'\\', Some((&escaped, after)))
                if self.dialect == Dialect::V2_4
                    && (!self.wild || matches!(escaped, b'*' | b'?' | b'\\')) =>
            {
                self.rest = after;
                PatternPart::Byte(escaped)
            }
            _ => PatternPart::Byte(byte),
        })
    }

    /// Without escapes there are as many parts as bytes.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len().div_ceil(2), Some(self.rest.len()))
    }
}

/// Returns whether a wildcard is not escaped; 2.3 has no escapes.
fn is_wild(text: &[u8], dialect: Dialect) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' => return true,
            b'\\' if dialect == Dialect::V2_4 => _ = bytes.next(),
            _ => {}
        }
    }
    false
}

/// A part of a value that is matched as a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternPart {
    /// This byte.
    Byte(u8),
    /// `?`: any one byte.
    AnyByte,
    /// `*`: any bytes, also none.
    AnyRun,
}

/// Returns the type that 2.4 reads a value as; the order is 2.4's.
fn read(text: &[u8]) -> ValueKind {
    if let Some(number) = fantail_event::text::integer(text) {
        return ValueKind::Integer(number);
    }
    if let Some(network) = Network::parse(text) {
        return ValueKind::Network(network);
    }
    let Some((number, unit)) = number_and_unit(text) else {
        return ValueKind::Text;
    };
    if let Some(size) = size(number, unit) {
        return if matches!(unit, b"m" | b"M") {
            ValueKind::Ambiguous
        } else {
            ValueKind::Size(size)
        };
    }
    interval(number, unit).map_or(ValueKind::Text, ValueKind::Interval)
}

/// Digits, then a unit that may stand apart, by spaces only.
fn number_and_unit(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at_checked(digits)?;
    let number = fantail_event::text::integer(digits)?;
    let spaces = unit.iter().take_while(|&&byte| byte == b' ').count();
    Some((number, unit.get(spaces..)?))
}

/// `B`, or a prefix with or without `i` and `B`, in any letter case.
fn size(number: i64, unit: &[u8]) -> Option<i64> {
    let (prefix, rest) = match unit {
        [] => return Some(number),
        [prefix, rest @ ..] => (prefix.to_ascii_lowercase(), rest),
    };
    let shift = match prefix {
        b'b' if rest.is_empty() => return Some(number),
        b'k' => 10,
        b'm' => 20,
        b'g' => 30,
        b't' => 40,
        _ => return None,
    };
    let rest_is_known = ["", "i", "b", "ib"]
        .iter()
        .any(|known| rest.eq_ignore_ascii_case(known.as_bytes()));
    if !rest_is_known {
        return None;
    }
    number.checked_mul(1 << shift)
}

/// Microseconds; at most 2³²−1 ms.
fn interval(number: i64, unit: &[u8]) -> Option<i64> {
    let milliseconds = number.checked_mul(unit_milliseconds(unit)?.into())?;
    (milliseconds <= i64::from(u32::MAX)).then(|| milliseconds * 1_000)
}

/// A source place as 2.3 reads it.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_syntax::{ParseOptions, SourcePlace, parse};
///
/// let options = ParseOptions::new(Dialect::V2_3);
/// let tree = parse(br#"source_location="imap-fetch.c:12""#, &options)?;
/// let place = SourcePlace { file: b"imap-fetch.c", line: Some(12) };
/// assert_eq!(tree.comparisons()[0].value.source_place(), place);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePlace<'a> {
    /// The file's name.
    pub file: &'a [u8],
    /// The line; `None` or 0 stand for any.
    pub line: Option<u32>,
}

impl Value {
    /// The value as the place in a source that 2.3 takes it for: what follows
    /// the last `:` is the line if it is a number.
    #[must_use]
    pub fn source_place(&self) -> SourcePlace<'_> {
        let text = self.plain();
        let split = text.iter().rposition(|&byte| byte == b':').and_then(|at| {
            let line = line_number(text.get(at + 1..)?)?;
            Some(SourcePlace {
                file: text.get(..at)?,
                line: Some(line),
            })
        });
        split.unwrap_or(SourcePlace {
            file: text,
            line: None,
        })
    }
}

fn line_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    u32::try_from(fantail_event::text::integer(digits)?).ok()
}
