//! The merged blocks with one name, with all settings recognised.
//!
//! Dovecot merges blocks of one kind and name; later settings override earlier
//! ones. `exporter_include { … }` and similar change the existing list. An
//! unknown setting is an error. Values are not read here.

use std::collections::HashMap;

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    diagnostic::suggest,
    schema::context::Context,
    schema::renamed,
    schema::{Key, Kind, Row, Shape},
    syntax::part,
    syntax::raw::{RawBlock, RawEntry, RawSetting},
    syntax::text::Text,
};

/// Blocks with one name, in the order of the configuration.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    /// The blocks of groups, which the others override; none if there are no
    /// others.
    pub(crate) grouped: Vec<&'a RawBlock>,
    /// The blocks, at least one.
    pub(crate) blocks: Vec<&'a RawBlock>,
}

impl<'a> Named<'a> {
    fn name(&self) -> &'a [u8] {
        let first = self
            .blocks
            .first()
            .and_then(|block| block.argument.as_ref());
        first.map_or(&[][..], Text::bytes)
    }
}

/// Groups blocks like [`by_name`], with blocks of groups. Blocks that exist
/// only in groups come first, as in Dovecot.
pub(crate) fn with_groups<'a>(
    grouped: impl IntoIterator<Item = &'a RawBlock>,
    blocks: impl IntoIterator<Item = &'a RawBlock>,
) -> Vec<Named<'a>> {
    let mut own = by_name(blocks);
    let places: HashMap<&[u8], usize> = own
        .iter()
        .enumerate()
        .map(|(place, named)| (named.name(), place))
        .collect();
    let mut all = Vec::new();
    for named in by_name(grouped) {
        match places
            .get(named.name())
            .and_then(|place| own.get_mut(*place))
        {
            Some(overriding) => overriding.grouped = named.blocks,
            None => all.push(named),
        }
    }
    all.append(&mut own);
    all
}

/// Groups blocks by name, in the order of the first blocks.
pub(crate) fn by_name<'a>(blocks: impl IntoIterator<Item = &'a RawBlock>) -> Vec<Named<'a>> {
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut merged: Vec<Named<'a>> = Vec::new();
    for block in blocks {
        let name = block.argument.as_ref().map_or(&[][..], Text::bytes);
        let place = *places.entry(name).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(named) => named.blocks.push(block),
            None => merged.push(Named {
                grouped: Vec::new(),
                blocks: vec![block],
            }),
        }
    }
    merged
}

/// The recognised settings of merged blocks.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) kind: Kind,
    /// The line that opens the first block.
    pub(crate) span: Span,
    /// The argument of the blocks; empty if they have none.
    pub(crate) name: Text,
    /// The last setting of each key.
    values: Vec<Value<'a>>,
    pub(crate) nested: Vec<(Key, &'a RawBlock)>,
    pub(crate) lists: Vec<(Key, ListEdit<'a>)>,
}

/// The effective setting of a key so far.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    key: Key,
    setting: &'a RawSetting,
    origin: Origin,
}

/// The origin of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Outside of all blocks, or a group: it can be overridden.
    Default,
    /// The block with this index.
    Block(usize),
}

