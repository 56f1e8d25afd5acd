//! A configuration file as a lossless tree.
//!
//! Every byte of the file belongs to exactly one [`Item`]: the items' spans
//! cover the text in order, so their concatenation is the file. A block is the
//! run of items between its opening and its closing item; [`Item::block`] is
//! the block of an item.
//!
//! Includes are items like any other: no file is opened, no variable is
//! expanded, and names have no meaning. Reading never fails: an invalid line is
//! an item without a statement, and an entry of [`ConfigTree::errors`].

use std::{ops::Range, sync::Arc};

use crate::{
    diagnostic::code::Code,
    diagnostic::source::{FileId, Span, offset},
    syntax::limits::Limits,
    syntax::line::{self, LineKind},
    syntax::part,
    syntax::statement::{self, Statement, SyntaxError},
};

/// The tree of one file.
///
/// ```
/// use std::sync::Arc;
///
/// use fantail_config::{ConfigTree, FileId, Limits, LoadOptions, load_text};
///
/// // Every byte is in the tree: comments, blanks, unknown settings.
/// let text: &[u8] = b"# logins\nmetric  logins {\n}\n";
/// let loaded = load_text("a.conf", text, &LoadOptions::default());
/// let file: FileId = loaded.sources.ids().next().unwrap();
/// let tree = ConfigTree::parse(file, Arc::from(text), &Limits::default());
/// assert!(tree.errors().is_empty());
/// assert_eq!(tree.to_bytes(), text);
/// ```
#[derive(Debug, Clone)]
pub struct ConfigTree {
    text: Arc<[u8]>,
    items: Vec<Item>,
    errors: Vec<SyntaxError>,
    warnings: Vec<SyntaxError>,
    /// Items before which a block without a `}` of its own ends, repeated for
    /// each such block.
    implied_ends: Vec<usize>,
}

/// One logical line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// All bytes, with comment, line continuations and line end.
    pub span: Span,
    /// The bytes without outer blanks, comment and line end.
    pub content: Span,
    /// The kind.
    pub kind: ItemKind,
    /// The index of the item that opens the block of this item. The item that
    /// closes a block is in the block.
    pub block: Option<usize>,
}

/// The kind of a logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemKind {
    /// Only blanks.
    Blank,
    /// Only a comment.
    Comment,
    /// A statement.
    Statement(Box<Statement>),
    /// An invalid line (see [`ConfigTree::errors`]), or a line whose
    /// continuation is cut off by a blank line, a comment or the end of the
    /// file, which Dovecot ignores (see [`ConfigTree::warnings`]).
    Unread,
    /// An invalid line that opens a block.
    UnreadBlock,
}

impl ConfigTree {
    /// Parses the text of the file `file`. A text of 4 GiB or more gives one
    /// error and no items.
    ///
    /// If the file ends within a block, the indentation shows which blocks are
    /// not closed.
    #[must_use]
    pub fn parse(file: FileId, text: Arc<[u8]>, limits: &Limits) -> Self {
        if u32::try_from(text.len()).is_err() {
            let mut tree = Self::new(Arc::default());
            let span = Span {
                file,
                start: 0,
                end: 0,
            };
            tree.error(Code::TooLarge, span);
            return tree;
        }
        let tree = Self::read(file, Arc::clone(&text), limits, Ends::Written);
        let is_open = |error: &SyntaxError| error.code == Code::UnclosedBlock;
        if !tree.errors.iter().any(is_open) {
            return tree;
        }
        let by_indentation = Self::read(file, text, limits, Ends::Indented);
        match by_indentation.errors.len() <= tree.errors.len() {
            true => by_indentation,
            false => tree,
        }
    }

    fn new(text: Arc<[u8]>) -> Self {
        Self {
            text,
            items: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            implied_ends: Vec::new(),
        }
    }

    fn read(file: FileId, text: Arc<[u8]>, limits: &Limits, ends: Ends) -> Self {
        let mut tree = Self::new(text);
        let text = Arc::clone(&tree.text);
        let mut open: Vec<usize> = Vec::new();
        // The depth of blocks above the limit, so that their ends are not those
        // of other blocks.
        let mut too_deep = 0_usize;
        let mut at = 0;
        while at < text.len() {
            if tree.items.len() >= limits.lines || tree.errors.len() >= limits.errors {
                tree.give_up(file, at..text.len());
                break;
            }
            let line = line::read(file, &text, at);
            at = line.range.end;
            let kind = tree.kind(&line);
            let content = line.text.span();
            let span = span(file, &line.range);
            let step = Step::of(&kind);
            if ends == Ends::Indented {
                tree.end_open_blocks(&mut open, &step, content.start - span.start);
            }
            let block = open.last().copied();
            match step {
                Step::Open if open.len() >= limits.block_depth => {
                    if too_deep == 0 {
                        tree.error(Code::TooDeep, content);
                    }
                    too_deep += 1;
                }
                Step::Open => open.push(tree.items.len()),
                Step::Close if too_deep > 0 => too_deep -= 1,
                Step::Close if open.pop().is_none() => {
                    tree.error(Code::UnexpectedBrace, content);
                }
                Step::Close | Step::Stay => {}
            }
            tree.items.push(Item {
                span,
                content,
                kind: if too_deep > 0 { ItemKind::Unread } else { kind },
                block,
            });
        }
        for index in open {
            tree.unclosed(index);
        }
        tree
    }

