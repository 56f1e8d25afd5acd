//! Errors in the text of a filter.

use alloc::{string::String, vec::Vec};
use core::fmt;
use core::ops::Range;

/// The errors of a filter: at least one, at most [`MAX_ERRORS`](Self::MAX_ERRORS), in
/// the order of the text.
///
/// ```
/// use fantail_syntax::{ParseErrors, ParseOptions, parse};
///
/// let errors: ParseErrors = parse(b"'x'=y OR z=@", &ParseOptions::default()).unwrap_err();
/// let codes: Vec<_> = errors.iter().map(|error| error.code()).collect();
/// assert_eq!(codes, ["F09", "F08"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors {
    errors: Vec<ParseError>,
}

impl ParseErrors {
    /// The greatest number of errors; reading stops there.
    pub const MAX_ERRORS: usize = 20;

    /// `None` if there are no errors.
    pub(crate) fn new(mut errors: Vec<ParseError>) -> Option<Self> {
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        errors.truncate(Self::MAX_ERRORS);
        (!errors.is_empty()).then_some(Self { errors })
    }

    /// Returns the errors, in the order of the text.
    pub fn iter(&self) -> core::slice::Iter<'_, ParseError> {
        self.errors.iter()
    }

    /// Returns the number of errors.
    #[must_use]
    pub fn count(&self) -> usize {
        self.errors.len()
    }
}

impl From<ParseError> for ParseErrors {
    fn from(error: ParseError) -> Self {
        Self {
            errors: alloc::vec![error],
        }
    }
}

impl<'a> IntoIterator for &'a ParseErrors {
    type Item = &'a ParseError;
    type IntoIter = core::slice::Iter<'a, ParseError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The errors with their positions, separated by `; `.
impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{error} at byte {}", error.span.start)?;
        }
        Ok(())
    }
}

impl core::error::Error for ParseErrors {}

/// One error.
///
/// ```
/// use fantail_syntax::{ParseError, ParseErrorKind, ParseOptions, parse};
///
/// let errors = parse(b"user=a@b", &ParseOptions::default()).unwrap_err();
/// let error: &ParseError = errors.iter().next().unwrap();
/// assert_eq!(error.kind(), ParseErrorKind::NeedsQuotes);
/// assert_eq!(error.span(), 5..8);
/// assert_eq!(error.to_string(), "not allowed outside double quotes: `@` in `a@b`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    pub(crate) kind: ParseErrorKind,
    pub(crate) span: Range<usize>,
    /// The text that was found, in words.
    pub(crate) found: Option<String>,
    pub(crate) suggestion: Option<Suggestion>,
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, span: Range<usize>) -> Self {
        Self {
            kind,
            span,
            found: None,
            suggestion: None,
        }
    }

    pub(crate) fn found(self, found: impl Into<String>) -> Self {
        Self {
            found: Some(found.into()),
            ..self
        }
    }

    pub(crate) fn suggest(self, suggestion: Suggestion) -> Self {
        Self {
            suggestion: Some(suggestion),
            ..self
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Returns the position in bytes of the text; empty at its end.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns a name for the kind that stays the same over all versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Returns what was expected, in words; `None` if nothing is missing.
    #[must_use]
    pub fn expected(&self) -> Option<&'static str> {
        self.kind.expected()
    }

    /// Returns what the author may have meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<&Suggestion> {
        self.suggestion.as_ref()
    }
}

/// The message without the suggestion.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.what())?;
        match (&self.found, self.kind.expected()) {
            (Some(found), Some(_)) => write!(f, ", found {found}"),
            (Some(found), None) => write!(f, ": {found}"),
            (None, _) => Ok(()),
        }
    }
}

impl core::error::Error for ParseError {}

/// A correction that the author of an invalid filter may have meant.
///
/// ```
/// use fantail_syntax::{ParseOptions, Suggestion, parse};
///
/// let text = b"user == ann";
/// let errors = parse(text, &ParseOptions::default()).unwrap_err();
/// let suggestion: &Suggestion = errors.iter().next().unwrap().suggestion().unwrap();
/// assert_eq!(suggestion.message(), "write =");
/// assert_eq!(suggestion.replacement(), Some((5..7, &b"="[..])));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub(crate) message: String,
    pub(crate) replacement: Option<(Range<usize>, Vec<u8>)>,
}