/// A change of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ListEdit<'a> {
    /// `list = word word`: replaces the list.
    Replace(&'a RawSetting),
    /// `list { word = yes }`, `list/word = yes`: adds or removes one word.
    Switch(&'a RawSetting),
}

impl<'a> Section<'a> {
    /// Recognises the settings in the blocks; `defaults` are settings from
    /// outside that apply unless a block overrides them.
    pub(crate) fn gather(
        kind: Kind,
        named: &Named<'a>,
        defaults: &[(Row, &'a RawSetting)],
        context: &mut Context<'a>,
    ) -> Option<Self> {
        let first = named.blocks.first()?;
        let mut section = Self {
            kind,
            span: first.span,
            name: first
                .argument
                .clone()
                .unwrap_or_else(|| Text::empty(first.span)),
            values: Vec::new(),
            nested: Vec::new(),
            lists: Vec::new(),
        };
        for (row, setting) in defaults {
            section.assign(*row, setting, Origin::Default);
        }
        for block in &named.grouped {
            section.add_group(block, context);
        }
        for (number, block) in named.blocks.iter().enumerate() {
            section.add(block, Origin::Block(number), context);
        }
        Some(section)
    }

    fn add(&mut self, block: &'a RawBlock, origin: Origin, context: &mut Context<'a>) {
        for entry in context.raw.within(block) {
            if context.diagnostics.is_full() {
                return;
            }
            match entry {
                RawEntry::Setting(setting) if setting.key.bytes().starts_with(b"@") => {
                    for included in context.group(setting) {
                        self.add_group(included.block, context);
                    }
                }
                RawEntry::Setting(setting) => self.setting(setting, origin, context),
                RawEntry::Block(nested) => self.block(nested, context),
            }
        }
    }

    /// Adds the settings of a group. Groups in groups are not allowed.
    fn add_group(&mut self, block: &'a RawBlock, context: &mut Context<'a>) {
        for entry in context.raw.within(block) {
            if context.diagnostics.is_full() {
                return;
            }
            match entry {
                RawEntry::Setting(setting) => self.setting(setting, Origin::Default, context),
                RawEntry::Block(nested) => self.block(nested, context),
            }
        }
    }

    fn setting(&mut self, setting: &'a RawSetting, origin: Origin, context: &mut Context<'a>) {
        let key = setting.key.bytes();
        let dialect = context.dialect;
        if let Some((list, _)) = split_path(dialect, key)
            && let Some(row) = self.kind.find(dialect, self.name.bytes(), list)
            && row.shape == Shape::List
        {
            self.lists.push((row.key, ListEdit::Switch(setting)));
            return;
        }
        match self.kind.find(dialect, self.name.bytes(), key) {
            Some(row) if row.shape == Shape::Block => {
                let written = String::from_utf8_lossy(key);
                let message = format!("`{written}` is a block, not a setting");
                let help = format!(
                    "write `{written} {} {{` and `}}`",
                    renamed::block_argument(setting)
                );
                context
                    .push(Diagnostic::new(Code::WrongKind, message, setting.key.span()).help(help));
            }
            Some(row) => {
                if let Some(earlier) = self.assign(row, setting, origin) {
                    self.overridden(setting, origin, earlier, context);
                }
            }
            None if self.kind.passes_over(dialect, key) => {}
            None => {
                let code = Code::UnknownSetting;
                context.push(self.unknown(code, "setting", &setting.key, dialect));
            }
        }
    }

    /// Makes a setting the effective one; returns the previous one, if any.
    fn assign(&mut self, row: Row, setting: &'a RawSetting, origin: Origin) -> Option<Value<'a>> {
        if row.shape == Shape::List {
            self.lists.push((row.key, ListEdit::Replace(setting)));
        }
        let value = Value {
            key: row.key,
            setting,
            origin,
        };
        match self.values.iter_mut().find(|one| one.key == row.key) {
            Some(before) => Some(std::mem::replace(before, value)),
            None => {
                self.values.push(value);
                None
            }
        }
    }

    fn overridden(
        &self,
        setting: &RawSetting,
        origin: Origin,
        earlier: Value<'_>,
        context: &mut Context<'_>,
    ) {
        let key = String::from_utf8_lossy(setting.key.bytes());
        let (code, message) = match (earlier.origin, origin) {
            (Origin::Block(before), Origin::Block(now)) if before == now => {
                (Code::Repeated, format!("`{key}` is given twice"))
            }
            (Origin::Block(_), Origin::Block(_)) => {
                let (kind, name) = (self.kind.name(), String::from_utf8_lossy(self.name.bytes()));
                let message = format!("`{key}` is given in two blocks `{kind} {name}`");
                (Code::Merged, message)
            }
            _ => return,
        };
        let note = "this one has no effect";
        context.push(
            Diagnostic::new(code, message, setting.key.span())
                .note_at(note, earlier.setting.key.span()),
        );
    }

    fn block(&mut self, block: &'a RawBlock, context: &mut Context<'a>) {
        let dialect = context.dialect;
        let name = block.name.bytes();
        match self.kind.find(dialect, self.name.bytes(), name) {
            Some(row) if row.shape == Shape::Block => self.nested.push((row.key, block)),
            Some(row) if row.shape == Shape::List && dialect == Dialect::V2_4 => {
                for entry in context.raw.within(block) {
                    match entry {
                        RawEntry::Setting(setting) => {
                            self.lists.push((row.key, ListEdit::Switch(setting)));
                        }
                        RawEntry::Block(nested) => context.push(Diagnostic::new(
                            Code::WrongKind,
                            "a list holds `name = yes`, not blocks",
                            nested.span,
                        )),
                    }
                }
            }
            Some(_) => {
                let message = format!(
                    "`{}` is a setting, not a block",
                    String::from_utf8_lossy(name)
                );
                context.push(Diagnostic::new(Code::WrongKind, message, block.name.span()));
            }
            None => {
                let code = Code::UnknownBlock;
                context.push(self.unknown(code, "block", &block.name, dialect));
            }
        }
    }

    fn unknown(&self, code: Code, what: &str, name: &Text, dialect: Dialect) -> Diagnostic {
        let written = String::from_utf8_lossy(name.bytes());
        let message = format!("unknown {what} `{written}` in `{}`", self.kind.name());
        let diagnostic = Diagnostic::new(code, message, name.span());
        if let Some(help) = renamed::hint(self.kind, dialect, name.bytes()) {
            return diagnostic.help(help);
        }
        let argument = self.name.bytes();
        let rows = self.kind.rows(dialect).iter();
        let names = rows
            .clone()
            .map(|row| self.kind.short_name(dialect, argument, *row))
            .chain(rows.map(|row| row.name));
        let names: Vec<&str> = names.collect();
        let nearest = suggest::nearest(name.bytes(), names.iter().map(|name| name.as_bytes()));
        if let Some(nearest) = nearest.and_then(|name| std::str::from_utf8(name).ok()) {
            return diagnostic.suggest(Some(nearest));
        }
        // `path` is short for `file_path` and `unix_path`.
        let ending = [b"_", name.bytes()].concat();
        let mut longer: Vec<&str> = names
            .into_iter()
            .take(self.kind.rows(dialect).len())
            .collect();
        longer.retain(|name| name.as_bytes().ends_with(&ending));
        if longer.is_empty() {
            return diagnostic;
        }
        diagnostic.help(format!("did you mean {}?", suggest::alternatives(&longer)))
    }

    /// Returns the effective setting: the last one.
    pub(crate) fn last(&self, key: Key) -> Option<&'a RawSetting> {
        let value = self.values.iter().find(|value| value.key == key)?;
        Some(value.setting)
    }

    /// Like [`last`](Self::last), but only for settings in the blocks
    /// themselves.
    pub(crate) fn own(&self, key: Key) -> Option<&'a RawSetting> {
        let value = self.values.iter().find(|value| value.key == key)?;
        matches!(value.origin, Origin::Block(_)).then_some(value.setting)
    }

    /// Returns the name of a metric or exporter: the argument of its blocks, or
    /// the value of a setting that overrides it. Reports an empty or reserved
    /// name and returns `None`.
    pub(crate) fn checked_name(&self, context: &mut Context<'_>) -> Option<Spanned<Vec<u8>>> {
        let text: &Text = match self.last(Key::Name) {
            Some(setting) => context.value(setting)?,
            None => &self.name,
        };
        let kind = self.kind.name();
        if text.is_empty() {
            let message = format!("the name of this `{kind}` is empty");
            context.push(
                Diagnostic::new(Code::EmptyName, message, self.span)
                    .help(format!("write `{kind} NAME {{`")),
            );
            return None;
        }
        if context.dialect == Dialect::V2_4 && text.bytes().starts_with(b"__") {
            let code = Code::ReservedName;
            context.push(Diagnostic::new(code, code.title(), text.span()));
            return None;
        }
        Some(Spanned {
            value: text.bytes().to_vec(),
            span: text.span(),
        })
    }
}

/// Splits 2.4's `list/word`.
pub(crate) fn split_path(dialect: Dialect, key: &[u8]) -> Option<(&[u8], usize)> {
    let slash = key.iter().position(|byte| *byte == b'/')?;
    (dialect == Dialect::V2_4).then(|| (part(key, 0..slash), slash + 1))
}
