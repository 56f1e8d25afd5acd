//! A filter: parsed, checked, compiled.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::{fmt, str::FromStr};

use fantail_event::EventView;
use fantail_syntax::{ParseErrors, ParseOptions, Tree};

use crate::{CompiledComparison, Hazard, Warning, program::Program};

/// A filter, ready to be matched against events.
///
/// Cheap to clone. `Display` writes the [canonical](Self::canonical) text, with
/// U+FFFD for bytes that are not UTF-8; `FromStr` reads the 2.4 dialect within the
/// default limits. Filters are equal if their texts are, blanks included.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    inner: Arc<Inner>,
}

#[derive(PartialEq, Eq)]
struct Inner {
    tree: Tree,
    canonical: Box<[u8]>,
    /// `None` if it is the canonical text.
    exact: Option<Box<[u8]>>,
    comparisons: Box<[CompiledComparison]>,
    program: Program,
}

impl Filter {
    /// Reads and compiles a filter.
    ///
    /// # Errors
    /// The text is not a filter of the dialect, or is beyond the limits.
    pub fn parse(text: &[u8], options: &ParseOptions) -> Result<Self, ParseErrors> {
        fantail_syntax::parse(text, options).map(Self::from)
    }

    /// Returns whether the event matches if this filter is the only one of a server.
    ///
    /// An event without a name does not match a filter that
    /// [requires one](Self::requires_name), even if it says `NOT event=x`.
    #[must_use]
    pub fn matches<E: EventView + ?Sized>(&self, event: &E) -> bool {
        if self.requires_name() && event.name().is_none() {
            return false;
        }
        self.evaluate(event)
    }

    /// Returns whether the expression is true for the event.
    ///
    /// Dovecot evaluates unnamed events, too, if one filter of its whole set does
    /// not require a name. The empty filter is never true.
    #[must_use]
    pub fn evaluate<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.inner.program.run(|index| {
            let comparison = self.inner.comparisons.get(index);
            comparison.is_some_and(|comparison| comparison.holds(event))
        })
    }

    /// Returns whether the filter is for named events only.
    ///
    /// A name test requires a name; NOT x if x does; AND if either side does; OR if
    /// both do. The empty filter requires one.
    #[must_use]
    pub fn requires_name(&self) -> bool {
        self.inner.program.requires_name()
    }

    /// Returns whether this is the empty filter, which matches nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.comparisons.is_empty()
    }

    /// Returns the text that Dovecot prints for this filter; empty for the empty one.
    ///
    /// In rare cases it does not read back to the same meaning; see
    /// [`exact`](Self::exact).
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.inner.canonical
    }

    /// Returns the [canonical](Self::canonical) text, changed where it would not read
    /// back to a filter of the same meaning.
    #[must_use]
    pub fn exact(&self) -> &[u8] {
        self.inner.exact.as_deref().unwrap_or(self.canonical())
    }

    /// Returns the syntax tree of the filter.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.inner.tree
    }

    /// Returns the comparisons, in the order of the text.
    #[must_use]
    pub fn comparisons(&self) -> &[CompiledComparison] {
        &self.inner.comparisons
    }

    /// Returns the boolean structure.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.inner.program
    }

    /// Returns warnings about the filter, in the order of its text; at most
    /// [`Warning::MAX_WARNINGS`].
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        crate::warning::find(self.tree())
    }

    /// Returns the comparisons that can crash a Dovecot 2.3 process; none for a 2.4
    /// filter.
    pub fn hazards(&self) -> impl Iterator<Item = Hazard> {
        let is_2_3 = self.tree().dialect() == fantail_event::Dialect::V2_3;
        let comparisons = self.tree().comparisons().iter().filter(move |_| is_2_3);
        comparisons.filter_map(Hazard::of)
    }
}

impl From<Tree> for Filter {
    fn from(tree: Tree) -> Self {
        let dialect = tree.dialect();
        let comparisons: Vec<_> = tree
            .comparisons()
            .iter()
            .map(|written| CompiledComparison::new(written, dialect))
            .collect();
        let inner = Inner {
            canonical: tree.canonical().into(),
            exact: (!tree.has_one_form()).then(|| tree.exact().into()),
            comparisons: comparisons.into(),
            program: Program::new(&tree),
            tree,
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl FromStr for Filter {
    type Err = ParseErrors;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes(), &ParseOptions::default())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Cow<'_, str> = String::from_utf8_lossy(self.canonical());
        f.pad(&text)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter")
            .field(&String::from_utf8_lossy(self.canonical()))
            .finish()
    }
}
