//! A filter: parsed, checked, compiled.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::{fmt, str::FromStr};

use fantail_event::EventView;
use fantail_syntax::{ParseErrors, ParseOptions, Tree};

use crate::{Comparison, Hazard, Warning, program::Program};

/// A filter, ready to be matched against events.
///
/// Cheap to clone. `Display` writes the [canonical](Self::canonical) text,
/// with U+FFFD for what is not UTF-8; `FromStr` reads the 2.4 dialect within
/// the default limits. Filters are equal if they were written alike, blanks
/// included.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    inner: Arc<Inner>,
}

#[derive(PartialEq, Eq)]
struct Inner {
    tree: Tree,
    canonical: Box<[u8]>,
    exact: Box<[u8]>,
    comparisons: Box<[Comparison]>,
    program: Program,
}

impl Filter {
    /// Reads and compiles a filter.
    ///
    /// # Errors
    /// The text is no filter of the dialect, or is beyond the limits.
    pub fn parse(text: &[u8], options: &ParseOptions) -> Result<Self, ParseErrors> {
        fantail_syntax::parse(text, options).map(Self::from)
    }

    /// Whether the event matches, the filter taken for a set of one.
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

    /// Whether the expression, as it stands, is true for the event.
    ///
    /// Dovecot asks this for unnamed events too as soon as one filter of its
    /// whole set does not require a name. The empty filter is never true.
    #[must_use]
    pub fn evaluate<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.inner.program.run(|index| {
            let comparison = self.inner.comparisons.get(index);
            comparison.is_some_and(|comparison| comparison.holds(event))
        })
    }

    /// Whether the filter is one that looks at named events only.
    ///
    /// A name test requires a name; NOT x if x does; AND if either side does;
    /// OR if both do. The empty filter, which matches nothing, asks for no
    /// unnamed event either.
    #[must_use]
    pub fn requires_name(&self) -> bool {
        self.inner.program.requires_name()
    }

    /// Whether this is the empty filter, which matches nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.comparisons.is_empty()
    }

    /// What Dovecot prints for this filter; empty for the empty filter.
    ///
    /// In rare cases it does not read back to the same meaning; see
    /// [`exact`](Self::exact).
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.inner.canonical
    }

    /// The [canonical](Self::canonical) text, except that it always reads back
    /// to a filter that means the same.
    #[must_use]
    pub fn exact(&self) -> &[u8] {
        &self.inner.exact
    }

    /// The filter as it was written.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.inner.tree
    }

    /// Its comparisons, in the order in which they are written.
    #[must_use]
    pub fn comparisons(&self) -> &[Comparison] {
        &self.inner.comparisons
    }

    /// Its boolean structure.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.inner.program
    }

    /// What is odd about the filter, in the order of its text; at most
    /// [`Warning::MAX_WARNINGS`].
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        crate::warning::find(self.tree())
    }

    /// The comparisons that would kill a Dovecot 2.3 process; none in a 2.4
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
            .map(|written| Comparison::new(written, dialect))
            .collect();
        let inner = Inner {
            canonical: tree.canonical().into(),
            exact: tree.exact().into(),
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
