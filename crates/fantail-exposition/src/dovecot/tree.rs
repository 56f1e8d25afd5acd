//! The sub-metrics of Dovecot, as a tree.

use std::borrow::Cow;

use fantail_event::Dialect;
use fantail_metrics::{GroupBy, Label, MetricSnapshot, Series};

use super::labels::DovecotLabels;
use crate::scrape::{escape::needs_no_escape, name::is_metric_name};

/// A metric with a legal name.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) metric: &'a MetricSnapshot,
    /// The sub-metrics; the first is the metric itself.
    nodes: Vec<Node<'a>>,
}

#[derive(Debug)]
struct Node<'a> {
    /// The index in the metric's series.
    series: usize,
    /// The escaped label.
    label: Cow<'a, str>,
    children: Vec<usize>,
}

impl<'a> Tree<'a> {
    /// Creates the tree; returns `None` if the name is illegal, because Dovecot
    /// omits such a metric.
    pub(super) fn new(metric: &'a MetricSnapshot, dialect: Dialect) -> Option<Self> {
        let settings = metric.settings();
        if !str::from_utf8(&settings.name).is_ok_and(is_metric_name) {
            return None;
        }
        let mut nodes: Vec<Node<'a>> = Vec::new();
        // From the metric down to the last series; `None` if Dovecot has no
        // such sub-metric.
        let mut path: Vec<Option<(usize, DovecotLabels)>> = Vec::new();
        for (at, series) in metric.series().iter().enumerate() {
            path.truncate(series.depth());
            let here = match (path.last(), series.level(settings)) {
                (Some(Some((parent, labels))), Some(level)) => {
                    let label = escaped(*labels, series.label(), level);
                    label.map(|(label, below)| (Some(*parent), label, below))
                }
                (None, None) => Some((None, Cow::Borrowed(""), DovecotLabels::new(dialect))),
                _ => None,
            };
            path.push(here.map(|(parent, label, below)| {
                let node = nodes.len();
                if let Some(parent) = parent.and_then(|parent| nodes.get_mut(parent)) {
                    parent.children.push(node);
                }
                nodes.push(Node {
                    series: at,
                    label,
                    children: Vec::new(),
                });
                (node, below)
            }));
        }
        Some(Self { metric, nodes })
    }

    pub(super) fn series(&self, node: usize) -> Option<Series<'a>> {
        self.metric.series().get(self.nodes.get(node)?.series)
    }

    pub(super) fn label(&self, node: usize) -> &str {
        self.nodes.get(node).map_or("", |node| &node.label)
    }

    pub(super) fn children(&self, node: usize) -> &[usize] {
        self.nodes.get(node).map_or(&[], |node| &node.children)
    }

    /// Returns the level of `group_by` of a node's children.
    pub(super) fn level(&self, node: usize) -> Option<&'a GroupBy> {
        let depth = self.series(node)?.depth();
        self.metric.settings().group_by.get(depth)
    }
}

/// Returns an escaped label, and the labels of its children.
fn escaped<'a>(
    labels: DovecotLabels,
    label: Label<'a>,
    level: &GroupBy,
) -> Option<(Cow<'a, str>, DovecotLabels)> {
    if let Some((plain, below)) = labels.verbatim(label)
        && plain.is_ascii()
        && needs_no_escape(plain)
        && let Ok(text) = str::from_utf8(plain)
    {
        return Some((Cow::Borrowed(text), below));
    }
    let (text, below) = labels.label(label, level)?;
    Some((Cow::Owned(escape(&text)), below))
}

/// Escapes as JSON: quotes, backslashes, and the two line ends of Unicode. The
/// label has no control characters.
fn escape(label: &str) -> String {
    let mut escaped = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}
