//! Configurations: the tree of a file is lossless, all positions exist, and
//! accepted settings are usable.
//!
//! The input's first byte is `3` or `4` to set the dialect; with any other the
//! file determines it. The rest is `dovecot.conf`; a line `==> NAME` in it
//! begins another file, which the others may include.

use fantail_config::{
    ConfigTree, Diagnostics, Limits, LoadOptions, Loaded, Memory, Settings, Sources, Span, Style,
    load, render,
};
use fantail_event::Dialect;
use fantail_metrics::Registry;

pub(crate) const MAIN: &[u8] = b"dovecot.conf";
const NEXT_FILE: &[u8] = b"==> ";

/// The text of a tree equals the input, spans cover the files, diagnostics can
/// be drawn, limits hold, and accepted metrics can be registered.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn config_parse(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let files = files(rest);
    let mut options = LoadOptions {
        dialect: match first {
            b'3' => Some(Dialect::V2_3),
            b'4' => Some(Dialect::V2_4),
            _ => None,
        },
        release: None,
        limits: Limits::default(),
    };
    settings_are_sound(&load(MAIN, &files, &options), &options);
    options.limits.total_size = 2_000;
    options.limits.value_size = 100;
    options.limits.block_depth = 2;
    options.limits.include_depth = 2;
    options.limits.files = 3;
    options.limits.errors = 3;
    settings_are_sound(&load(MAIN, &files, &options), &options);
}

pub(crate) fn files(text: &[u8]) -> Memory {
    let mut files = Memory::new();
    let mut name = MAIN;
    let mut file = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if let Some(next) = line.strip_prefix(NEXT_FILE) {
            files = files.with(name, std::mem::take(&mut file));
            name = next.trim_ascii();
        } else {
            file.extend_from_slice(line);
        }
    }
    files.with(name, file)
}

fn settings_are_sound(loaded: &Loaded, options: &LoadOptions) {
    let sources = &loaded.sources;
    assert!(sources.len() <= options.limits.files);
    for file in sources.ids() {
        let text = sources.text(file);
        let tree = ConfigTree::parse(file, text.into(), &options.limits);
        tree_is_the_text(&tree, text);
    }
    diagnostics_are_sound(loaded, options);
    for metric in &loaded.settings.metrics {
        exists(metric.spans.block, sources);
        exists(metric.spans.name, sources);
        let filter = metric.filter_text.bytes();
        exists(metric.filter_text.locate(0..filter.len()), sources);
    }
    if !loaded.diagnostics.has_errors() {
        accepted_is_of_use(&loaded.settings);
    }
}

/// Checks that all metrics can be registered, and that their exporters exist.
fn accepted_is_of_use(settings: &Settings) {
    let mut registry = Registry::new(settings.dialect);
    for metric in &settings.metrics {
        let added = registry.add(metric.settings.clone());
        assert!(added.is_ok(), "{added:?} of {:?}", metric.settings);
        assert!(!metric.filter.is_empty());
        for name in &metric.exporters {
            let mut exporters = settings.exporters.iter();
            assert!(exporters.any(|exporter| exporter.name == name.value));
        }
    }
}

fn tree_is_the_text(tree: &ConfigTree, text: &[u8]) {
    assert_eq!(tree.to_bytes(), text);
    let mut end = 0;
    for (index, item) in tree.items().iter().enumerate() {
        let (whole, content) = (item.span.range(), item.content.range());
        assert_eq!(whole.start, end, "items leave no gap");
        assert!(whole.start <= content.start && content.end <= whole.end);
        assert!(item.block.is_none_or(|block| block < index));
        end = whole.end;
    }
    assert_eq!(end, text.len());
    for error in tree.errors().iter().chain(tree.warnings()) {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
}

fn diagnostics_are_sound(loaded: &Loaded, options: &LoadOptions) {
    let (diagnostics, sources) = (&loaded.diagnostics, &loaded.sources);
    // One more error reports that there are too many.
    assert!(diagnostics.errors() <= options.limits.errors + 1);
    diagnostics_exist(diagnostics, sources);
    for style in [Style::Plain, Style::Coloured] {
        let drawn = render(diagnostics, sources, style);
        assert_eq!(drawn.is_empty(), diagnostics.is_empty());
        // A file must not control the terminal.
        assert!(style == Style::Coloured || !drawn.contains(['\x1b', '\0', '\x07']));
    }
}

/// Checks that each diagnostic has a message, and points to text of a file.
pub(crate) fn diagnostics_exist(diagnostics: &Diagnostics, sources: &Sources) {
    for diagnostic in diagnostics.iter() {
        assert!(!diagnostic.message.is_empty());
        if let Some(label) = &diagnostic.primary {
            exists(label.span, sources);
        }
        for span in diagnostic.notes.iter().filter_map(|note| note.span) {
            exists(span, sources);
        }
    }
}

pub(crate) fn exists(span: Span, sources: &Sources) {
    let text = sources.text(span.file);
    assert!(text.get(span.range()).is_some(), "{span:?}");
    let position = sources.position(span);
    assert!(position.line >= 1 && position.column >= 1);
}
