//! Warnings about filters that are valid but probably not meant.
//!
//! They come from the filter alone; only events determine whether a field exists and
//! its type. A warning is right for all events. No warning changes what a filter
//! matches.

mod comparison;
mod negation;
mod precedence;
mod singular;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use core::ops::Range;

use fantail_event::Dialect;
use fantail_syntax::{Comparison, Shown, Tree};

/// A warning about a filter.
///
/// ```
/// use fantail_filter::{Advice, Filter, Warning, WarningKind};
///
/// let text = "a=1 OR b=2 AND c=3";
/// let filter: Filter = text.parse()?;
/// let warnings: Vec<Warning> = filter.warnings();
/// assert_eq!(warnings[0].kind(), WarningKind::MixedConnectives);
/// let advice: &Advice = &warnings[0].advice()[0];
/// assert_eq!(advice.apply(text.as_bytes()).unwrap(), b"(a=1 OR b=2) AND c=3");
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    kind: WarningKind,
    span: Range<usize>,
    message: String,
    note: Option<String>,
    advice: Vec<Advice>,
}

impl Warning {
    /// The greatest number of warnings about one filter.
    pub const MAX_WARNINGS: usize = 20;

    fn new(kind: WarningKind, span: Range<usize>) -> Self {
        Self {
            kind,
            span,
            message: kind.what().into(),
            note: None,
            advice: Vec::new(),
        }
    }

    fn about(self, particulars: impl fmt::Display) -> Self {
        Self {
            message: alloc::format!("{}: {particulars}", self.kind.what()),
            ..self
        }
    }

    fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }

    fn advise(mut self, message: impl Into<String>, edits: Vec<(Range<usize>, Vec<u8>)>) -> Self {
        self.advice.push(Advice {
            message: message.into(),
            edits,
        });
        self
    }

    /// Returns the kind of the warning.
    #[must_use]
    pub fn kind(&self) -> WarningKind {
        self.kind
    }

    /// Returns the position in bytes of the text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns a name for the kind that stays the same over all versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Returns the reason in words.
    #[must_use]
    pub fn explanation(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns what the author may have meant: nothing, one advice, or alternatives.
    #[must_use]
    pub fn advice(&self) -> &[Advice] {
        &self.advice
    }
}

/// The message alone.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A correction that the author of a filter may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    message: String,
    edits: Vec<(Range<usize>, Vec<u8>)>,
}

impl Advice {
    /// Returns the advice in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the text of the filter with the advice applied; `None` if the advice
    /// needs the author's decision.
    #[must_use]
    pub fn apply(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.edits.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(text.len() + 2 * self.edits.len());
        let mut at = 0;
        for (span, replacement) in &self.edits {
            out.extend_from_slice(text.get(at..span.start)?);
            out.extend_from_slice(replacement);
            at = span.end;
        }
        out.extend_from_slice(text.get(at..)?);
        Some(out)
    }
}

fantail_syntax::kinds! {
    /// The kinds of warnings about a filter.
    pub enum WarningKind;

    /// `a OR b AND c`: both bind alike, from the left.
    MixedConnectives "W01" "AND and OR are mixed without parentheses";
    /// The empty filter.
    EmptyFilter "W02" "an empty filter matches nothing";
    /// A comparison that holds for no event.
    NeverTrue "W03" "this is never true";
    /// Two names, or two log levels, that one event would need; or a NOT of
    /// each, which holds for every event.
    OnlyOne "W04" "an event has only one of these";
    /// NOTs directly within each other.
    NotNot "W05" "these NOTs cancel each other out";
    /// A comparison that crashes Dovecot 2.3 if the field is a number.
    Crash "W06" "Dovecot 2.3 crashes here if the field is a number";
    /// `*` or `?` where they stand for themselves.
    LiteralWildcard "W07" "there are no wildcards here";
    /// `5M`: minutes or megabytes?
    AmbiguousUnit "W08" "this unit is ambiguous";
    /// A quote behind the filter that is never closed.
    IgnoredQuote "W09" "everything from this quote on is ignored";
    /// `a>""`, which asks whether the field is missing.
    OrderOfNothing "W10" "this only asks whether the field is missing";
    /// `Event=x`, `category=INFO`.
    LetterCase "W11" "upper and lower case make a difference here";
    /// A network in a 2.3 filter.
    NetworkAsText "W12" "Dovecot 2.3 knows no networks";
    /// `a="1.5"`, which is the address 1.0.0.5.
    Rewritten "W13" "this is not compared as it is written";
}

/// The greatest number of bytes of a key or value in a message.
const SHOWN_BYTES: usize = 40;

/// A comparison in a message.
fn short(comparison: &Comparison) -> String {
    let text = comparison.to_string();
    Shown::up_to(text.as_bytes(), 2 * SHOWN_BYTES).to_string()
}

/// All warnings, in the order of the text.
pub(crate) fn find(tree: &Tree) -> Vec<Warning> {
    let mut found = Vec::new();
    if tree.root().is_none() {
        found.push(Warning::new(WarningKind::EmptyFilter, 0..0));
    }
    let dialect: Dialect = tree.dialect();
    let each = tree.comparisons().iter();
    found.extend(each.filter_map(|one| comparison::check(one, dialect)));
    found.extend(precedence::check(tree));
    found.extend(negation::check(tree));
    found.extend(singular::check(tree));
    if let Some(quote) = tree.ignored() {
        let warning = Warning::new(WarningKind::IgnoredQuote, quote.clone());
        let note = "Dovecot takes a quote that is never closed for the end, and says nothing";
        found.push(
            warning
                .note(note)
                .advise("remove it", alloc::vec![(quote, Vec::new())]),
        );
    }
    found.sort_by_key(|warning| (warning.span.start, warning.kind.code()));
    found.truncate(Warning::MAX_WARNINGS);
    found
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_messages_in_style() {
        let codes: BTreeSet<_> = WarningKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), WarningKind::ALL.len());
        for kind in WarningKind::ALL {
            assert!(!kind.what().ends_with('.'), "{kind:?}");
        }
        let errors = fantail_syntax::ParseErrorKind::ALL;
        assert!(errors.iter().all(|kind| !codes.contains(kind.code())));
    }
}
