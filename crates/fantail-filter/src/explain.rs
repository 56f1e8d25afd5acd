//! Why a filter matches an event, or does not.
//!
//! [`Filter::explain`] evaluates every comparison, also those that
//! [`Filter::evaluate`] skips, and records the value, its origin and the reason of
//! the result. It allocates and is not meant for the path of events. Results come
//! from the same code as in [`Filter::evaluate`]; only the reasons are found here.
//!
//! The tree is an arena like that of the syntax, and [`Explanation::rows`] lists it
//! line by line without recursion.

mod field;
mod finding;
mod reason;
mod term;

use alloc::{vec, vec::Vec};
use core::fmt;

use fantail_event::EventView;
use fantail_syntax::{Comparison, NodeId, NodeKind, Tree};

pub use self::{
    finding::{Seen, TermResult},
    reason::Reason,
};
use crate::Filter;

/// Why a filter matches an event, or does not.
///
/// ```
/// use fantail_event::{EventView, ValueRef};
/// use fantail_filter::{Explanation, Filter, NodeResult, Reason, Row, Seen, Term, TermResult};
///
/// struct Login;
///
/// impl EventView for Login {
///     fn name(&self) -> Option<&[u8]> {
///         Some(b"Login")
///     }
///     fn field(&self, _key: &[u8]) -> Option<ValueRef<'_>> {
///         None
///     }
/// }
///
/// let filter: Filter = "event=login AND NOT user=ann".parse()?;
/// let explanation: Explanation = filter.explain(&Login);
/// assert!(!explanation.matches());
/// assert_eq!(explanation.verdict(), "no match");
///
/// let finding: &TermResult = &explanation.findings()[0];
/// assert_eq!(finding.seen(), &Seen::Text(Box::from(*b"Login")));
/// assert_eq!(finding.reason(), Reason::NameCase);
///
/// // Only the name is in the way.
/// let rows: Vec<Row<'_>> = explanation.rows().collect();
/// assert!(matches!(rows[1].term, Term::Comparison(..)));
/// assert_eq!(rows[1].outcome, NodeResult { holds: false, is_decisive: true });
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    filter: Filter,
    is_skipped: bool,
    outcomes: Vec<NodeResult>,
    findings: Vec<TermResult>,
}

/// The result of a part of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeResult {
    /// Whether it is true for the event.
    pub holds: bool,
    /// Whether another result of this part could change the filter's result. If only
    /// `a=1` is false in `a=1 AND b=2`, only `a=1` is decisive.
    pub is_decisive: bool,
}

impl Filter {
    /// Explains why this filter does or does not match an event if it is the only one
    /// of a server, as in [`matches`](Self::matches).
    ///
    /// ```
    /// use fantail_event::{EventView, ValueRef};
    /// use fantail_filter::Filter;
    ///
    /// struct Login;
    ///
    /// impl EventView for Login {
    ///     fn name(&self) -> Option<&[u8]> {
    ///         Some(b"login")
    ///     }
    ///
    ///     fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
    ///         (key == b"tries").then_some(ValueRef::Int(3))
    ///     }
    /// }
    ///
    /// let filter: Filter = "event=login AND (tries=5M OR NOT user=bob)".parse()?;
    /// assert_eq!(
    ///     filter.explain(&Login).to_string(),
    ///     "\
    /// match
    /// yes all of
    /// yes   event=login
    ///         \"login\": the name fits
    /// yes   any of
    /// no      tries=5M
    ///           3: a number, and the unit is ambiguous: write 5MB or 5mins
    /// yes     not
    /// no        user=bob
    ///             the field is missing
    /// "
    /// );
    /// # Ok::<(), fantail_syntax::ParseErrors>(())
    /// ```
    #[must_use]
    pub fn explain<E: EventView + ?Sized>(&self, event: &E) -> Explanation {
        let tree = self.tree();
        let written = tree.comparisons().iter().zip(self.comparisons());
        let findings: Vec<_> = written
            .map(|(written, compiled)| term::explain(written, compiled, tree.dialect(), event))
            .collect();
        Explanation {
            is_skipped: !self.is_empty() && self.requires_name() && event.name().is_none(),
            outcomes: outcomes(tree, &findings),
            findings,
            filter: self.clone(),
        }
    }
}

/// Computes results from the leaves up, decisive parts from the root down.
fn outcomes(tree: &Tree, findings: &[TermResult]) -> Vec<NodeResult> {
    let mut outcomes: Vec<NodeResult> = Vec::with_capacity(tree.nodes().len());
    let holds = |outcomes: &[NodeResult], id: NodeId| {
        let outcome = outcomes.get(id.index());
        outcome.is_some_and(|outcome| outcome.holds)
    };
    for node in tree.nodes() {
        let holds = match node.kind {
            NodeKind::Comparison(index) => findings.get(index).is_some_and(TermResult::holds),
            NodeKind::Not(a) => !holds(&outcomes, a),
            NodeKind::And(a, b) => holds(&outcomes, a) && holds(&outcomes, b),
            NodeKind::Or(a, b) => holds(&outcomes, a) || holds(&outcomes, b),
        };
        outcomes.push(NodeResult {
            holds,
            is_decisive: false,
        });
    }
    if let Some(root) = outcomes.last_mut() {
        root.is_decisive = true;
    }
    for (index, node) in tree.nodes().iter().enumerate().rev() {
        let Some(parent) = outcomes.get(index).copied().filter(|one| one.is_decisive) else {
            continue;
        };
        let children = match node.kind {
            NodeKind::Comparison(_) => continue,
            NodeKind::Not(a) => [a, a],
            NodeKind::And(a, b) | NodeKind::Or(a, b) => [a, b],
        };
        let is_not = matches!(node.kind, NodeKind::Not(_));
        for child in children {
            if let Some(child) = outcomes.get_mut(child.index()) {
                child.is_decisive = is_not || child.holds == parent.holds;
            }
        }
    }
    outcomes
}

