//! Checking configurations, and converting them to the other series.

use fantail_config::{
    Comments, LoadOptions, Loaded, Settings, load, load_text, version_lines, write_blocks,
};
use fantail_event::Dialect;
use fantail_lint::{Catalogue, check, translate};

use crate::config_parse::{MAIN, files};

/// Any configuration can be checked and converted; a configuration without
/// errors is converted to one without errors.
///
/// The first byte selects the series; the rest are files, as for
/// [`config_parse`](fn@crate::config_parse).
pub fn config_convert(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else {
        return;
    };
    let dialect = |bit: u8| match choice & bit {
        0 => Dialect::V2_3,
        _ => Dialect::V2_4,
    };
    let (from, to) = (dialect(1), dialect(2));
    let loaded = load(MAIN, &files(text), &options(from));
    let catalogue = Catalogue::new();
    for finding in check(&loaded, &catalogue, &|_| true) {
        assert!(!finding.to_line(&loaded.sources).is_empty());
    }
    let translated = translate(&loaded.settings, to, &catalogue);
    let text = written(&translated.settings, &loaded);
    if !loaded.diagnostics.has_errors() {
        let again = load_text("converted", text.clone(), &options(to));
        let lines = again.diagnostics.to_lines(&again.sources);
        let text = String::from_utf8_lossy(&text);
        assert!(!again.diagnostics.has_errors(), "{lines}{text}");
        is_the_same(&translated.settings, &again.settings);
    }
}

fn options(dialect: Dialect) -> LoadOptions {
    LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    }
}

fn written(settings: &Settings, loaded: &Loaded) -> Vec<u8> {
    let mut text = Vec::new();
    if settings.dialect == Dialect::V2_4 {
        text.extend_from_slice(version_lines(None).as_bytes());
    }
    let comments = Comments::new(&loaded.sources, loaded.settings.dialect);
    write_blocks(settings, Some(&comments), &mut text);
    text
}

/// Checks that the written configuration means the same as the original.
fn is_the_same(before: &Settings, after: &Settings) {
    assert_eq!(before.metrics.len(), after.metrics.len());
    for (before, after) in before.metrics.iter().zip(&after.metrics) {
        assert_eq!(before.settings, after.settings);
        assert_eq!(before.filter.to_string(), after.filter.to_string());
        assert_eq!(before.include, after.include);
        assert_eq!(before.declare, after.declare);
    }
    let names = |settings: &Settings| -> Vec<Vec<u8>> {
        let exporters = settings.exporters.iter();
        exporters.map(|exporter| exporter.name.clone()).collect()
    };
    assert_eq!(names(before), names(after));
    assert_eq!(before.registry, after.registry);
}
