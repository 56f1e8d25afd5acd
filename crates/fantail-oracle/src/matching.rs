//! Which filters match an event.

use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_syntax::{Key, NodeKind, Tree};

use crate::{Categories, Sent, view::View};

/// Returns the positions of the filters that match, in ascending order.
///
/// The filters are those of all metrics of one server: whether an event
/// without a name is looked at depends on all of them. Dovecot 2.3 skips such
/// events. Dovecot 2.4 skips them if every filter requires a name.
#[must_use]
pub fn matching(
    filters: &[Filter],
    dialect: Dialect,
    sent: &Sent,
    categories: &Categories,
) -> Vec<usize> {
    let names_only = filters.iter().all(|filter| requires_name(filter.tree()));
    if sent.event.name.is_none() && (dialect == Dialect::V2_3 || names_only) {
        return Vec::new();
    }
    holding(filters, sent, categories)
}

/// Returns the positions of the filters whose expressions are true, in ascending
/// order, whether or not the event has a name.
#[must_use]
pub fn holding(filters: &[Filter], sent: &Sent, categories: &Categories) -> Vec<usize> {
    let view = View::new(sent, categories);
    let holds = |at: &usize| is_true(&filters[*at], &view);
    (0..filters.len()).filter(holds).collect()
}

/// Whether the expression of a filter is true; the empty filter never is.
fn is_true(filter: &Filter, view: &View<'_>) -> bool {
    // Children have lower numbers than their parents; the last is the root.
    let mut results: Vec<bool> = Vec::new();
    for node in filter.tree().nodes() {
        results.push(match node.kind {
            NodeKind::Comparison(at) => filter.comparisons()[at].holds(view),
            NodeKind::Not(a) => !results[a.index()],
            NodeKind::And(a, b) => results[a.index()] && results[b.index()],
            NodeKind::Or(a, b) => results[a.index()] || results[b.index()],
        });
    }
    results.last().copied().unwrap_or(false)
}

/// Whether a filter requires a name: a test of the name does, NOT if its
/// operand does, AND if one side does, OR if both do. The empty filter does.
fn requires_name(tree: &Tree) -> bool {
    let mut results: Vec<bool> = Vec::new();
    for node in tree.nodes() {
        results.push(match node.kind {
            NodeKind::Comparison(at) => tree.comparisons()[at].key == Key::Event,
            NodeKind::Not(a) => results[a.index()],
            NodeKind::And(a, b) => results[a.index()] || results[b.index()],
            NodeKind::Or(a, b) => results[a.index()] && results[b.index()],
        });
    }
    results.last().copied().unwrap_or(true)
}
