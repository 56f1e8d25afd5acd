//! The order in which Dovecot visits the sub-metrics.
//!
//! Dovecot goes from the metric down, parents before children, while levels are
//! not quantized and their names are legal. 2.3 keeps its path from one family
//! to the next, and clears it only at the end of a walk that went down at least
//! once. So a metric stays on the path if its first level cannot be walked; a
//! later walk begins there or, at its own end, continues with the second
//! sub-metric of that metric. (Observed in the answers of 2.3.19.)

use std::io;

use super::tree::Tree;
use crate::scrape::name::is_metric_name;

#[derive(Debug)]
pub(super) struct Walk<'a> {
    trees: &'a [Tree<'a>],
    path: Vec<Step>,
    labels: String,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    tree: usize,
    node: usize,
    /// The index of the child that the path goes through.
    child: usize,
    /// The start of its children's labels in `labels`.
    labels: usize,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(trees: &'a [Tree<'a>]) -> Self {
        Self {
            trees,
            path: Vec::new(),
            labels: String::new(),
        }
    }

    pub(super) fn tree(&self, at: usize) -> Option<&'a Tree<'a>> {
        self.trees.get(at)
    }

    /// Clears the path, as 2.4 does after each family.
    pub(super) fn forget(&mut self) {
        self.path.clear();
    }

    /// Visits the sub-metrics of a metric, with their labels.
    pub(super) fn each(
        &mut self,
        at: usize,
        mut visit: impl FnMut(&'a Tree<'a>, usize, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        self.labels.clear();
        let trees = self.trees;
        if trees.get(at).is_none_or(|tree| tree.children(0).is_empty()) {
            return Ok(());
        }
        let mut step = self.begin(at);
        while let Some(Step { tree, node, .. }) = step {
            let Some(tree) = trees.get(tree) else {
                break;
            };
            if node != 0 {
                self.labels.extend(["\"", tree.label(node), "\""]);
            }
            visit(tree, node, &self.labels)?;
            step = self.down().or_else(|| self.next());
            if step.is_none() {
                self.path.clear();
            }
        }
        Ok(())
    }

    fn begin(&mut self, tree: usize) -> Option<Step> {
        if self.path.len() >= 2 {
            return self.path.last().copied();
        }
        self.path.push(Step {
            tree,
            node: 0,
            child: 0,
            labels: self.labels.len(),
        });
        self.down()
    }

    /// Goes to the first sub-metric of the last step.
    fn down(&mut self) -> Option<Step> {
        let last = self.path.last_mut()?;
        let tree = self.trees.get(last.tree)?;
        let level = tree.level(last.node)?;
        let name = str::from_utf8(&level.field).ok();
        let name = name.filter(|name| is_metric_name(name))?;
        if level.method.buckets().is_some() {
            return None;
        }
        let below = child(tree, *last)?;
        if !self.labels.is_empty() {
            self.labels.push(',');
        }
        self.labels.extend([name, "="]);
        last.labels = self.labels.len();
        self.path.push(below);
        Some(below)
    }

    /// Goes to the next sub-metric of the nearest step that has another.
    fn next(&mut self) -> Option<Step> {
        while self.path.len() > 1 {
            self.path.pop();
            let last = self.path.last_mut()?;
            self.labels.truncate(last.labels);
            last.child += 1;
            let tree = self.trees.get(last.tree)?;
            if let Some(next) = child(tree, *last) {
                self.path.push(next);
                return Some(next);
            }
        }
        None
    }
}

/// Returns the sub-metric that a step goes through.
fn child(tree: &Tree<'_>, step: Step) -> Option<Step> {
    let node = *tree.children(step.node).get(step.child)?;
    Some(Step {
        node,
        child: 0,
        labels: 0,
        ..step
    })
}
