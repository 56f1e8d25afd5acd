//! The comments of blocks, each with its setting.
//!
//! Comments belong to a block if they are in it or directly before it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use fantail_event::Dialect;

use crate::{
    diagnostic::source::{FileId, Sources, Span},
    schema::{Key, Kind},
    syntax::limits::Limits,
    syntax::statement::Statement,
    syntax::text::Text,
    syntax::tree::{ConfigTree, Item, ItemKind},
};

/// The comments of the files of a configuration.
#[derive(Debug)]
pub struct Comments<'a> {
    sources: &'a Sources,
    dialect: Dialect,
    trees: HashMap<FileId, ConfigTree>,
    /// The positions of outermost blocks, by the words of their first line.
    blocks: HashMap<Head, Vec<(FileId, usize)>>,
}

/// The name of a block and its argument.
type Head = (Vec<u8>, Vec<u8>);

/// The comments of a block, each with its `#`.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockComments {
    /// In the lines directly before the block.
    pub(crate) above: Vec<Vec<u8>>,
    /// After its opening brace.
    pub(crate) opening: Vec<Vec<u8>>,
    settings: VecDeque<Attached>,
    end: Vec<Vec<u8>>,
}

/// The comments of a setting, or of a block within the block.
#[derive(Debug, Clone)]
struct Attached {
    key: Option<Key>,
    above: Vec<Vec<u8>>,
    behind: Vec<Vec<u8>>,
}

impl<'a> Comments<'a> {
    /// Creates the comments of these files, which were read in `dialect`.
    #[must_use]
    pub fn new(sources: &'a Sources, dialect: Dialect) -> Self {
        let mut comments = Self {
            sources,
            dialect,
            trees: HashMap::new(),
            blocks: HashMap::new(),
        };
        for file in sources.ids() {
            let text: Arc<[u8]> = Arc::from(sources.text(file));
            let tree = ConfigTree::parse(file, text, &Limits::default());
            for (index, item) in tree.items().iter().enumerate() {
                if let (None, Some(head)) = (item.block, head(item)) {
                    comments.blocks.entry(head).or_default().push((file, index));
                }
            }
            comments.trees.insert(file, tree);
        }
        comments
    }

    /// Returns the files.
    pub(crate) const fn sources(&self) -> &'a Sources {
        self.sources
    }

    /// Returns the comments of the block that opens at `block`, and of the
    /// blocks that are merged with it.
    pub(crate) fn of_block(&self, block: Span) -> BlockComments {
        let mut comments = BlockComments::default();
        let Some(head) = self.item(block).and_then(head) else {
            return comments;
        };
        self.gather_all(&head, &mut comments);
        comments
    }

    /// Returns the comments of the blocks `fantail`.
    pub(crate) fn of_registry(&self) -> BlockComments {
        let mut comments = BlockComments::default();
        let head = (Kind::Registry.name().as_bytes().to_vec(), Vec::new());
        self.gather_all(&head, &mut comments);
        comments
    }

    fn gather_all(&self, head: &Head, comments: &mut BlockComments) {
        let places = self.blocks.get(head).map_or(&[][..], Vec::as_slice);
        for (file, opening) in places {
            if let Some(tree) = self.trees.get(file) {
                self.gather(tree.items(), *opening, head, comments);
            }
        }
    }

    /// Returns the line of a position.
    fn item(&self, place: Span) -> Option<&Item> {
        let items = self.trees.get(&place.file)?.items();
        // Items cover the file in order.
        items.get(items.partition_point(|item| item.span.end <= place.start))
    }

    fn gather(&self, items: &[Item], opening: usize, head: &Head, comments: &mut BlockComments) {
        let above = items.get(..opening).unwrap_or_default().iter().rev();
        let above = above.take_while(|item| item.kind == ItemKind::Comment);
        let mut above: Vec<_> = above.map(|item| self.comment(item)).collect();
        above.reverse();
        comments.above.extend(above.into_iter().flatten());
        if let Some(item) = items.get(opening) {
            comments.opening.extend(self.comment(item));
        }
        let mut pending = Vec::new();
        for item in items.iter().skip(opening + 1) {
            match what(item, opening) {
                _ if item.block.is_none_or(|block| block < opening) => break,
                What::Comment => pending.extend(self.comment(item)),
                What::End => {
                    pending.extend(self.comment(item));
                    break;
                }
                What::Setting(key) => comments.settings.push_back(Attached {
                    key: self.key(head, key),
                    above: std::mem::take(&mut pending),
                    behind: self.comment(item),
                }),
                What::Block(key) => {
                    pending.extend(self.comment(item));
                    comments.settings.push_back(Attached {
                        key: self.key(head, key),
                        above: std::mem::take(&mut pending),
                        behind: Vec::new(),
                    });
                }
                // A nested block: the comment belongs to the line that opens
                // it.
                What::Deeper => {
                    if let Some(block) = comments.settings.back_mut() {
                        block.above.extend(self.comment(item));
                    }
                }
                What::Other => {}
            }
        }
        comments.end.append(&mut pending);
    }

    /// Returns the purpose of a setting of a block.
    fn key(&self, (name, argument): &Head, key: &Text) -> Option<Key> {
        let kind = Kind::named(name)?;
        // 2.4's `list/word`
        let list = key.bytes().split(|byte| *byte == b'/').next()?;
        let row = kind.find(self.dialect, argument, list)?;
        Some(row.key.in_2_4())
    }

    /// Returns the comments of a line: none, one, or more if the line is
    /// continued.
    fn comment(&self, item: &Item) -> Vec<Vec<u8>> {
        let behind = match item.kind {
            ItemKind::Comment => item.span,
            _ => Span {
                start: item.content.end,
                ..item.span
            },
        };
        let text = self.sources.slice(behind).trim_ascii();
        if !text.starts_with(b"#") {
            return Vec::new();
        }
        let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
        let lines = lines.map(|line| {
            // A line must not continue in the next one.
            let end = line
                .iter()
                .rposition(|byte| !matches!(byte, b'\\' | b' ' | b'\t'));
            line.get(..end.map_or(0, |end| end + 1))
                .unwrap_or_default()
                .trim_ascii()
        });
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| match line.first() {
                Some(b'#') => line.to_vec(),
                _ => [b"# ", line].concat(),
            })
            .collect()
    }
}

