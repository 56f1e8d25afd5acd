//! Tests of a configuration: the events that its metrics must match, and the
//! output of its exporters.
//!
//! A test file is written in the syntax of Dovecot 2.3's configurations:
//!
//! ```text
//! config = dovecot.conf
//!
//! test "a SELECT is logged" {
//!   event imap_command_finished {
//!     cmd_name = SELECT
//!   }
//!   matches = imap/log/select
//! }
//! ```
//!
//! The module only reads a test file: it runs no test, does not open the
//! configuration, and does not know the types of fields.

mod read;

use fantail_event::{Dialect, Level};

use crate::{
    diagnostic::code::Code,
    diagnostic::source::{Sources, Span, Spanned},
    diagnostic::suggest,
    diagnostic::{Diagnostic, Diagnostics},
    load::loader::Loader,
    load::reader,
    settings::Settings,
    syntax::limits::Limits,
    syntax::text::Text,
};

/// The tests of a file, with its diagnostics.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// The configuration under test, with the name to open it.
    pub config: Option<Spanned<Vec<u8>>>,
    /// The dialect of the configuration; `None` if the configuration states it.
    pub dialect: Option<Dialect>,
    /// The host name in exported events. Default: `localhost`.
    pub hostname: Vec<u8>,
    /// The valid tests, in order; their names are unique.
    pub tests: Vec<TestCase>,
    /// The diagnostics.
    pub diagnostics: Diagnostics,
    /// The files of the tests.
    pub sources: Sources,
}

/// `test NAME { … }`
#[derive(Debug, Clone)]
pub struct TestCase {
    /// The name.
    pub name: Spanned<Vec<u8>>,
    /// The events, in order; at least one.
    pub events: Vec<TestEvent>,
    /// The metrics that each of the events must match.
    pub matches: Vec<Spanned<Vec<u8>>>,
    /// The metrics that none of the events may match.
    pub not_matches: Vec<Spanned<Vec<u8>>>,
    /// The output that must be exported for all events together.
    pub exports: Vec<ExpectedExport>,
}

/// An event of a test.
#[derive(Debug, Clone)]
pub enum TestEvent {
    /// `event = …`: the arguments of an event as Dovecot's processes send them,
    /// separated by TABs (`fantail_event::text`).
    Sent(Text),
    /// `event NAME { … }`
    Written(WrittenEvent),
    /// `event_number = N`, of the capture that the test names.
    Recorded {
        /// The capture, with the name to open it.
        capture: Spanned<Vec<u8>>,
        /// The number of the event, from 1.
        number: Spanned<u64>,
    },
}

/// `event NAME { … }`: an event as people write it.
#[derive(Debug, Clone)]
pub struct WrittenEvent {
    /// The name.
    pub name: Spanned<Vec<u8>>,
    /// The categories; `None` if none are set.
    pub categories: Option<Vec<Spanned<Vec<u8>>>>,
    /// The log level. Default: debug, at which Dovecot sends nearly all events.
    pub level: Level,
    /// The time from the creation to the sending, in microseconds. Default: 0.
    pub duration_micros: u64,
    /// The fields in order, each with its value as text.
    pub fields: Vec<(Spanned<Vec<u8>>, Text)>,
}

/// The output that one exporter must write for the events of a test.
#[derive(Debug, Clone)]
pub struct ExpectedExport {
    /// The exporter.
    pub exporter: Spanned<Vec<u8>>,
    /// The lines, in order; none if it must write nothing.
    pub lines: Vec<Spanned<Vec<u8>>>,
}

impl TestFile {
    /// Reads the test file `path`, and its includes, from `loader`.
    ///
    /// ```
    /// use fantail_config::{Memory, TestFile};
    ///
    /// let text = "config = a.conf\ntest x {\n  event login {\n  }\n  matches = logins\n}\n";
    /// let memory = Memory::new().with("tests/a.test", text);
    /// let file = TestFile::load(b"tests/a.test", &memory, &Default::default());
    /// assert!(file.diagnostics.is_empty());
    /// assert_eq!(file.config.unwrap().value, b"tests/a.conf");
    /// assert_eq!(file.tests[0].matches[0].value, b"logins");
    /// ```
    #[must_use]
    pub fn load(path: &[u8], loader: &dyn Loader, limits: &Limits) -> Self {
        let read = reader::read(path, loader, limits, Some(Dialect::V2_3), None);
        let mut file = read::tests(path, &read.raw, read.diagnostics);
        file.sources = read.sources;
        file.diagnostics.sort();
        file
    }

    /// Reports metrics and exporters that the tests name, and that the
    /// configuration does not have.
    pub fn check_names(&mut self, settings: &Settings) {
        let metrics: Vec<&[u8]> = settings
            .metrics
            .iter()
            .map(|metric| metric.settings.name.as_slice())
            .collect();
        let exporters: Vec<&[u8]> = settings
            .exporters
            .iter()
            .map(|exporter| exporter.name.as_slice())
            .collect();
        for test in &self.tests {
            for name in test.matches.iter().chain(&test.not_matches) {
                let unknown = unknown(Code::UnknownMetric, "metric", name, &metrics);
                unknown
                    .into_iter()
                    .for_each(|one| self.diagnostics.push(one));
            }
            for export in &test.exports {
                let name = &export.exporter;
                let unknown = unknown(Code::UnknownExporter, "exporter", name, &exporters);
                unknown
                    .into_iter()
                    .for_each(|one| self.diagnostics.push(one));
            }
        }
        self.diagnostics.sort();
    }

    /// Reports an invalid event with the reason `message`; `place` is within
    /// the test.
    pub fn refuse_event(&mut self, message: impl Into<String>, place: Span) {
        self.diagnostics
            .push(Diagnostic::new(Code::InvalidEvent, message, place));
        self.diagnostics.sort();
    }
}

fn unknown(code: Code, kind: &str, name: &Spanned<Vec<u8>>, known: &[&[u8]]) -> Option<Diagnostic> {
    if known.contains(&name.value.as_slice()) {
        return None;
    }
    let written = String::from_utf8_lossy(&name.value);
    let nearest = suggest::nearest(&name.value, known.iter().copied());
    let nearest = nearest.map(|near| String::from_utf8_lossy(near).into_owned());
    let message = format!("the configuration has no {kind} `{written}`");
    Some(Diagnostic::new(code, message, name.span).suggest(nearest.as_deref()))
}
