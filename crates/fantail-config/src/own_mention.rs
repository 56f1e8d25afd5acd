//! What in a configuration only fantail knows.
//!
//! Dovecot refuses such a setting, and does not start: it may stand only in
//! files that Dovecot does not read. Which files those are is not known here.

use fantail_event::Dialect;

use crate::{
    raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    schema::{Key, Kind},
    section::split_path,
    source::Span,
    text::Text,
};

/// Formats that Dovecot has.
const FORMATS: [&[u8]; 3] = [b"json", b"tab-text", b"none"];

/// Targets that Dovecot has; the last two only since 2.4.
const TRANSPORTS: [&[u8]; 5] = [b"log", b"http-post", b"drop", b"file", b"unix"];

/// A setting, a block or a value that Dovecot does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnMention {
    /// What is written there: a name, or a value.
    pub written: Vec<u8>,
    /// Where.
    pub span: Span,
    /// The line that opens the outermost block around it, if there is one.
    pub block: Option<Span>,
}

/// All that only fantail knows, in the order of the configuration. What neither
/// knows is an error elsewhere.
///
/// ```
/// use fantail_config::{load_text, own_mentions};
///
/// let text = "event_exporter a {\n  format = ndjson\n  transport = log\n  sample = 10\n}\n";
/// let loaded = load_text("dovecot.conf", text, &Default::default());
/// let mentions = own_mentions(&loaded.raw, loaded.settings.dialect);
/// assert_eq!(mentions[0].written, b"ndjson");
/// assert_eq!(mentions[1].written, b"sample");
/// assert_eq!(mentions.len(), 2);
/// ```
#[must_use]
pub fn own_mentions(raw: &RawConfig, dialect: Dialect) -> Vec<OwnMention> {
    let mut search = Search {
        raw,
        dialect,
        block: None,
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

struct Search<'a> {
    raw: &'a RawConfig,
    dialect: Dialect,
    block: Option<Span>,
    found: Vec<OwnMention>,
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

    /// A block of ours.
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

    /// 2.4's `group @label name { … }`: whole blocks, or settings for the
    /// blocks that name the group.
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

    /// 2.4's settings outside of all blocks, by their full names.
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
            Key::Extension(_) | Key::Declare => self.push(name),
            Key::FilePath | Key::UnixPath | Key::UnixTimeout if old => self.push(name),
            _ if kind == Kind::Registry => self.push(name),
            Key::Transport => {
                let known = if old { 3 } else { TRANSPORTS.len() };
                let known = TRANSPORTS.get(..known).unwrap_or_default();
                self.value(value, known);
            }
            Key::Format => self.value(value, &FORMATS),
            _ => {}
        }
    }

    /// A value is ours unless Dovecot has it.
    fn value(&mut self, value: Option<&Text>, known: &[&[u8]]) {
        if let Some(value) = value
            && !known.contains(&value.bytes())
        {
            self.push(value);
        }
    }

    fn push(&mut self, text: &Text) {
        self.found.push(OwnMention {
            written: text.bytes().to_vec(),
            span: text.span(),
            block: self.block,
        });
    }
}
