//! The comments that belong to a block.

use std::{collections::HashMap, sync::Arc};

use crate::{
    limits::Limits,
    source::{FileId, Sources, Span},
    tree::{Item, ItemKind, Tree},
};

/// The comments of the files that a configuration was read from.
#[derive(Debug)]
pub struct Comments<'a> {
    sources: &'a Sources,
    /// The files that were asked for.
    trees: HashMap<FileId, Tree>,
}

impl<'a> Comments<'a> {
    /// Of these files; none is looked at yet.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            trees: HashMap::new(),
        }
    }

    /// The comments of the block that opens at `block`, each with its `#`:
    /// those in the lines directly above it, and those within it, behind
    /// settings too.
    pub fn of_block(&mut self, block: Span) -> Vec<Vec<u8>> {
        let sources = self.sources;
        let tree = self.trees.entry(block.file).or_insert_with(|| {
            let text: Arc<[u8]> = Arc::from(sources.text(block.file));
            Tree::parse(block.file, text, &Limits::default())
        });
        let items = tree.items();
        // Items tile the file in order.
        let opening = items.partition_point(|item| item.span.end <= block.start);
        let mut comments: Vec<Vec<u8>> = Vec::new();
        let above = items.get(..opening).unwrap_or_default().iter().rev();
        for item in above.take_while(|item| item.kind == ItemKind::Comment) {
            comments.extend(comment(item, sources));
        }
        comments.reverse();
        for (index, item) in items.iter().enumerate().skip(opening) {
            if index != opening && !is_within(items, index, opening) {
                break;
            }
            comments.extend(comment(item, sources));
        }
        comments
    }
}

/// Whether an item stands in a block, however deep.
fn is_within(items: &[Item], index: usize, block: usize) -> bool {
    let mut at = index;
    while let Some(outer) = items.get(at).and_then(|item| item.block) {
        if outer == block {
            return true;
        }
        if outer >= at {
            return false;
        }
        at = outer;
    }
    false
}

/// The comment of a line, if it has one.
fn comment(item: &Item, sources: &Sources) -> Option<Vec<u8>> {
    let behind = match item.kind {
        ItemKind::Comment => item.span,
        _ => Span {
            start: item.content.end,
            ..item.span
        },
    };
    let text = sources.slice(behind).trim_ascii();
    // Of a line that is continued the comment may hold further line ends.
    (text.starts_with(b"#") && !text.contains(&b'\n')).then(|| text.to_vec())
}
