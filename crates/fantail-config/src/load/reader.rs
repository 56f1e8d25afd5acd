//! Reading the settings of all files, beginning with the main file.
//!
//! The reader follows includes (without recursion), expands variables and reads
//! values from files. It does not know which settings exist.

use std::{
    iter::{Enumerate, Peekable},
    sync::Arc,
    vec,
};

use fantail_event::Dialect;

use crate::{
    diagnostic::code::Code,
    diagnostic::source::{Sources, Span},
    diagnostic::{Diagnostic, Diagnostics},
    load::loader::{LoadErrorKind, Loader},
    load::syntax_errors,
    load::version,
    load::{braces, groups},
    settings::release::Release,
    syntax::limits::Limits,
    syntax::part,
    syntax::raw::{RawBlock, RawConfig, RawSetting},
    syntax::statement::{Statement, ValueForm},
    syntax::text::Text,
    syntax::tree::{ConfigTree, Item, ItemKind},
    syntax::variable::Variables,
};

/// The result of reading.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) dialect: Dialect,
    pub(crate) release: Option<Release>,
    pub(crate) sources: Sources,
    pub(crate) raw: RawConfig,
    pub(crate) diagnostics: Diagnostics,
}

/// Reads the file `path` and its includes.
pub(crate) fn read(
    path: &[u8],
    loader: &dyn Loader,
    limits: &Limits,
    forced: Option<Dialect>,
    mut release: Option<Release>,
) -> Read {
    let mut reader = Reader {
        loader,
        limits,
        dialect: forced.unwrap_or(Dialect::V2_3),
        sources: Sources::default(),
        raw: RawConfig::default(),
        diagnostics: Diagnostics::new(limits.errors),
        variables: Variables::default(),
        frames: Vec::new(),
        open: Vec::new(),
        size: 0,
        stopped: false,
    };
    match loader.read(path, limits.total_size) {
        Ok(text) => {
            if let Some(tree) = reader.parse(path, text, None) {
                let (dialect, stated) = version::detect(&tree, forced, &mut reader.diagnostics);
                reader.dialect = dialect;
                release = release.or(stated);
                reader.enter(path.to_vec(), tree);
            }
            reader.run();
            if groups::are_used(&reader.raw, reader.dialect) {
                let own = reader.raw.top.len();
                let name = groups::NAME;
                if let Some(tree) = reader.parse(name, groups::text(release), None) {
                    reader.enter(name.to_vec(), tree);
                }
                reader.run();
                // They count as defined before those of the configuration.
                reader.raw.top.rotate_left(own);
            }
        }
        Err(error) => reader.diagnostics.push(Diagnostic {
            code: error.kind().code(),
            message: format!("cannot read {}: {error}", String::from_utf8_lossy(path)),
            primary: None,
            notes: Vec::new(),
        }),
    }
    Read {
        dialect: reader.dialect,
        release,
        sources: reader.sources,
        raw: reader.raw,
        diagnostics: reader.diagnostics,
    }
}

struct Reader<'a> {
    loader: &'a dyn Loader,
    limits: &'a Limits,
    dialect: Dialect,
    sources: Sources,
    raw: RawConfig,
    diagnostics: Diagnostics,
    variables: Variables,
    frames: Vec<Frame>,
    /// The open blocks of all files on the stack.
    open: Vec<usize>,
    /// The number of bytes read and expanded.
    size: usize,
    stopped: bool,
}

/// A file on the stack of includes.
struct Frame {
    path: Vec<u8>,
    /// The items that follow, with their numbers.
    items: Enumerate<vec::IntoIter<Item>>,
    /// The items before which a block without a `}` of its own ends.
    implied_ends: Peekable<vec::IntoIter<usize>>,
    /// The files to include before the next item, the first one last.
    pending: Vec<(Vec<u8>, bool, Span)>,
    /// The number of open blocks at the start of the file.
    open: usize,
}

