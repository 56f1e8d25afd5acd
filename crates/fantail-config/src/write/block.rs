//! Writing blocks: indentation, quotes and comments.

use std::time::Duration;

use bstr::ByteSlice;
use fantail_event::Dialect;
use fantail_metrics::{GroupBy, Method, Modifier, Top};

use crate::{
    diagnostic::source::Sources,
    resolve::modifier,
    schema::{Key, Kind},
    syntax::text::Text,
    write::comments::BlockComments,
};

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// A text with open blocks.
pub(super) struct Block<'a> {
    text: &'a mut Vec<u8>,
    depth: usize,
    dialect: Dialect,
    /// The remaining comments of the outermost block.
    comments: BlockComments,
    /// The kind and name of the outermost block.
    head: Option<(Kind, Vec<u8>)>,
}

impl<'a> Block<'a> {
    pub(super) fn new(text: &'a mut Vec<u8>, dialect: Dialect, comments: BlockComments) -> Self {
        Self {
            text,
            depth: 0,
            dialect,
            comments,
            head: None,
        }
    }

    /// Returns the purpose of a setting of the outermost block.
    fn key(&self, key: &str) -> Option<Key> {
        let (kind, name) = self.head.as_ref().filter(|_| self.depth == 1)?;
        let row = kind.find(self.dialect, name, key.as_bytes())?;
        Some(row.key)
    }

    /// Writes comments in lines of their own.
    fn comment(&mut self, comments: Vec<Vec<u8>>) {
        for comment in comments {
            self.indent();
            self.text.extend_from_slice(&comment);
            self.text.push(b'\n');
        }
    }

    /// Ends a line, with the comments after it.
    fn end_line(&mut self, comments: Vec<Vec<u8>>) {
        let mut comments = comments.into_iter();
        if let Some(first) = comments.next() {
            self.text.push(b' ');
            self.text.extend_from_slice(&first);
        }
        self.text.push(b'\n');
        self.comment(comments.collect());
    }

    fn indent(&mut self) {
        self.text
            .extend_from_slice("  ".repeat(self.depth).as_bytes());
    }

    pub(super) fn open(&mut self, kind: &[u8], name: &[u8]) {
        let mut behind = Vec::new();
        if self.depth == 0 {
            if !self.text.is_empty() {
                self.text.push(b'\n');
            }
            self.head = Kind::named(kind).map(|kind| (kind, name.to_vec()));
            let above = std::mem::take(&mut self.comments.above);
            self.comment(above);
            behind = std::mem::take(&mut self.comments.opening);
        }
        self.indent();
        self.text.extend_from_slice(kind);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:@+".contains(byte);
        if !name.is_empty() {
            self.text.push(b' ');
            if name.iter().all(plain) {
                self.text.extend_from_slice(name);
            } else {
                quote(name, self.text);
            }
        }
        self.text.extend_from_slice(b" {");
        self.depth += 1;
        self.end_line(behind);
    }

    pub(super) fn close(&mut self) {
        if self.depth == 1 {
            let rest = self.comments.take_rest();
            self.comment(rest);
        }
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.text.extend_from_slice(b"}\n");
    }

    pub(super) fn set(&mut self, key: &str, value: &[u8]) {
        self.set_with(key, |text| {
            if is_plain(value) {
                text.extend_from_slice(value);
            } else {
                quote(value, text);
            }
        });
    }

    /// A value in the lines that it has in the files.
    pub(super) fn set_lines(&mut self, key: &str, value: &Text, sources: &Sources) {
        // Dovecot looks for quotes in each line on its own.
        if !is_plain(value.bytes()) {
            return self.set(key, value.bytes());
        }
        self.set_with(key, |text| {
            for (number, (blanks, line)) in value.lines(sources).into_iter().enumerate() {
                if number > 0 {
                    text.extend_from_slice(b" \\\n");
                    text.extend_from_slice(blanks);
                }
                text.extend_from_slice(value.bytes().get(line).unwrap_or_default());
            }
        });
    }

