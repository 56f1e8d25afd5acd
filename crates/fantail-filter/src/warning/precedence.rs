//! AND and OR mixed without parentheses.
//!
//! Both bind alike, from the left: `a OR b AND c` is `(a OR b) AND c`, where
//! most languages, and most people, read `a OR (b AND c)`.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use fantail_syntax::{Node, NodeKind, Tree};

use super::{Warning, WarningKind};

/// Chains with more operands get no rewritten text.
const MAX_REWRITTEN: usize = 12;

/// One warning for each chain that mixes them.
pub(super) fn check(tree: &Tree) -> impl Iterator<Item = Warning> {
    let mut goes_on = vec![false; tree.nodes().len()];
    for node in tree.nodes() {
        if let Some((left, _)) = continuation(tree, node)
            && let Some(mark) = goes_on.get_mut(left)
        {
            *mark = true;
        }
    }
    let tops = tree.nodes().iter().zip(goes_on);
    tops.filter(|(_, goes_on)| !goes_on)
        .filter_map(|(top, _)| check_chain(tree, top))
}

/// The left side of a binary node, if it is one too and has no parentheses.
fn continuation<'t>(tree: &'t Tree, node: &Node) -> Option<(usize, &'t Node)> {
    let (NodeKind::And(left, _) | NodeKind::Or(left, _)) = node.kind else {
        return None;
    };
    let inner = tree.node(left).filter(|inner| !inner.parenthesised)?;
    let is_binary = matches!(inner.kind, NodeKind::And(..) | NodeKind::Or(..));
    is_binary.then_some((left.index(), inner))
}

fn is_and(node: &Node) -> bool {
    matches!(node.kind, NodeKind::And(..))
}

fn check_chain(tree: &Tree, top: &Node) -> Option<Warning> {
    // The binary nodes of the chain, outermost first.
    let mut chain = vec![top];
    while let Some((_, inner)) = chain.last().and_then(|last| continuation(tree, last)) {
        chain.push(inner);
    }
    // Pairs of neighbours that differ: there the inner one is a group.
    let groups: Vec<&Node> = chain
        .windows(2)
        .filter_map(|pair| match pair {
            [outer, inner] if is_and(outer) != is_and(inner) => Some(*inner),
            _ => None,
        })
        .collect();
    let first = groups.last()?;
    let warning = Warning::new(WarningKind::MixedConnectives, top.span.clone())
        .note("they bind alike, from the left; AND does not bind tighter");
    if chain.len() > MAX_REWRITTEN {
        let message = "put parentheses around what belongs together";
        return Some(warning.advise(message, vec![]));
    }
    let from_left = parenthesise(groups.iter().map(|group| group.span.clone()));
    let warning = warning.advise("it is read as", from_left);
    let tighter = and_first(tree, &chain);
    Some(
        if tighter.is_empty() || is_and(first) && groups.len() == 1 {
            warning
        } else {
            warning.advise(
                "if AND should bind tighter, write",
                parenthesise(tighter.into_iter()),
            )
        },
    )
}

/// Returns the positions of parentheses if AND had precedence; none if they are
/// unknown: the tree does not contain the start of parentheses around an
/// operand.
fn and_first(tree: &Tree, chain: &[&Node]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    // The start of the operand of the next AND.
    let mut operand = chain.last().map(|innermost| innermost.span.start);
    let mut in_run = false;
    for node in chain.iter().rev() {
        let (NodeKind::And(_, right) | NodeKind::Or(_, right)) = node.kind else {
            return Vec::new();
        };
        if !is_and(node) {
            let right = tree.node(right);
            operand = right
                .filter(|right| !right.parenthesised)
                .map(|right| right.span.start);
        } else if let (true, Some(run)) = (in_run, runs.last_mut()) {
            run.end = node.span.end;
        } else {
            match operand {
                Some(start) => runs.push(start..node.span.end),
                None => return Vec::new(),
            }
        }
        in_run = is_and(node);
    }
    runs
}

/// Insertions of parentheses around these, in the order of the text.
fn parenthesise(spans: impl Iterator<Item = Range<usize>>) -> Vec<(Range<usize>, Vec<u8>)> {
    let mut edits: Vec<_> = spans
        .flat_map(|span| [(span.start, b'('), (span.end, b')')])
        .map(|(at, byte)| (at..at, vec![byte]))
        .collect();
    edits.sort_by_key(|(at, _)| at.start);
    edits
}
