//! Options of the parser: the dialect and the limits.

use fantail_event::Dialect;

/// Options of [`parse`](crate::parse).
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_syntax::{ParseOptions, ValueKind, parse};
///
/// let kind = |options: &ParseOptions| parse(b"size>5k", options).map(|tree| tree.comparisons()[0].value.kind());
/// // 2.3 has no units.
/// assert_eq!(kind(&ParseOptions::new(Dialect::V2_3))?, ValueKind::Text);
/// assert_eq!(kind(&ParseOptions::default())?, ValueKind::Size(5 * 1024));
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParseOptions {
    /// The dialect; 2.4 by default.
    pub dialect: Dialect,
    /// The limits.
    pub limits: Limits,
}

impl ParseOptions {
    /// Creates options with this dialect and the default limits.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            limits: Limits::default(),
        }
    }
}

/// Limits of a filter's cost; Dovecot has no such limits.
///
/// The defaults are far beyond what people write. A filter that exceeds a limit is an
/// error; one that reaches it is not.
///
/// ```
/// use fantail_syntax::{Limits, ParseErrorKind, ParseOptions, parse};
///
/// let limits = Limits { terms: 2, ..Limits::default() };
/// let options = ParseOptions { limits, ..ParseOptions::default() };
/// assert!(parse(b"a=1 OR a=2", &options).is_ok());
/// let errors = parse(b"a=1 OR a=2 OR a=3", &options).unwrap_err();
/// assert_eq!(errors.iter().next().unwrap().kind(), ParseErrorKind::TooManyTerms);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text: 131,072 (a line of Dovecot's socket).
    pub length: usize,
    /// Parentheses and NOTs open at once: 1,000.
    pub depth: usize,
    /// Comparisons: 16,384.
    pub terms: usize,
    /// `*` and `?` in one value, escaped ones not counted: 128.
    pub wildcards: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            length: 131_072,
            depth: 1_000,
            terms: 16_384,
            wildcards: 128,
        }
    }
}

impl Limits {
    /// No limits: for filters from a trusted source.
    pub const NONE: Self = Self {
        length: usize::MAX,
        depth: usize::MAX,
        terms: usize::MAX,
        wildcards: usize::MAX,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_defaults() {
        let limits = ParseOptions::default().limits;
        let documented = (131_072, 1_000, 16_384, 128);
        let actual = (limits.length, limits.depth, limits.terms, limits.wildcards);
        assert_eq!(actual, documented);
        assert_eq!(ParseOptions::default().dialect, Dialect::V2_4);
    }
}
