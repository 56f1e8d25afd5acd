//! Finding extension settings in a configuration.
//!
//! Dovecot does not start with a setting that it does not have. So extension
//! settings may only be in files that Dovecot does not read; the caller knows
//! those files.

use std::collections::HashSet;

use fantail_event::Dialect;

use crate::{
    diagnostic::source::Span,
    schema::list,
    schema::section::split_path,
    schema::{Key, Kind},
    syntax::part,
    syntax::raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    syntax::text::Text,
    syntax::variable,
};

/// Dovecot's formats.
const FORMATS: [&[u8]; 3] = [b"json", b"tab-text", b"none"];

/// Dovecot's transports; 2.3 has only the first three.
const TRANSPORTS: [&[u8]; 5] = [b"log", b"http-post", b"drop", b"file", b"unix"];

/// An extension setting in a configuration: a setting, a block or a value that
/// Dovecot does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionMention {
    /// The text: a name or a value.
    pub written: Vec<u8>,
    /// The position.
    pub span: Span,
    /// The line that opens the outermost block around it, if any.
    pub block: Option<Span>,
}

/// Returns all extension settings in the order of the configuration. Settings
/// that fantail does not have either are errors of the loader.
///
/// ```
/// use fantail_config::{internal::extension_mentions, load_text};
///
/// let text = "event_exporter a {\n  format = ndjson\n  transport = log\n  sample = 10\n}\n";
/// let loaded = load_text("dovecot.conf", text, &Default::default());
/// let mentions = extension_mentions(&loaded.raw, loaded.settings.dialect);
/// assert_eq!(mentions[0].written, b"ndjson");
/// assert_eq!(mentions[1].written, b"sample");
/// assert_eq!(mentions.len(), 2);
/// ```
#[must_use]
pub fn extension_mentions(raw: &RawConfig, dialect: Dialect) -> Vec<ExtensionMention> {
    let mut search = Search {
        raw,
        dialect,
        block: None,
        names: exporter_names(raw, dialect),
        found: Vec::new(),
    };
    for entry in raw.top() {
        match entry {
            RawEntry::Setting(setting) => search.default_of_all(setting),
            RawEntry::Block(block) => search.outermost(block),
        }
    }
    search.found
}

/// Returns the names of exporters outside of groups, as Dovecot reads them: those of
/// the blocks, and those that override them.
fn exporter_names(raw: &RawConfig, dialect: Dialect) -> HashSet<&[u8]> {
    let blocks = raw.top().filter_map(|entry| match entry {
        RawEntry::Block(block) => Some(block),
        RawEntry::Setting(_) => None,
    });
    let exporters = blocks.filter(|block| Kind::named(block.name.bytes()) == Some(Kind::Exporter));
    let mut names = HashSet::new();
    for block in exporters {
        let argument = block.argument.as_ref().map_or(&[][..], Text::bytes);
        names.insert(argument);
        names.extend(raw.within(block).filter_map(|entry| match entry {
            RawEntry::Setting(setting) => {
                let row = Kind::Exporter.find(dialect, argument, setting.key.bytes())?;
                (row.key == Key::Name).then(|| setting.value.bytes())
            }
            RawEntry::Block(_) => None,
        }));
    }
    names
}

struct Search<'a> {
    raw: &'a RawConfig,
    dialect: Dialect,
    block: Option<Span>,
    /// The names of exporters.
    names: HashSet<&'a [u8]>,
    found: Vec<ExtensionMention>,
}

impl<'a> Search<'a> {
    fn outermost(&mut self, block: &'a RawBlock) {
        self.block = Some(block.span);
        if block.label.is_some() {
            self.group(block);
        } else {
            self.named(block);
        }
        self.block = None;
    }

    /// Finds extension settings in a block of a known kind.
    fn named(&mut self, block: &'a RawBlock) {
        match Kind::named(block.name.bytes()) {
            Some(Kind::Registry) => self.push(&block.name),
            Some(kind) => {
                let argument = block.argument.as_ref().map_or(&[][..], Text::bytes);
                for entry in self.raw.within(block) {
                    self.entry(kind, argument, entry);
                }
            }
            None => {}
        }
    }