impl Reader<'_> {
    fn run(&mut self) {
        while !self.stopped && !self.diagnostics.is_full() {
            let Some(frame) = self.frames.last_mut() else {
                return;
            };
            if let Some((path, optional, span)) = frame.pending.pop() {
                self.include_file(path, optional, span);
                continue;
            }
            let Some((number, item)) = frame.items.next() else {
                self.open.truncate(frame.open);
                self.frames.pop();
                continue;
            };
            let mut ends = 0;
            while frame.implied_ends.next_if_eq(&number).is_some() {
                ends += 1;
            }
            for _ in 0..ends {
                self.end_block();
            }
            match item.kind {
                ItemKind::Statement(statement) => self.statement(*statement, item.content),
                ItemKind::UnreadBlock => {
                    let block = RawBlock::unread(item.content);
                    self.open.push(self.raw.hide_block(block));
                }
                _ => {}
            }
        }
    }

    fn statement(&mut self, statement: Statement, span: Span) {
        match statement {
            Statement::Setting { key, value, form } => self.setting(key, value, form),
            Statement::Block {
                name,
                label,
                argument,
            } => {
                if self.open.len() >= self.limits.block_depth {
                    self.plain(Code::TooDeep, span);
                    self.stopped = true;
                    return;
                }
                let mut block = RawBlock::new(name, argument, span);
                block.label = label;
                let index = self.raw.add_block(block, self.open.last().copied());
                self.open.push(index);
            }
            Statement::BlockEnd => self.end_block(),
            Statement::Include { pattern, optional } => self.include(&pattern, optional, span),
        }
    }

    fn end_block(&mut self) {
        // An included file cannot close a block of the including one.
        let frame = self.frames.last();
        if frame.is_some_and(|frame| self.open.len() > frame.open) {
            self.open.pop();
        }
    }

    fn setting(&mut self, key: Text, value: Text, form: ValueForm) {
        let mut setting = RawSetting {
            key,
            written: value.span(),
            value,
            form,
            unexpanded: None,
            file: None,
            unreadable: None,
        };
        match form {
            ValueForm::Plain => self.expand(&mut setting),
            ValueForm::File if self.is_ours(&setting.key) => self.value_from_file(&mut setting),
            ValueForm::File | ValueForm::Quoted => {}
        }
        if self.open.is_empty() {
            self.variables.set(setting.key.bytes(), &setting.value);
        }
        self.raw.add_setting(setting, self.open.last().copied());
    }

    fn expand(&mut self, setting: &mut RawSetting) {
        if !setting.value.bytes().contains(&b'$') {
            return;
        }
        let loader = self.loader;
        let environment = |name: &[u8]| loader.environment(name);
        let limit = self
            .limits
            .value_size
            .min(self.limits.total_size.saturating_sub(self.size));
        let expanded = self
            .variables
            .expand(&setting.value, self.dialect, &environment, limit);
        if expanded.too_long {
            let text = "the value is too long after its variables are expanded";
            self.diagnostics
                .push(Diagnostic::new(Code::TooLarge, text, setting.written));
            return;
        }
        self.size = self.size.saturating_add(expanded.text.bytes().len());
        setting.value = expanded.text;
        setting.unexpanded = expanded.unknown;
    }

    /// Returns whether the values of the open blocks are used: files in other
    /// blocks are not opened.
    fn is_ours(&self, key: &Text) -> bool {
        match self
            .open
            .first()
            .and_then(|block| self.raw.blocks.get(*block))
        {
            Some(block) => {
                matches!(block.name.bytes(), b"metric" | b"event_exporter" | b"group")
            }
            None => [&b"metric"[..], b"event_exporter"]
                .iter()
                .any(|prefix| key.bytes().starts_with(prefix)),
        }
    }

    fn value_from_file(&mut self, setting: &mut RawSetting) {
        let path = self.absolute(setting.value.bytes());
        let limit = self.limits.value_size.min(self.remaining());
        match self.loader.read(&path, limit) {
            Ok(text) => {
                self.size = self.size.saturating_add(text.len());
                let text: Arc<[u8]> = text.into();
                setting.file = Some(path.clone());
                let Some(file) = self
                    .sources
                    .add(path, Arc::clone(&text), Some(setting.written))
                else {
                    return;
                };
                let mut value = Text::empty(setting.written);
                for (offset, byte) in (0..).zip(text.iter()) {
                    value.push(*byte, file, offset);
                }
                setting.value = value;
            }
            Err(error) => setting.unreadable = Some(error.to_string()),
        }
    }

    fn include(&mut self, pattern: &Text, optional: bool, span: Span) {
        if pattern.is_empty() {
            self.plain(Code::MissingInclude, span);
            return;
        }
        let path = self.absolute(pattern.bytes());
        let paths = match braces::included(self.loader, &path) {
            Ok(paths) => paths,
            Err(error) => {
                let message = format!("cannot look for files to include: {error}");
                self.diagnostics.push(Diagnostic::new(
                    Code::FileUnreadable,
                    message,
                    pattern.span(),
                ));
                return;
            }
        };
        if paths.is_empty() && !optional {
            let message = format!("no file matches {}", String::from_utf8_lossy(&path));
            let help = "`!include_try` accepts that there is none";
            self.diagnostics
                .push(Diagnostic::new(Code::FileNotFound, message, pattern.span()).help(help));
        }
        if !paths.is_empty() && self.frames.len() > self.limits.include_depth {
            self.plain(Code::IncludeTooDeep, pattern.span());
            return;
        }
        if let Some(frame) = self.frames.last_mut() {
            let pending = paths.into_iter().rev();
            frame.pending = pending
                .map(|path| (path, optional, pattern.span()))
                .collect();
        }
    }

    fn include_file(&mut self, path: Vec<u8>, optional: bool, span: Span) {
        // Files of the same pattern that are not read yet count as open.
        let is_open = |frame: &Frame| {
            let mut pending = frame.pending.iter();
            frame.path == path || pending.any(|one| one.0 == path)
        };
        if self.frames.iter().any(is_open) {
            let message = format!("{} includes itself", String::from_utf8_lossy(&path));
            self.diagnostics
                .push(Diagnostic::new(Code::IncludeLoop, message, span));
            return;
        }
        if self.sources.len() >= self.limits.files {
            self.plain(Code::TooManyFiles, span);
            self.stopped = true;
            return;
        }
        match self.loader.read(&path, self.remaining()) {
            Ok(text) => {
                if let Some(tree) = self.parse(&path, text, Some(span)) {
                    self.enter(path, tree);
                }
            }
            Err(error) if optional && error.kind() != LoadErrorKind::TooLarge => {}
            Err(error) => {
                let message = format!("cannot read {}: {error}", String::from_utf8_lossy(&path));
                self.diagnostics
                    .push(Diagnostic::new(error.kind().code(), message, span));
            }
        }
    }

    /// Parses a file, and reports the errors of its syntax.
    fn parse(&mut self, path: &[u8], text: Vec<u8>, included: Option<Span>) -> Option<ConfigTree> {
        self.size = self.size.saturating_add(text.len());
        let text: Arc<[u8]> = text.into();
        let file = self
            .sources
            .add(path.to_vec(), Arc::clone(&text), included)?;
        let tree = ConfigTree::parse(file, text, self.limits);
        let mut unclosed = Vec::new();
        for error in tree.errors().iter().chain(tree.warnings()) {
            match error.code {
                Code::UnclosedBlock => unclosed.push(error.span),
                _ => self.diagnostics.push(syntax_errors::report(error)),
            }
        }
        if let Some(diagnostic) = syntax_errors::unclosed(&unclosed, &self.sources) {
            self.diagnostics.push(diagnostic);
        }
        Some(tree)
    }

    /// Adds a file to the stack.
    fn enter(&mut self, path: Vec<u8>, tree: ConfigTree) {
        let (items, implied_ends) = tree.into_items();
        self.frames.push(Frame {
            path,
            items: items.into_iter().enumerate(),
            implied_ends: implied_ends.into_iter().peekable(),
            pending: Vec::new(),
            open: self.open.len(),
        });
    }

    fn plain(&mut self, code: Code, span: Span) {
        self.diagnostics
            .push(Diagnostic::new(code, code.title(), span));
    }

    fn remaining(&self) -> usize {
        self.limits.total_size.saturating_sub(self.size)
    }

    /// Converts a name to an absolute one, relative to the current file.
    fn absolute(&self, name: &[u8]) -> Vec<u8> {
        let including = self.frames.last().map_or(&[][..], |frame| &frame.path);
        match including.iter().rposition(|byte| *byte == b'/') {
            Some(slash) if !name.starts_with(b"/") => {
                let directory = part(including, 0..slash + 1);
                [directory, name].concat()
            }
            _ => name.to_vec(),
        }
    }
}
