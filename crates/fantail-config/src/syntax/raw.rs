//! All settings of a configuration before they are resolved, with includes
//! followed.
//!
//! Settings keep their order and their block; nothing is merged, and names have
//! no meaning yet. Values have no quotes, and their variables are expanded.

use crate::{diagnostic::source::Span, syntax::statement::ValueForm, syntax::text::Text};

/// The settings and blocks of all files.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    pub(crate) settings: Vec<RawSetting>,
    pub(crate) blocks: Vec<RawBlock>,
    pub(crate) top: Vec<Entry>,
}

/// A setting `key = value`.
#[derive(Debug, Clone)]
pub struct RawSetting {
    /// The key as it is written.
    pub key: Text,
    /// The value, after joining lines, removing quotes, expanding variables and
    /// reading a file.
    pub value: Text,
    /// The position of the written value.
    pub written: Span,
    /// The form of the written value.
    pub form: ValueForm,
    /// A variable in the value that could not be expanded, with the reason.
    pub(crate) unexpanded: Option<Text>,
    /// The file that holds the value.
    pub(crate) file: Option<Vec<u8>>,
    /// The error of reading the file that holds the value.
    pub(crate) unreadable: Option<String>,
}

/// A block `name argument {`.
#[derive(Debug, Clone)]
pub struct RawBlock {
    /// The first word.
    pub name: Text,
    /// The `@label` of a 2.4 group, without the `@`.
    pub label: Option<Text>,
    /// The text between name and brace.
    pub argument: Option<Text>,
    /// The line that opens the block.
    pub span: Span,
    pub(crate) entries: Vec<Entry>,
}

impl RawBlock {
    /// Returns a block whose first line is invalid.
    pub(crate) fn unread(span: Span) -> Self {
        Self::new(Text::empty(span), None, span)
    }

    /// Returns an empty block.
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

/// The index of a setting or block in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Setting(usize),
    Block(usize),
}

/// A setting or block in a block.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RawEntry<'a> {
    /// A setting.
    Setting(&'a RawSetting),
    /// A block.
    Block(&'a RawBlock),
}

impl RawConfig {
    /// Returns the settings and blocks outside of all blocks, in order.
    pub fn top(&self) -> impl Iterator<Item = RawEntry<'_>> {
        self.resolve(&self.top)
    }

    /// Returns the settings and blocks in a block of this configuration, in
    /// order.
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

    /// Adds a block; returns its index.
    pub(crate) fn add_block(&mut self, block: RawBlock, parent: Option<usize>) -> usize {
        let index = self.blocks.len();
        self.blocks.push(block);
        self.enter(Entry::Block(index), parent);
        index
    }

    /// Adds a block outside of the configuration: its contents are ignored.
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
