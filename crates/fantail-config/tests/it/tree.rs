//! The tree gives any bytes back, and nothing panics.

use std::sync::Arc;

use fantail_config::{
    ConfigTree, FileId, FileSystem, Item, ItemKind, Limits, LoadOptions, Statement, Style,
    load_text, render,
};
use fantail_event::Dialect;
use proptest::prelude::*;

fn parse(text: &[u8]) -> ConfigTree {
    ConfigTree::parse(FileId::MAIN, Arc::from(text), &Limits::default())
}

/// Bytes that mean something in a configuration, and some that do not.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "metric a {\n",
        "event_exporter e {\n",
        "}\n",
        "filter = event=x\n",
        "filter",
        "=",
        " ",
        "\t",
        "\\\n",
        "\\",
        "\"",
        "'",
        "#",
        "\n",
        "\r\n",
        "!include x\n",
        "!include_try *\n",
        "<",
        "$filter",
        "$SET:base_dir",
        "group_by",
        "group_by a {\n",
        "method linear {\n",
        "min = 1\n",
        "fields",
        "@metric_defaults = proxy\n",
        "group @a b {\n",
        "@a = b\n",
        "/",
        "{",
        "a",
        "format = json\n",
        "transport = log\n",
        "%{value | upper}",
        "5 s",
        "\u{e4}",
        "dovecot_config_version = 2.4.1\n",
        "event_exporter_format = none\n",
        "(",
        ")",
    ]);
    let words = prop::collection::vec(pieces, 0..60).prop_map(|words| words.concat().into_bytes());
    prop_oneof![words, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn gives_back_its_text(text in texts()) {
        let tree = parse(&text);
        prop_assert_eq!(tree.to_bytes(), text.clone());
        let mut behind = 0;
        for item in tree.items() {
            prop_assert_eq!(item.span.range().start, behind);
            prop_assert!(item.span.range().end > behind);
            behind = item.span.range().end;
            prop_assert!(inside(item));
        }
        prop_assert_eq!(behind, text.len());
    }

    #[test]
    fn never_panics(text in texts(), is_2_4: bool) {
        let dialect = if is_2_4 { Dialect::V2_4 } else { Dialect::V2_3 };
        let options = LoadOptions { dialect: Some(dialect), ..LoadOptions::default() };
        let loaded = load_text("x", text.clone(), &options);
        let drawn = render(&loaded.diagnostics, &loaded.sources, Style::Plain);
        prop_assert_eq!(drawn.is_empty(), loaded.diagnostics.is_empty());
        for one in &loaded.diagnostics {
            let span = one.primary.as_ref().map(|label| label.span);
            let size = span.map(|span| loaded.sources.text(span.file).len());
            prop_assert!(span.is_none_or(|span| span.range().end <= size.unwrap_or(0)));
        }
    }
}

/// Whether all places of an item lie in it.
fn inside(item: &Item) -> bool {
    let within =
        |span: fantail_config::Span| item.span.start <= span.start && span.end <= item.span.end;
    let parts = match &item.kind {
        ItemKind::Statement(statement) => match statement.as_ref() {
            Statement::Setting { key, value, .. } => vec![key.span(), value.span()],
            Statement::Block { name, argument, .. } => {
                let argument = argument.as_ref().map(fantail_config::Text::span);
                [Some(name.span()), argument]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Statement::Include { pattern, .. } => vec![pattern.span()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    within(item.content) && parts.into_iter().all(within)
}

#[test]
fn of_all_files() {
    for folder in ["2.3/good", "2.3/bad", "2.4/good", "2.4/bad", "golden"] {
        for path in crate::configurations(folder) {
            let path = path.to_str().unwrap().as_bytes();
            let text = fantail_config::Loader::read(&FileSystem, path, usize::MAX >> 1).unwrap();
            assert_eq!(parse(&text).to_bytes(), text);
        }
    }
}

/// Items in blocks name the item that opens the block.
#[test]
fn blocks() {
    let tree = parse(b"a = 1\nb {\n  c d { # x\n    e = 2\n  }\n\n}\nf = 3\n");
    let blocks: Vec<_> = tree.items().iter().map(|item| item.block).collect();
    let expected = [
        None,
        None,
        Some(1),
        Some(2),
        Some(2),
        Some(1),
        Some(1),
        None,
    ];
    assert_eq!(blocks, expected);
}
