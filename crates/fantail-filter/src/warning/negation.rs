//! NOTs directly within each other.

use alloc::{format, vec, vec::Vec};

use fantail_syntax::{Key, Node, NodeKind, Shown, Tree};

use super::{SHOWN_BYTES, Warning, WarningKind, short};

/// One warning for each row of at least two.
pub(super) fn check(tree: &Tree) -> Vec<Warning> {
    let mut is_inner = vec![false; tree.nodes().len()];
    for node in tree.nodes() {
        if let NodeKind::Not(inner) = node.kind
            && let Some(mark) = is_inner.get_mut(inner.index())
        {
            *mark = true;
        }
    }
    let nodes = tree.nodes().iter().zip(is_inner);
    nodes
        .filter(|(_, is_inner)| !is_inner)
        .filter_map(|(outermost, _)| check_row(tree, outermost))
        .collect()
}

fn check_row(tree: &Tree, outermost: &Node) -> Option<Warning> {
    let mut count = 0_usize;
    let mut node = outermost;
    while let NodeKind::Not(inner) = node.kind {
        count += 1;
        node = tree.node(inner)?;
    }
    if count < 2 {
        return None;
    }
    let left = if count.is_multiple_of(2) {
        "none"
    } else {
        "one"
    };
    let warning = Warning::new(WarningKind::NotNot, outermost.span.clone())
        .about(format_args!("{count} of them are the same as {left}"));
    let NodeKind::Comparison(index) = node.kind else {
        return Some(warning);
    };
    let comparison = tree.comparisons().get(index)?;
    if !matches!(comparison.key, Key::Field(_)) {
        return Some(warning);
    }
    // People write this to ask for events that do have the field.
    let asks_missing = comparison.value.pattern().next().is_none();
    let key = Shown::up_to(comparison.key.name(), SHOWN_BYTES);
    let comparison = short(comparison);
    Some(warning.note(if asks_missing {
        format!(
            "{comparison} is true where `{key}` is missing or empty; \
             with one NOT it is true where `{key}` has a value, with two where it has none again"
        )
    } else {
        format!(
            "where `{key}` is missing, {comparison} is false, with one NOT true, \
             and with two false again; to ask for any value write NOT {key}=\"\""
        )
    }))
}
