//! The boolean structure of a filter as jumps.
//!
//! A program has one step for each comparison, in the order of the text. The result
//! of a comparison selects the next step or the result of the filter. AND, OR and
//! NOT exist only in these jumps, which always go forward: a program of n steps
//! ends after at most n.

use alloc::vec::Vec;

use fantail_syntax::{Key, NodeId, NodeKind, Tree};

/// A compiled expression.
///
/// ```
/// use fantail_filter::{Filter, Jump, Program, Step};
///
/// let filter: Filter = "a=1 AND NOT b=2".parse()?;
/// let program: &Program = filter.program();
/// assert_eq!(
///     program.steps(),
///     [
///         Step { holds: Jump::Step(1), fails: Jump::Reject },
///         Step { holds: Jump::Reject, fails: Jump::Accept },
///     ]
/// );
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    start: Jump,
    steps: Vec<Step>,
    requires_name: bool,
}

/// The two jumps after a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    /// The jump if the comparison holds.
    pub holds: Jump,
    /// The jump if it does not hold.
    pub fails: Jump,
}

/// A jump, by its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Jump {
    /// The comparison with this number, which is greater than that of the jump.
    Step(usize),
    /// The filter matches.
    Accept,
    /// The filter does not match.
    Reject,
}

impl Program {
    pub(crate) fn new(tree: &Tree) -> Self {
        let Some(root) = tree.root() else {
            return Self {
                start: Jump::Reject,
                steps: Vec::new(),
                requires_name: true,
            };
        };
        let nothing = Step {
            holds: Jump::Reject,
            fails: Jump::Reject,
        };
        let mut steps = alloc::vec![nothing; tree.comparisons().len()];
        let firsts = first_comparisons(tree);
        let mut pending = alloc::vec![(root, Jump::Accept, Jump::Reject)];
        while let Some((id, holds, fails)) = pending.pop() {
            let first = |id: NodeId| Jump::Step(firsts.get(id.index()).copied().unwrap_or(0));
            match tree.node(id).map(|node| node.kind) {
                Some(NodeKind::Comparison(index)) => {
                    if let Some(step) = steps.get_mut(index) {
                        *step = Step { holds, fails };
                    }
                }
                Some(NodeKind::Not(inner)) => pending.push((inner, fails, holds)),
                Some(NodeKind::And(a, b)) => {
                    pending.extend([(a, first(b), fails), (b, holds, fails)]);
                }
                Some(NodeKind::Or(a, b)) => {
                    pending.extend([(a, holds, first(b)), (b, holds, fails)]);
                }
                None => {}
            }
        }
        Self {
            start: Jump::Step(0),
            steps,
            requires_name: requires_name(tree),
        }
    }

    /// Returns the first jump: to step 0, or [`Jump::Reject`] for the empty filter.
    #[must_use]
    pub fn start(&self) -> Jump {
        self.start
    }

    /// Returns the steps, one for each comparison.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns whether the filter requires an event name; see
    /// [`Filter::requires_name`](crate::Filter::requires_name).
    #[must_use]
    pub fn requires_name(&self) -> bool {
        self.requires_name
    }

    /// Runs the program. Calls `test` for the results of comparisons, each at most
    /// once, in ascending order.
    pub fn run(&self, mut test: impl FnMut(usize) -> bool) -> bool {
        let mut target = self.start;
        loop {
            let index = match target {
                Jump::Accept => return true,
                Jump::Reject => return false,
                Jump::Step(index) => index,
            };
            let Some(step) = self.steps.get(index) else {
                return false;
            };
            target = if test(index) { step.holds } else { step.fails };
        }
    }
}

/// For each node, its leftmost comparison.
fn first_comparisons(tree: &Tree) -> Vec<usize> {
    fold(tree, |kind, firsts: &[usize]| match kind {
        NodeKind::Comparison(index) => index,
        NodeKind::Not(a) | NodeKind::And(a, _) | NodeKind::Or(a, _) => {
            firsts.get(a.index()).copied().unwrap_or_default()
        }
    })
}

/// A name test requires one; NOT x if x does; AND if either side does; OR if
/// both do.
fn requires_name(tree: &Tree) -> bool {
    let required = fold(tree, |kind, required: &[bool]| {
        let requires = |id: NodeId| required.get(id.index()).copied().unwrap_or_default();
        match kind {
            NodeKind::Comparison(index) => tree
                .comparisons()
                .get(index)
                .is_some_and(|comparison| comparison.key == Key::Event),
            NodeKind::Not(a) => requires(a),
            NodeKind::And(a, b) => requires(a) || requires(b),
            NodeKind::Or(a, b) => requires(a) && requires(b),
        }
    });
    required.last().copied().unwrap_or(true)
}

/// Computes a value for each node from the values of its children, which come
/// before it.
fn fold<T>(tree: &Tree, mut value: impl FnMut(NodeKind, &[T]) -> T) -> Vec<T> {
    let mut values = Vec::with_capacity(tree.nodes().len());
    for node in tree.nodes() {
        let next = value(node.kind, &values);
        values.push(next);
    }
    values
}