/// The relation of a line to the block that opened at `opening`.
enum What<'a> {
    Comment,
    Setting(&'a Text),
    Block(&'a Text),
    End,
    Deeper,
    Other,
}

fn what(item: &Item, opening: usize) -> What<'_> {
    if item.block != Some(opening) {
        return What::Deeper;
    }
    match &item.kind {
        ItemKind::Comment => What::Comment,
        ItemKind::Statement(statement) => match statement.as_ref() {
            Statement::Setting { key, .. } => What::Setting(key),
            Statement::Block { name, .. } => What::Block(name),
            Statement::BlockEnd => What::End,
            Statement::Include { .. } => What::Other,
        },
        _ => What::Other,
    }
}

/// Returns the words of a line that opens a block; groups have different words.
fn head(item: &Item) -> Option<Head> {
    let ItemKind::Statement(statement) = &item.kind else {
        return None;
    };
    match statement.as_ref() {
        Statement::Block {
            name,
            label: None,
            argument,
        } => {
            let argument = argument.as_ref().map_or(&[][..], Text::bytes);
            Some((name.bytes().to_vec(), argument.to_vec()))
        }
        _ => None,
    }
}

impl BlockComments {
    /// Removes and returns the comments of a setting: in the lines before it,
    /// and after it.
    pub(crate) fn take(&mut self, key: Key) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let key = key.in_2_4();
        let (mut above, mut behind) = (Vec::new(), Vec::new());
        let (taken, rest) = std::mem::take(&mut self.settings)
            .into_iter()
            .partition(|one| one.key == Some(key));
        self.settings = rest;
        let taken: VecDeque<Attached> = taken;
        for one in taken {
            above.append(&mut behind);
            above.extend(one.above);
            behind = one.behind;
        }
        (above, behind)
    }

    /// Removes and returns the comments of the first of several blocks of one
    /// kind.
    pub(crate) fn take_first(&mut self, key: Key) -> Vec<Vec<u8>> {
        let place = self.settings.iter().position(|one| one.key == Some(key));
        let taken = place.and_then(|place| self.settings.remove(place));
        taken.map_or_else(Vec::new, |one| [one.above, one.behind].concat())
    }

    /// Removes and returns the remaining comments: of settings that are not
    /// written, and after the last one.
    pub(crate) fn take_rest(&mut self) -> Vec<Vec<u8>> {
        let settings = std::mem::take(&mut self.settings).into_iter();
        let mut rest: Vec<_> = settings
            .flat_map(|one| [one.above, one.behind].concat())
            .collect();
        rest.append(&mut self.end);
        rest
    }
}
