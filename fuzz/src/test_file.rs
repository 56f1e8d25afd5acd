//! Test files of configurations.
//!
//! The input is files, as for [`config_parse`](fn@crate::config_parse) but
//! without a first byte for the dialect: the first file is the test file, and
//! `dovecot.conf` may be another one.

use std::{collections::HashSet, sync::LazyLock};

use fantail_config::{
    Limits, LoadOptions, Loader as _, Sources, Style, TestCase, TestEvent, TestFile, load, render,
};
use fantail_event::{CategoryTree, Dialect, Timestamp};
use fantail_lint::Catalogue;

use crate::config_parse::{MAIN, diagnostics_exist, exists, files};

/// The catalogue; parsing it takes longer than all else.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::new);

const TESTS: &[u8] = b"tests/a.test";

/// All errors point into the files; a file without errors has tests with
/// expectations; and its events can be made, or the error points to a part of
/// them.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn test_file(data: &[u8]) {
    let all = files(data);
    let text = all.read(MAIN, data.len()).unwrap_or_default();
    let all = all.with(TESTS, text);
    let mut read = TestFile::load(TESTS, &all, &Limits::default());
    is_drawn(&read);
    if read.diagnostics.has_errors() {
        return;
    }
    assert!(read.config.is_some());
    assert!(!read.tests.is_empty());
    let mut names = HashSet::new();
    for test in &read.tests {
        assert!(names.insert(&test.name.value), "two tests of one name");
        shows_something(test, &read.sources);
    }
    // The test file as a configuration: it has no metrics, so each name is
    // unknown.
    let loaded = load(TESTS, &all, &LoadOptions::default());
    read.check_names(&loaded.settings);
    is_drawn(&read);
    if !read.diagnostics.has_errors() {
        let mut tests = read.tests.iter();
        assert!(tests.all(|test| test.matches.is_empty() && test.not_matches.is_empty()));
    }
}

fn shows_something(test: &TestCase, sources: &Sources) {
    assert!(!test.events.is_empty());
    let expects = test.matches.len() + test.not_matches.len() + test.exports.len();
    assert!(expects > 0);
    for event in &test.events {
        match event {
            TestEvent::Sent(text) => exists(text.locate(0..text.bytes().len()), sources),
            TestEvent::Recorded { capture, number } => {
                assert!(number.value > 0);
                exists(capture.span, sources);
                exists(number.span, sources);
            }
            TestEvent::Written(written) => {
                for dialect in [Dialect::V2_3, Dialect::V2_4] {
                    let mut tree = CategoryTree::default();
                    let created = Timestamp::from_unix_micros(1_000_000);
                    match CATALOGUE.make(written, created, dialect, &mut tree) {
                        Ok(event) => {
                            assert_eq!(event.as_event_ref().name(), Some(&*written.name.value))
                        }
                        Err(error) => exists(error.span(), sources),
                    }
                }
            }
        }
    }
}

fn is_drawn(read: &TestFile) {
    let (diagnostics, sources) = (&read.diagnostics, &read.sources);
    diagnostics_exist(diagnostics, sources);
    let drawn = render(diagnostics, sources, Style::Plain);
    assert_eq!(drawn.is_empty(), diagnostics.is_empty());
    assert!(!drawn.contains(['\x1b', '\0', '\x07']));
}