    /// Finds extension settings in 2.4's `group @label name { … }`: whole
    /// blocks, or settings for the blocks that name the group.
    fn group(&mut self, block: &'a RawBlock) {
        for entry in self.raw.within(block) {
            if let RawEntry::Block(inner) = entry
                && Kind::named(inner.name.bytes()).is_some()
            {
                self.named(inner);
                continue;
            }
            for kind in [Kind::Metric, Kind::Exporter, Kind::Registry] {
                self.entry(kind, b"", entry);
            }
        }
    }

    /// Finds extension settings in 2.4's settings outside of all blocks, by
    /// their full names.
    fn default_of_all(&mut self, setting: &'a RawSetting) {
        let key = setting.key.bytes();
        for kind in [Kind::Metric, Kind::Exporter, Kind::Registry] {
            let prefix = [kind.name().as_bytes(), b"_"].concat();
            if self.dialect == Dialect::V2_4 && key.starts_with(&prefix) {
                self.entry(kind, b"", RawEntry::Setting(setting));
            }
        }
    }

    fn entry(&mut self, kind: Kind, argument: &[u8], entry: RawEntry<'a>) {
        let (name, value) = match entry {
            RawEntry::Setting(setting) => (&setting.key, Some(&setting.value)),
            RawEntry::Block(block) => (&block.name, None),
        };
        let bytes = name.bytes();
        let bytes = split_path(self.dialect, bytes).map_or(bytes, |(list, _)| list);
        let Some(row) = kind.find(self.dialect, argument, bytes) else {
            return;
        };
        let old = self.dialect == Dialect::V2_3;
        match row.key {
            Key::Extension(_) | Key::Declare | Key::Expose | Key::SeriesLimit => self.push(name),
            Key::Exporter => self.exporters(value),
            Key::FilePath | Key::UnixPath | Key::UnixTimeout if old => self.push(name),
            _ if kind == Kind::Registry => self.push(name),
            Key::Transport => {
                let known = if old { 3 } else { TRANSPORTS.len() };
                let known = TRANSPORTS.get(..known).unwrap_or_default();
                self.value(value, known);
            }
            Key::Format => self.value(value, &FORMATS),
            Key::GroupBy => self.methods(entry),
            _ => {}
        }
    }

    /// Finds several exporters; Dovecot reads them as one name.
    fn exporters(&mut self, value: Option<&Text>) {
        let Some(value) = value else {
            return;
        };
        let is_one = || self.names.contains(value.bytes());
        if list::words(value, self.dialect).len() > 1 && !is_one() {
            self.push(value);
        }
    }

    /// Finds methods of `group_by` that Dovecot does not have.
    fn methods(&mut self, entry: RawEntry<'a>) {
        match entry {
            RawEntry::Setting(setting) => {
                let text = &setting.value;
                let words = variable::words(text.bytes());
                let is_top = |word: &[u8]| word.split(|byte| *byte == b':').nth(1) == Some(b"top");
                for word in words.filter(|word| is_top(part(text.bytes(), word.clone()))) {
                    let written = part(text.bytes(), word.clone()).to_vec();
                    self.push_part(written, text.locate(word));
                }
            }
            RawEntry::Block(level) => {
                for inner in self.raw.within(level) {
                    if let RawEntry::Block(method) = inner
                        && let Some(name) = &method.argument
                        && name.bytes() == b"top"
                    {
                        self.push(name);
                    }
                }
            }
        }
    }

    /// Finds a value that Dovecot does not have.
    fn value(&mut self, value: Option<&Text>, known: &[&[u8]]) {
        if let Some(value) = value
            && !known.contains(&value.bytes())
        {
            self.push(value);
        }
    }

    fn push(&mut self, text: &Text) {
        self.push_part(text.bytes().to_vec(), text.span());
    }

    fn push_part(&mut self, written: Vec<u8>, span: Span) {
        self.found.push(ExtensionMention {
            written,
            span,
            block: self.block,
        });
    }
}
