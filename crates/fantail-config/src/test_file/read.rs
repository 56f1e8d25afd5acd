//! Reading tests from raw settings.

use std::collections::HashMap;

use fantail_event::{Dialect, Level, text::integer};

use super::{ExpectedExport, TestCase, TestEvent, TestFile, WrittenEvent};
use crate::{
    diagnostic::code::Code,
    diagnostic::source::{Sources, Span, Spanned},
    diagnostic::suggest,
    diagnostic::{Diagnostic, Diagnostics},
    schema::list,
    syntax::raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    syntax::statement::ValueForm,
    syntax::text::Text,
};

/// Returns the tests of a file that was opened as `path`.
pub(super) fn tests(path: &[u8], raw: &RawConfig, diagnostics: Diagnostics) -> TestFile {
    let mut reader = Reader {
        path,
        raw,
        diagnostics,
    };
    let mut file = TestFile {
        config: None,
        dialect: None,
        hostname: b"localhost".to_vec(),
        tests: Vec::new(),
        diagnostics: Diagnostics::default(),
        sources: Sources::default(),
    };
    let mut names = HashMap::new();
    for entry in raw.top() {
        match entry {
            RawEntry::Setting(setting) => reader.top(setting, &mut file),
            RawEntry::Block(block) if block.name.bytes() == b"test" => {
                let test = reader.test(block);
                reader.is_new(&test.name, &mut names);
                reader.is_complete(&test, block);
                file.tests.push(test);
            }
            RawEntry::Block(block) => {
                reader.unknown(Code::UnknownBlock, "block", &block.name, &["test"]);
            }
        }
    }
    reader.is_whole(&file);
    file.diagnostics = reader.diagnostics;
    file
}