impl Explanation {
    /// Returns the filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Returns whether the filter matches the event, as [`Filter::matches`] does.
    #[must_use]
    pub fn matches(&self) -> bool {
        !self.is_skipped && self.outcomes.last().is_some_and(|root| root.holds)
    }

    /// Returns whether the event is skipped without regard to comparisons: it has no
    /// name, and the filter [requires one](Filter::requires_name).
    ///
    /// In Dovecot this depends on all filters of the process: if one of them does not
    /// require a name, all are evaluated.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.is_skipped
    }

    /// Returns the result of each node of the filter's [tree](Filter::tree), in its
    /// order.
    #[must_use]
    pub fn outcomes(&self) -> &[NodeResult] {
        &self.outcomes
    }

    /// Returns the finding of each comparison, in the order of the text.
    #[must_use]
    pub fn findings(&self) -> &[TermResult] {
        &self.findings
    }

    /// Returns the explanation as lines of an indented tree, parents before children.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let root = self.filter.tree().root();
        Rows {
            explanation: self,
            pending: root.map(|root| (root, 0, None)).into_iter().collect(),
        }
    }
}

/// A line of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'e> {
    /// The number of rows around this one.
    pub depth: usize,
    /// The node of the filter's tree; where one AND stands within another,
    /// the outer one.
    pub node: NodeId,
    /// The result.
    pub outcome: NodeResult,
    /// The kind of the part.
    pub term: Term<'e>,
}

/// The kind of a [`Row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'e> {
    /// True if all rows within it are: one AND or several.
    All,
    /// True if one row within it is: one OR or several.
    Any,
    /// True if the row within it is not.
    Not,
    /// A comparison with its finding.
    Comparison(&'e Comparison, &'e TermResult),
}

/// In words; a comparison as it was written.
impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all of"),
            Self::Any => f.write_str("any of"),
            Self::Not => f.write_str("not"),
            Self::Comparison(comparison, _) => comparison.fmt(f),
        }
    }
}

struct Rows<'e> {
    explanation: &'e Explanation,
    /// Nodes with their depth and their parent, last first.
    pending: Vec<(NodeId, usize, Option<Term<'e>>)>,
}

impl<'e> Iterator for Rows<'e> {
    type Item = Row<'e>;

    fn next(&mut self) -> Option<Row<'e>> {
        loop {
            let (node, depth, within) = self.pending.pop()?;
            let tree = self.explanation.filter.tree();
            let (term, children) = match tree.node(node)?.kind {
                NodeKind::Comparison(index) => {
                    let comparison = tree.comparisons().get(index)?;
                    let finding = self.explanation.findings.get(index)?;
                    (Term::Comparison(comparison, finding), vec![])
                }
                NodeKind::Not(a) => (Term::Not, vec![a]),
                NodeKind::And(a, b) => (Term::All, vec![b, a]),
                NodeKind::Or(a, b) => (Term::Any, vec![b, a]),
            };
            let goes_on = matches!(term, Term::All | Term::Any) && within == Some(term);
            let inner = if goes_on { depth } else { depth + 1 };
            let children = children.into_iter();
            self.pending
                .extend(children.map(|child| (child, inner, Some(term))));
            if goes_on {
                continue;
            }
            return Some(Row {
                depth,
                node,
                outcome: *self.explanation.outcomes.get(node.index())?,
                term,
            });
        }
    }
}

/// Indentation grows no further from this depth on; it is written as a number.
const MAX_INDENTED: usize = 30;

impl Row<'_> {
    /// The blanks in front of it; beyond a depth of 30 the depth in digits.
    #[must_use]
    pub fn indentation(&self) -> impl fmt::Display + use<> {
        Indentation(self.depth)
    }
}

struct Indentation(usize);

impl fmt::Display for Indentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = 2 * self.0.min(MAX_INDENTED);
        if self.0 > MAX_INDENTED {
            return write!(f, "{:width$}[{}] ", "", self.0);
        }
        write!(f, "{:width$}", "")
    }
}

impl Explanation {
    /// Returns the first line: whether the filter matches, and the reason if it does
    /// not depend on comparisons.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        if self.filter.is_empty() {
            "no match: the empty filter matches nothing"
        } else if self.is_skipped {
            "no match: the event has no name, and this filter looks at named events only"
        } else if self.matches() {
            "match"
        } else {
            "no match"
        }
    }
}

/// The [verdict](Self::verdict), then the [rows](Self::rows), each with `yes`
/// or `no` in front, and below a comparison what was found.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict())?;
        for row in self.rows() {
            let mark = if row.outcome.holds { "yes" } else { "no " };
            writeln!(f, "{mark} {}{}", row.indentation(), row.term)?;
            if let Term::Comparison(_, finding) = row.term {
                writeln!(f, "    {}  {finding}", row.indentation())?;
            }
        }
        Ok(())
    }
}
