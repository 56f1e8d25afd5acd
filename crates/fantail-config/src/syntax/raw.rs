//! All settings of a configuration as they were written, includes resolved.
//!
//! Settings keep their order and their block; nothing is merged, and no name
//! has a meaning yet. Values are without quotes, and with variables expanded.

use crate::{diagnostic::source::Span, syntax::statement::ValueForm, syntax::text::Text};

/// The settings and blocks of all files.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    pub(crate) settings: Vec<RawSetting>,
    pub(crate) blocks: Vec<RawBlock>,
    pub(crate) top: Vec<Entry>,
}

/// One `key = value`.
#[derive(Debug, Clone)]
pub struct RawSetting {
    /// The key as it was written.
    pub key: Text,
    /// The value after lines were joined, quotes removed, variables expanded
    /// and a file read.
    pub value: Text,
    /// Where the value stands as it was written.
    pub written: Span,
    /// How it was written.
    pub form: ValueForm,
    /// A variable in the value that could not be expanded, with the reason.
    pub(crate) unexpanded: Option<Text>,
    /// The file that holds the value.
    pub(crate) file: Option<Vec<u8>>,
    /// Why the file that holds the value could not be read.
    pub(crate) unreadable: Option<String>,
}

/// One `name argument {`.
#[derive(Debug, Clone)]
pub struct RawBlock {
    /// The first word.
    pub name: Text,
    /// The `@label` of a 2.4 group, without the `@`.
    pub label: Option<Text>,
    /// What stands between name and brace.
    pub argument: Option<Text>,
    /// The line that opens the block.
    pub span: Span,
    pub(crate) entries: Vec<Entry>,
}

impl RawBlock {
    /// A block whose first line could not be read.
    pub(crate) fn unread(span: Span) -> Self {
        Self::new(Text::empty(span), None, span)
    }

    /// An empty block.
    pub(crate) fn new(name: Text, argument: Option<Text>, span: Span) -> Self {
        Self {
            name,
            label: None,
            argument,
            span,
            entries: Vec::new(),
        }
    }
}

/// What stands in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Setting(usize),
    Block(usize),
}

/// What stands in a block, with what it is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RawEntry<'a> {
    /// A setting.
    Setting(&'a RawSetting),
    /// A block.
    Block(&'a RawBlock),
}

impl RawConfig {
    /// What stands in no block, in order.
    pub fn top(&self) -> impl Iterator<Item = RawEntry<'_>> {
        self.resolve(&self.top)
    }

    /// What stands in a block of this configuration, in order.
    pub fn within<'a>(&'a self, block: &'a RawBlock) -> impl Iterator<Item = RawEntry<'a>> {
        self.resolve(&block.entries)
    }

    fn resolve<'a>(&'a self, entries: &'a [Entry]) -> impl Iterator<Item = RawEntry<'a>> {
        entries.iter().filter_map(|entry| match *entry {
            Entry::Setting(index) => self.settings.get(index).map(RawEntry::Setting),
            Entry::Block(index) => self.blocks.get(index).map(RawEntry::Block),
        })
    }

    pub(crate) fn add_setting(&mut self, setting: RawSetting, block: Option<usize>) {
        let entry = Entry::Setting(self.settings.len());
        self.settings.push(setting);
        self.enter(entry, block);
    }

    /// Adds a block and says which it is.
    pub(crate) fn add_block(&mut self, block: RawBlock, parent: Option<usize>) -> usize {
        let index = self.blocks.len();
        self.blocks.push(block);
        self.enter(Entry::Block(index), parent);
        index
    }

    /// Adds a block that stands nowhere: what is in it is passed over.
    pub(crate) fn hide_block(&mut self, block: RawBlock) -> usize {
        self.blocks.push(block);
        self.blocks.len() - 1
    }

    fn enter(&mut self, entry: Entry, block: Option<usize>) {
        match block {
            None => self.top.push(entry),
            Some(block) => {
                if let Some(block) = self.blocks.get_mut(block) {
                    block.entries.push(entry);
                }
            }
        }
    }
}