struct Reader<'a> {
    path: &'a [u8],
    raw: &'a RawConfig,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn top(&mut self, setting: &RawSetting, file: &mut TestFile) {
        let Some(value) = self.value(setting) else {
            return;
        };
        match setting.key.bytes() {
            b"config" => file.config = Some(self.beside(&value)),
            b"hostname" => file.hostname = value.bytes().to_vec(),
            b"dialect" => {
                let known = [Dialect::V2_3, Dialect::V2_4];
                let found = known
                    .into_iter()
                    .find(|one| one.to_string().as_bytes() == value.bytes());
                if found.is_none() {
                    let message = "the dialect is neither `2.3` nor `2.4`";
                    self.push(Diagnostic::new(Code::UnknownVersion, message, value.span()));
                }
                file.dialect = found;
            }
            _ => {
                let known = ["config", "dialect", "hostname"];
                self.unknown(Code::UnknownSetting, "setting", &setting.key, &known);
            }
        }
    }

    fn test(&mut self, block: &'a RawBlock) -> TestCase {
        let mut test = TestCase {
            name: self.argument(block),
            events: Vec::new(),
            matches: Vec::new(),
            not_matches: Vec::new(),
            exports: Vec::new(),
        };
        let mut capture = None;
        for entry in self.raw.within(block) {
            match entry {
                RawEntry::Setting(setting) => self.setting(setting, &mut capture, &mut test),
                RawEntry::Block(inner) => match inner.name.bytes() {
                    b"event" => {
                        let event = self.event(inner);
                        test.events.push(TestEvent::Written(event));
                    }
                    b"exports" => self.exports(inner, &mut test),
                    _ => {
                        let known = ["event", "exports"];
                        self.unknown(Code::UnknownBlock, "block", &inner.name, &known);
                    }
                },
            }
        }
        test
    }

    fn setting(
        &mut self,
        setting: &RawSetting,
        capture: &mut Option<Spanned<Vec<u8>>>,
        test: &mut TestCase,
    ) {
        let Some(value) = self.value(setting) else {
            return;
        };
        match setting.key.bytes() {
            b"event" => test.events.push(TestEvent::Sent(value)),
            b"capture" => *capture = Some(self.beside(&value)),
            b"event_number" => self.recorded(&value, capture.as_ref(), test),
            b"matches" => test.matches.extend(words(&value)),
            b"not_matches" => test.not_matches.extend(words(&value)),
            _ => {
                let known = ["event", "capture", "event_number", "matches", "not_matches"];
                self.unknown(Code::UnknownSetting, "setting", &setting.key, &known);
            }
        }
    }

    fn recorded(&mut self, value: &Text, capture: Option<&Spanned<Vec<u8>>>, test: &mut TestCase) {
        let Some(capture) = capture else {
            let message = "the capture of this event is not given";
            self.push(
                Diagnostic::new(Code::IncompleteTest, message, value.span())
                    .help("write `capture = FILE` above it"),
            );
            return;
        };
        for word in words(value) {
            let number = integer(&word.value).and_then(|number| u64::try_from(number).ok());
            match number.filter(|number| *number > 0) {
                Some(number) => test.events.push(TestEvent::Recorded {
                    capture: capture.clone(),
                    number: Spanned {
                        value: number,
                        span: word.span,
                    },
                }),
                None => self.no_number(&word, "number of an event: the first is 1"),
            }
        }
    }

    fn event(&mut self, block: &'a RawBlock) -> WrittenEvent {
        let mut event = WrittenEvent {
            name: self.argument(block),
            categories: None,
            level: Level::default(),
            duration_micros: 0,
            fields: Vec::new(),
        };
        for setting in self.settings(block) {
            let Some(value) = self.value(setting) else {
                continue;
            };
            match setting.key.bytes() {
                b"category" => event
                    .categories
                    .get_or_insert_default()
                    .extend(words(&value)),
                b"log_type" => match level(value.bytes()) {
                    Some(level) => event.level = level,
                    None => {
                        let message = "there is no such log type";
                        let names = Level::ALL.map(Level::name).join(", ");
                        self.push(
                            Diagnostic::new(Code::InvalidEvent, message, value.span())
                                .note(format!("there are {names}")),
                        );
                    }
                },
                b"duration" => {
                    let number = integer(value.bytes());
                    match number.and_then(|number| u64::try_from(number).ok()) {
                        Some(number) => event.duration_micros = number,
                        None => self.no_number(&spanned(&value), "number of microseconds"),
                    }
                }
                _ => event.fields.push((spanned(&setting.key), value)),
            }
        }
        event
    }

    fn exports(&mut self, block: &'a RawBlock, test: &mut TestCase) {
        for setting in self.settings(block) {
            let Some(value) = self.value(setting) else {
                continue;
            };
            let name = spanned(&setting.key);
            let known = test
                .exports
                .iter_mut()
                .position(|one| one.exporter.value == name.value);
            let place = known.unwrap_or_else(|| {
                test.exports.push(ExpectedExport {
                    exporter: name,
                    lines: Vec::new(),
                });
                test.exports.len() - 1
            });
            if let Some(export) = test.exports.get_mut(place).filter(|_| !value.is_empty()) {
                export.lines.push(spanned(&value));
            }
        }
    }

    /// Returns the settings of a block that may not contain blocks.
    fn settings(&mut self, block: &'a RawBlock) -> Vec<&'a RawSetting> {
        let mut settings = Vec::new();
        for entry in self.raw.within(block) {
            match entry {
                RawEntry::Setting(setting) => settings.push(setting),
                RawEntry::Block(inner) => {
                    self.unknown(Code::UnknownBlock, "block", &inner.name, &[]);
                }
            }
        }
        settings
    }

    /// Returns the value of a setting; reports a value from a file and returns
    /// `None`.
    fn value(&mut self, setting: &RawSetting) -> Option<Text> {
        if setting.form == ValueForm::File {
            let message = "values are not read from files here";
            self.push(
                Diagnostic::new(Code::InvalidEvent, message, setting.written)
                    .help("a value that begins with `<` has to stand in quotes"),
            );
            return None;
        }
        if let Some(name) = &setting.unexpanded {
            let written = String::from_utf8_lossy(name.bytes());
            let message = format!("variable `{written}` has no value");
            let place = name.span();
            self.push(
                Diagnostic::new(Code::UnknownVariable, message, place)
                    .help("a value with a `$` has to stand in quotes"),
            );
            return None;
        }
        Some(setting.value.clone())
    }

    /// Returns the name of a block.
    fn argument(&mut self, block: &RawBlock) -> Spanned<Vec<u8>> {
        match block.argument.as_ref().filter(|name| !name.is_empty()) {
            Some(name) => spanned(name),
            None => {
                let kind = String::from_utf8_lossy(block.name.bytes());
                let message = format!("the name of this `{kind}` is empty");
                let help = format!("write `{kind} NAME {{`");
                self.push(Diagnostic::new(Code::EmptyName, message, block.span).help(help));
                Spanned {
                    value: Vec::new(),
                    span: block.span,
                }
            }
        }
    }

    /// Returns a file's name, relative to that of the test file.
    fn beside(&self, name: &Text) -> Spanned<Vec<u8>> {
        let mut path = spanned(name);
        if let Some(slash) = self.path.iter().rposition(|byte| *byte == b'/')
            && !name.bytes().starts_with(b"/")
        {
            let folder = self.path.get(..=slash).unwrap_or_default();
            path.value = [folder, name.bytes()].concat();
        }
        path
    }

    fn is_new(&mut self, name: &Spanned<Vec<u8>>, names: &mut HashMap<Vec<u8>, Span>) {
        if let Some(first) = names.insert(name.value.clone(), name.span) {
            let written = String::from_utf8_lossy(&name.value);
            let message = format!("two tests are called `{written}`");
            self.push(
                Diagnostic::new(Code::NameTaken, message, name.span)
                    .note_at("the first one is here", first),
            );
        }
    }

    /// Reports a test without expectations: it must not pass.
    fn is_complete(&mut self, test: &TestCase, block: &RawBlock) {
        let (message, help) = if test.events.is_empty() {
            let help = "write `event NAME { … }`, or `capture = FILE` and `event_number = N`";
            ("this test has no event", help)
        } else if test.matches.is_empty() && test.not_matches.is_empty() && test.exports.is_empty()
        {
            let help = "write `matches = METRIC`, `not_matches = METRIC` or `exports { … }`";
            ("this test expects nothing", help)
        } else {
            return;
        };
        // A missing part may be an invalid one that is reported already.
        if !self.diagnostics.has_errors() {
            self.push(Diagnostic::new(Code::IncompleteTest, message, block.span).help(help));
        }
    }

    fn is_whole(&mut self, file: &TestFile) {
        if self.diagnostics.has_errors() {
            return;
        }
        let Some(test) = file.tests.first() else {
            self.push(Diagnostic {
                code: Code::IncompleteTest,
                message: "there is no test in this file".to_owned(),
                primary: None,
                notes: Vec::new(),
            });
            return;
        };
        if file.config.is_none() {
            let message = "nothing says which configuration is tested";
            self.push(
                Diagnostic::new(Code::IncompleteTest, message, test.name.span)
                    .help("write `config = dovecot.conf` above the tests"),
            );
        }
    }

    fn no_number(&mut self, word: &Spanned<Vec<u8>>, what: &str) {
        let written = String::from_utf8_lossy(&word.value);
        let message = format!("`{written}` is no {what}");
        self.push(Diagnostic::new(Code::InvalidNumber, message, word.span));
    }

    fn unknown(&mut self, code: Code, what: &str, name: &Text, known: &[&str]) {
        let written = String::from_utf8_lossy(name.bytes());
        let message = format!("unknown {what} `{written}` in a test file");
        let nearest = suggest::nearest(name.bytes(), known.iter().map(|one| one.as_bytes()));
        let nearest = nearest.and_then(|name| std::str::from_utf8(name).ok());
        self.push(Diagnostic::new(code, message, name.span()).suggest(nearest));
    }
}

fn level(name: &[u8]) -> Option<Level> {
    Level::ALL
        .into_iter()
        .find(|level| level.name().as_bytes() == name)
}

/// Splits a text at blanks and commas.
fn words(text: &Text) -> Vec<Spanned<Vec<u8>>> {
    list::words(text, Dialect::V2_4)
}

fn spanned(text: &Text) -> Spanned<Vec<u8>> {
    Spanned {
        value: text.bytes().to_vec(),
        span: text.span(),
    }
}