    /// Ends the blocks that cannot contain the next line, which has this
    /// indentation: a block begins no further left than its parent, and ends no
    /// further left than it began.
    fn end_open_blocks(&mut self, open: &mut Vec<usize>, step: &Step, indentation: u32) {
        while let Some(last) = open.last().copied() {
            let Some(opening) = self.items.get(last) else {
                return;
            };
            let outer = opening.content.start - opening.span.start;
            let is_over = match step {
                Step::Open => outer >= indentation,
                Step::Close => outer > indentation,
                Step::Stay => false,
            };
            if !is_over {
                return;
            }
            open.pop();
            self.unclosed(last);
            self.implied_ends.push(self.items.len());
        }
    }

    /// Reports the block that an item opens.
    fn unclosed(&mut self, opening: usize) {
        if let Some(item) = self.items.get(opening) {
            let span = item.content;
            self.error(Code::UnclosedBlock, span);
        }
    }

    /// Makes the rest of the file one unread item.
    fn give_up(&mut self, file: FileId, rest: Range<usize>) {
        let rest = span(file, &rest);
        self.error(Code::TooLarge, rest.to_start());
        self.items.push(Item {
            span: rest,
            content: rest,
            kind: ItemKind::Unread,
            block: None,
        });
    }

    fn kind(&mut self, line: &line::Line) -> ItemKind {
        if let Some(span) = line.ambiguous_comment {
            self.warnings.push(SyntaxError {
                code: Code::AmbiguousComment,
                span,
            });
        }
        match line.kind {
            LineKind::Blank => ItemKind::Blank,
            LineKind::Comment => ItemKind::Comment,
            LineKind::Lost => {
                self.warnings.push(SyntaxError {
                    code: Code::LostContinuation,
                    span: line.text.span(),
                });
                ItemKind::Unread
            }
            LineKind::Statement => match statement::parse(&line.text) {
                Ok(statement) => ItemKind::Statement(Box::new(statement)),
                Err(error) => {
                    let opens = opens(&error, line.text.bytes());
                    self.errors.push(error);
                    if opens {
                        ItemKind::UnreadBlock
                    } else {
                        ItemKind::Unread
                    }
                }
            },
        }
    }

    fn error(&mut self, code: Code, span: Span) {
        self.errors.push(SyntaxError { code, span });
    }

    /// Returns the items, and the items before which a block without a `}` of its own
    /// ends, in order and repeated for each such block.
    pub(crate) fn into_items(self) -> (Vec<Item>, Vec<usize>) {
        (self.items, self.implied_ends)
    }

    /// Returns the items in the order of the file.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Returns the errors.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// Returns warnings about lines that Dovecot reads differently than they
    /// look.
    #[must_use]
    pub fn warnings(&self) -> &[SyntaxError] {
        &self.warnings
    }

    /// Returns the file, byte for byte, joined from the items.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len());
        for item in &self.items {
            bytes.extend_from_slice(part(&self.text, item.span.range()));
        }
        bytes
    }
}

/// The evidence for the end of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Only its `}`.
    Written,
    /// Its `}`, or the indentation of other blocks.
    Indented,
}

/// The effect of an item on the open blocks.
enum Step {
    Open,
    Close,
    Stay,
}

impl Step {
    fn of(kind: &ItemKind) -> Self {
        match kind {
            ItemKind::UnreadBlock => Self::Open,
            ItemKind::Statement(statement) => match statement.as_ref() {
                Statement::Block { .. } => Self::Open,
                Statement::BlockEnd => Self::Close,
                _ => Self::Stay,
            },
            _ => Self::Stay,
        }
    }
}

/// Returns whether an invalid line was meant to open a block: its `}` is then
/// no error.
fn opens(error: &SyntaxError, line: &[u8]) -> bool {
    match error.code {
        Code::GarbageAfterBrace => !line.ends_with(b"}"),
        Code::ExpectedBrace | Code::UnterminatedQuote => line.ends_with(b"{"),
        _ => false,
    }
}

fn span(file: FileId, range: &Range<usize>) -> Span {
    Span {
        file,
        start: offset(range.start),
        end: offset(range.end),
    }
}
