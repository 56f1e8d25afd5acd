//! How a filter is to be read: the dialect and the limits.

use fantail_event::Dialect;

/// How a filter is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParseOptions {
    /// Whose rules apply; 2.4 by default.
    pub dialect: Dialect,
    /// How much a filter may ask for.
    pub limits: Limits,
}

impl ParseOptions {
    /// The rules of this dialect and the default limits.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            limits: Limits::default(),
        }
    }
}

/// How much a filter may ask for; Dovecot has no such limits.
///
/// The defaults are far beyond what people write. A filter beyond a limit is
/// an error; reaching a limit exactly is not.
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
    /// No limits: for filters from a source that is trusted.
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