impl Suggestion {
    pub(crate) fn advice(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            replacement: None,
        }
    }

    pub(crate) fn replace(self, span: Range<usize>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            replacement: Some((span, text.into())),
            ..self
        }
    }

    /// Returns what to do, in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the part of the text to replace and its replacement, if that is clear.
    #[must_use]
    pub fn replacement(&self) -> Option<(Range<usize>, &[u8])> {
        self.replacement
            .as_ref()
            .map(|(span, text)| (span.clone(), text.as_slice()))
    }
}

/// Declares an enum of error or warning kinds, each with a stable code and a
/// message.
#[doc(hidden)]
#[macro_export]
macro_rules! kinds {
    (
        $(#[doc = $about:literal])+
        pub enum $kinds:ident;
        $($(#[doc = $doc:literal])* $kind:ident $code:literal $what:literal;)*
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $kinds {
            $($(#[doc = $doc])* $kind,)*
        }

        impl $kinds {
            /// All kinds, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns a name for the kind that stays the same over all
            /// versions.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            const fn what(self) -> &'static str {
                match self { $(Self::$kind => $what,)* }
            }
        }
    };
}

kinds! {
    /// The kind of an error in a filter.
    pub enum ParseErrorKind;

    /// A comparison should begin here: in front of or after `AND`, `OR`,
    /// `NOT`, in parentheses, or at the start.
    MissingComparison "F01" "expected a comparison such as event=name";
    /// A key without an operator after it.
    MissingOperator "F02" "expected an operator after the key";
    /// An operator without a value after it.
    MissingValue "F03" "expected a value after the operator";
    /// A complete comparison with something after it.
    MissingConnective "F04" "expected AND or OR after the comparison";
    /// A `)` without its `(`.
    UnopenedParenthesis "F05" "this parenthesis closes nothing";
    /// A `(` without its `)`.
    UnclosedParenthesis "F06" "this parenthesis is never closed";
    /// A `"` without another.
    UnclosedQuote "F07" "this quote is never closed";
    /// A byte that may stand only in quotes.
    NeedsQuotes "F08" "not allowed outside double quotes";
    /// A string in single quotes.
    SingleQuotes "F09" "single quotes do not make a string";
    /// An operator of other languages.
    ForeignOperator "F10" "no operator of this language";
    /// `<`, `>`, `<=` or `>=` on something else than a field.
    EqualityOnly "F11" "event, category and source_location can only be compared with =";
    /// A NUL byte within a string, which Dovecot cannot hold.
    NulByte "F12" "a string cannot hold a NUL byte";
    /// Longer than [`Limits::length`](crate::Limits::length).
    TooLong "F13" "the filter is too long";
    /// Nested deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep "F14" "the filter is nested too deeply";
    /// More comparisons than [`Limits::terms`](crate::Limits::terms).
    TooManyTerms "F15" "the filter has too many comparisons";
    /// More wildcards than [`Limits::wildcards`](crate::Limits::wildcards).
    TooManyWildcards "F16" "the value has too many wildcards";
}

impl ParseErrorKind {
    /// Returns what was expected, in words.
    #[must_use]
    pub const fn expected(self) -> Option<&'static str> {
        Some(match self {
            Self::MissingComparison => "a comparison such as event=name, NOT or (",
            Self::MissingOperator => "=, >, <, >= or <=",
            Self::MissingValue => "a word or a text in double quotes",
            Self::MissingConnective => "AND, OR, ) or the end",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_messages_in_style() {
        let codes: BTreeSet<_> = ParseErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ParseErrorKind::ALL.len());
        for kind in ParseErrorKind::ALL {
            let first = kind.what().chars().next().unwrap();
            assert!(
                first.is_lowercase() && !kind.what().ends_with('.'),
                "{kind:?}"
            );
        }
    }
}