    fn set_with(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let (above, behind) = self.comments_at(key);
        self.comment(above);
        self.indent();
        self.text.extend_from_slice(key.as_bytes());
        self.text.extend_from_slice(b" = ");
        write(self.text);
        self.end_line(behind);
    }

    /// Writes a value that is read from a file.
    pub(super) fn file_value(&mut self, key: &str, path: &[u8]) {
        let (above, behind) = self.comments_at(key);
        self.comment(above);
        self.indent();
        for part in [key.as_bytes(), b" = <", path] {
            self.text.extend_from_slice(part);
        }
        self.end_line(behind);
    }

    /// Returns the comments in the lines before a setting, and after it in its
    /// line.
    fn comments_at(&mut self, key: &str) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let known = self.key(key).map(|key| self.comments.take(key));
        known.unwrap_or_default()
    }

    pub(super) fn timeout(&mut self, key: &str, timeout: Option<Duration>) {
        match timeout {
            Some(TIMEOUT) => {}
            Some(timeout) => self.set(key, format!("{} ms", timeout.as_millis()).as_bytes()),
            // In Dovecot's clients, 0 is unlimited.
            None => self.set(key, b"0"),
        }
    }

    fn modifier(&mut self, modifiers: &[Modifier]) {
        let names = modifiers.iter().map(|one| modifier::name(*one));
        let names: Vec<&str> = std::iter::once("value").chain(names).collect();
        self.set("modifier", format!("%{{{}}}", names.join(" | ")).as_bytes());
    }

    /// Writes 2.4's `group_by field { method top { … } }`, without defaults.
    pub(super) fn top(&mut self, top: &Top) {
        let comments = self.comments.take_first(Key::GroupBy);
        self.comment(comments);
        self.open(b"group_by", top.field());
        self.open(b"method", b"top");
        let numbers = [
            ("shown", top.shown(), Top::SHOWN),
            ("counters", top.counters(), Top::COUNTERS),
        ];
        for (key, number, default) in numbers {
            if number != default {
                self.set(key, number.to_string().as_bytes());
            }
        }
        if let Some(field) = top.weight() {
            self.set("weight", field);
        }
        if !top.modifiers().is_empty() {
            self.modifier(top.modifiers());
        }
        self.close();
        self.close();
    }

    /// Writes 2.4's `group_by field { method exponential { … } }`.
    pub(super) fn level(&mut self, level: &GroupBy) {
        let comments = self.comments.take_first(Key::GroupBy);
        self.comment(comments);
        self.open(b"group_by", &level.field);
        let numbers = |block: &mut Self, name: &[u8], numbers: [(&str, u64); 3]| {
            block.open(b"method", name);
            for (key, number) in numbers {
                block.set(key, number.to_string().as_bytes());
            }
            block.close();
        };
        match &level.method {
            Method::Discrete(modifiers) if modifiers.is_empty() => {}
            Method::Discrete(modifiers) => {
                self.open(b"method", b"discrete");
                self.modifier(modifiers);
                self.close();
            }
            Method::Exponential(method) => {
                let values = [
                    ("min_magnitude", method.min_magnitude().into()),
                    ("max_magnitude", method.max_magnitude().into()),
                    ("base", method.base().into()),
                ];
                numbers(self, b"exponential", values);
            }
            Method::Linear(method) => {
                let values = [
                    ("min", method.min()),
                    ("max", method.max()),
                    ("step", method.step()),
                ];
                numbers(self, b"linear", values);
            }
        }
        self.close();
    }
}

/// Returns whether a value needs no quotes.
fn is_plain(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or_default();
    let last = value.last().copied().unwrap_or_default();
    !value.is_empty()
        && !matches!(first, b'"' | b'\'' | b'<' | b' ' | b'\t')
        && !matches!(last, b'\\' | b' ' | b'\t')
        && !value.iter().any(|byte| matches!(byte, b'#' | b'$'))
        && !value.contains_str("\n")
        && !value.contains_str("\r")
}

fn quote(value: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
}
