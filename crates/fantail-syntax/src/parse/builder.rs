//! The actions of the grammar: they build the tree and check its limits.

use alloc::{borrow::Cow, vec::Vec};
use core::ops::Range;

use crate::{
    Comparison, Key, Node, NodeId, NodeKind, Operator, ParseError, ParseErrorKind, ParseOptions,
    Tree, Value, text::escape,
};

/// A key or a value as it is written.
#[derive(Debug, Clone)]
pub(crate) enum Written<'t> {
    Word(&'t [u8], Range<usize>),
    /// The text between the quotes.
    Quoted(&'t [u8], Range<usize>),
}

impl Written<'_> {
    fn span(&self) -> Range<usize> {
        match self {
            Self::Word(_, span) | Self::Quoted(_, span) => span.clone(),
        }
    }
}

/// Stands for an operand that could not be read. There is an error, and the tree is
/// dropped.
const FAULTY: NodeId = NodeId(usize::MAX);

/// Collects the nodes of a tree.
#[derive(Debug)]
pub(crate) struct Builder<'o> {
    options: &'o ParseOptions,
    nodes: Vec<Node>,
    /// For each node, the depth of NOTs and parentheses.
    depths: Vec<usize>,
    comparisons: Vec<Comparison>,
    pub(crate) errors: Vec<ParseError>,
}

impl<'o> Builder<'o> {
    pub(crate) fn new(options: &'o ParseOptions) -> Self {
        Self {
            options,
            nodes: Vec::new(),
            depths: Vec::new(),
            comparisons: Vec::new(),
            errors: Vec::new(),
        }
    }

    pub(crate) fn into_tree(self, ignored: Option<Range<usize>>) -> Tree {
        Tree {
            dialect: self.options.dialect,
            nodes: self.nodes,
            comparisons: self.comparisons,
            ignored,
        }
    }

    pub(crate) fn and(&mut self, span: Range<usize>, a: NodeId, b: NodeId) -> NodeId {
        let depth = self.depth(a).max(self.depth(b));
        self.node(NodeKind::And(a, b), span, depth)
    }

    pub(crate) fn or(&mut self, span: Range<usize>, a: NodeId, b: NodeId) -> NodeId {
        let depth = self.depth(a).max(self.depth(b));
        self.node(NodeKind::Or(a, b), span, depth)
    }

    pub(crate) fn not(&mut self, span: Range<usize>, a: NodeId) -> NodeId {
        let depth = self.depth(a) + 1;
        self.check_depth(depth, &span);
        self.node(NodeKind::Not(a), span, depth)
    }

    pub(crate) fn parenthesised(&mut self, span: Range<usize>, a: NodeId) -> NodeId {
        if let Some(node) = self.nodes.get_mut(a.0) {
            node.parenthesised = true;
        }
        if let Some(depth) = self.depths.get_mut(a.0) {
            *depth += 1;
            let depth = *depth;
            self.check_depth(depth, &span);
        }
        a
    }

    pub(crate) fn faulty(&mut self) -> NodeId {
        FAULTY
    }

    pub(crate) fn comparison(
        &mut self,
        key: &Written<'_>,
        operator: Operator,
        value: &Written<'_>,
    ) -> NodeId {
        let dialect = self.options.dialect;
        let (key_span, value_span) = (key.span(), value.span());
        let span = key_span.start..value_span.end;
        let name = match key {
            Written::Word(word, _) => Cow::Borrowed(*word),
            Written::Quoted(inner, _) => escape::key(inner, dialect),
        };
        let key = Key::from_name(&name);
        let text = match value {
            Written::Word(word, _) => Cow::Borrowed(*word),
            Written::Quoted(inner, _) => escape::value(inner, dialect),
        };
        let is_field = matches!(key, Key::Field(_));
        if !is_field && operator != Operator::Equal {
            let operator_span = key_span.end..value_span.start;
            self.error(ParseErrorKind::EqualityOnly, operator_span);
        }
        let value = match key {
            Key::Field(_) => Value::of_field(&text, dialect),
            Key::Event => Value::pattern_only(&text, dialect),
            Key::Category | Key::SourceLocation => Value::verbatim(&text, dialect),
        };
        if value.wildcards() > self.options.limits.wildcards {
            self.error(ParseErrorKind::TooManyWildcards, value_span.clone());
        }
        if self.comparisons.len() == self.options.limits.terms {
            self.error_once(ParseErrorKind::TooManyTerms, &span);
            return FAULTY;
        }
        self.comparisons.push(Comparison {
            key,
            operator,
            value,
            span: span.clone(),
            key_span,
            value_span,
        });
        let index = self.comparisons.len() - 1;
        self.node(NodeKind::Comparison(index), span, 0)
    }

    fn node(&mut self, kind: NodeKind, span: Range<usize>, depth: usize) -> NodeId {
        self.nodes.push(Node {
            kind,
            span,
            parenthesised: false,
        });
        self.depths.push(depth);
        NodeId(self.nodes.len() - 1)
    }

    fn depth(&self, id: NodeId) -> usize {
        self.depths.get(id.0).copied().unwrap_or_default()
    }

    fn check_depth(&mut self, depth: usize, span: &Range<usize>) {
        if depth > self.options.limits.depth {
            self.error_once(ParseErrorKind::TooDeep, span);
        }
    }

    fn error_once(&mut self, kind: ParseErrorKind, span: &Range<usize>) {
        if self.errors.iter().all(|error| error.kind() != kind) {
            self.error(kind, span.clone());
        }
    }

    fn error(&mut self, kind: ParseErrorKind, span: Range<usize>) {
        if self.errors.len() < crate::ParseErrors::MAX_ERRORS {
            self.errors.push(ParseError::new(kind, span));
        }
    }
}
