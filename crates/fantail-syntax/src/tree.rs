//! The syntax tree of one filter.
//!
//! An arena: nodes name each other by index, and children stand before their
//! parents, so that a tree of any depth is walked and dropped without
//! recursion. The last node is the root.

use alloc::{boxed::Box, vec::Vec};
use core::ops::Range;

use fantail_event::{Dialect, Level};

use self::value::Value;

pub(crate) mod network;
mod print;
pub(crate) mod value;

/// A filter as it was written.
///
/// ```
/// use fantail_syntax::{Node, NodeKind, ParseOptions, Tree, parse};
///
/// /// Counts the levels of a filter, without recursion.
/// fn depth(tree: &Tree) -> usize {
///     let mut depths: Vec<usize> = Vec::new();
///     for Node { kind, .. } in tree.nodes() {
///         depths.push(match kind {
///             NodeKind::Comparison(_) => 1,
///             NodeKind::Not(child) => 1 + depths[child.index()],
///             NodeKind::And(left, right) | NodeKind::Or(left, right) => {
///                 1 + depths[left.index()].max(depths[right.index()])
///             }
///         });
///     }
///     depths.pop().unwrap_or(0)
/// }
///
/// let tree = parse(b"a=1 OR NOT (b=2 AND c=3)", &ParseOptions::default())?;
/// assert_eq!(depth(&tree), 4);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    pub(crate) dialect: Dialect,
    pub(crate) nodes: Vec<Node>,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) ignored: Option<Range<usize>>,
}

impl Tree {
    /// The dialect it was read in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The whole expression; `None` for the empty filter, which matches
    /// nothing.
    #[must_use]
    pub fn root(&self) -> Option<NodeId> {
        self.nodes.len().checked_sub(1).map(NodeId)
    }

    /// All nodes, children before their parents.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node of this tree; `None` only for the id of another tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    /// A quote that is never closed, behind a complete filter, and the text
    /// after it. Dovecot takes it for the end of the filter and says nothing.
    #[must_use]
    pub fn ignored(&self) -> Option<Range<usize>> {
        self.ignored.clone()
    }

    /// All comparisons, in the order in which they are written.
    #[must_use]
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }
}

/// Names a node of a [`Tree`].
///
/// ```
/// use fantail_syntax::{NodeId, NodeKind, ParseOptions, parse};
///
/// let tree = parse(b"NOT a=1", &ParseOptions::default())?;
/// let root: NodeId = tree.root().unwrap();
/// assert_eq!(root.index(), 1);
/// let NodeKind::Not(inner) = tree.node(root).unwrap().kind else { panic!() };
/// assert_eq!(inner.index(), 0);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The node's place in [`Tree::nodes`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A part of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The kind.
    pub kind: NodeKind,
    /// The position in the text, without parentheses around it.
    pub span: Range<usize>,
    /// Whether parentheses stand around it.
    ///
    /// AND and OR bind alike, from the left: a checker that finds one
    /// directly within the other asks this whether it was meant.
    pub parenthesised: bool,
}

/// The kind of a part of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A comparison, by its place in [`Tree::comparisons`].
    Comparison(usize),
    /// True if the other is not.
    Not(NodeId),
    /// True if both are.
    And(NodeId, NodeId),
    /// True if one of them is.
    Or(NodeId, NodeId),
}

/// `key op value`.
///
/// ```
/// use fantail_syntax::{Comparison, Key, Operator, ParseOptions, parse};
///
/// let tree = parse(b"event=login AND tries >= 3", &ParseOptions::default())?;
/// let comparison: &Comparison = &tree.comparisons()[1];
/// assert_eq!(comparison.key, Key::Field(Box::from(*b"tries")));
/// assert_eq!(comparison.operator, Operator::GreaterOrEqual);
/// assert_eq!(comparison.value.plain(), b"3");
/// assert_eq!(comparison.span, 16..26);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The left side.
    pub key: Key,
    /// The operator.
    pub operator: Operator,
    /// The right side.
    pub value: Value,
    /// The position of the whole comparison.
    pub span: Range<usize>,
    /// The position of the key.
    pub key_span: Range<usize>,
    /// The position of the value.
    pub value_span: Range<usize>,
}

impl Comparison {
    /// The log level that this comparison tests for (`category=debug`).
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self.key {
            Key::Category => Level::from_name(self.value.written()),
            _ => None,
        }
    }
}

/// The left side of a comparison: the property of an event that is compared.
///
/// ```
/// use fantail_syntax::Key;
///
/// assert_eq!(Key::from_name(b"event"), Key::Event);
/// // Letter case counts: this is a field.
/// assert_eq!(Key::from_name(b"Event").name(), b"Event");
/// assert!(matches!(Key::from_name(b"Event"), Key::Field(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// `event`: the event's name.
    Event,
    /// `category`: a category or a log level.
    Category,
    /// `source_location`: the place in the source.
    SourceLocation,
    /// Any other key: a field, `duration` too.
    Field(Box<[u8]>),
}

impl Key {
    /// The key with this name; the special ones in exact spelling.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Self {
        match name {
            b"event" => Self::Event,
            b"category" => Self::Category,
            b"source_location" => Self::SourceLocation,
            other => Self::Field(other.into()),
        }
    }

    /// The key's name, without quotes or escapes.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Event => b"event",
            Self::Category => b"category",
            Self::SourceLocation => b"source_location",
            Self::Field(name) => name,
        }
    }
}

/// The operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `<=`
    LessOrEqual,
}

impl Operator {
    /// Returns the symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => ">=",
            Self::LessOrEqual => "<=",
        }
    }

    /// Returns whether `left op right` holds.
    #[must_use]
    pub fn holds<T: Ord + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::GreaterOrEqual => left >= right,
            Self::LessOrEqual => left <= right,
        }
    }
}
