//! Several names or log levels: an event has only one of each.
//!
//! `event=a AND event=b` is never true, and `NOT event=a OR NOT event=b`
//! nearly always. Looked for within one AND (or OR), however its operands are
//! grouped; not between levels of nesting.

use alloc::{vec, vec::Vec};

use fantail_syntax::{Comparison, Key, NodeId, NodeKind, Tree};

use super::{Warning, WarningKind, short};

/// One warning for each AND or OR that has such a pair.
pub(super) fn check(tree: &Tree) -> Vec<Warning> {
    let mut is_within = vec![false; tree.nodes().len()];
    for node in tree.nodes() {
        if let NodeKind::And(a, b) | NodeKind::Or(a, b) = node.kind {
            for child in [a, b] {
                let same = tree.node(child).is_some_and(|child| {
                    core::mem::discriminant(&child.kind) == core::mem::discriminant(&node.kind)
                });
                if let Some(mark) = is_within.get_mut(child.index()).filter(|_| same) {
                    *mark = true;
                }
            }
        }
    }
    let nodes = tree.nodes().iter().zip(is_within);
    nodes
        .filter(|(_, is_within)| !is_within)
        .filter_map(|(top, _)| match top.kind {
            NodeKind::And(a, b) => check_group(tree, a, b, true),
            NodeKind::Or(a, b) => check_group(tree, a, b, false),
            _ => None,
        })
        .collect()
}

fn check_group(tree: &Tree, a: NodeId, b: NodeId, is_and: bool) -> Option<Warning> {
    // The first name and the first level.
    let mut known: [Option<&Comparison>; 2] = [None, None];
    let mut pending = vec![b, a];
    while let Some(id) = pending.pop() {
        let kind = tree.node(id)?.kind;
        let index = match kind {
            NodeKind::And(a, b) if is_and => {
                pending.extend([b, a]);
                continue;
            }
            NodeKind::Or(a, b) if !is_and => {
                pending.extend([b, a]);
                continue;
            }
            NodeKind::Comparison(index) if is_and => index,
            NodeKind::Not(inner) if !is_and => match tree.node(inner)?.kind {
                NodeKind::Comparison(index) => index,
                _ => continue,
            },
            _ => continue,
        };
        let comparison = tree.comparisons().get(index)?;
        let slot = match comparison.key {
            Key::Event if !comparison.value.is_wild() => &mut known[0],
            Key::Category if comparison.level().is_some() => &mut known[1],
            _ => continue,
        };
        match slot {
            Some(first) if first.value != comparison.value => {
                return Some(warning(first, comparison, is_and));
            }
            Some(_) => {}
            None => *slot = Some(comparison),
        }
    }
    None
}

fn warning(first: &Comparison, second: &Comparison, is_and: bool) -> Warning {
    let warning = Warning::new(WarningKind::OnlyOne, first.span.start..second.span.end);
    let (first, second) = (short(first), short(second));
    if is_and {
        warning
            .about(format_args!("{first} AND {second} is never true"))
            .advise("write OR between them", Vec::new())
    } else {
        warning
            .about(format_args!("NOT {first} OR NOT {second} is always true"))
            .advise("write AND between them", Vec::new())
    }
}
