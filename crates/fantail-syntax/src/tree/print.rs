//! A tree back to text, in two forms.
//!
//! The canonical form is what Dovecot prints, byte for byte, and what its
//! stats server sends. It is not always faithful: 2.3 escapes `'` but does not
//! read that back, and 2.4 drops the backslash before an escaped wildcard. The
//! exact form differs only in those, and always reads back to the same tree.

use alloc::vec::Vec;
use core::fmt;

use fantail_event::Dialect;

use super::{Comparison, Key, NodeId, NodeKind, Tree};
use crate::text::{escape, shown::Shown, word};

/// The bytes of most printed comparisons.
const COMPARISON_BYTES: usize = 48;

impl Tree {
    /// Returns Dovecot's printed form of this filter; empty for the empty
    /// filter.
    ///
    /// The whole stands in parentheses, and so does each AND, OR and NOT.
    /// 2.4 prints numbers, sizes and intervals as plain integers and
    /// addresses in their shortest form. May not read back to the same
    /// meaning; see [`exact`](Self::exact).
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.print(push_canonical)
    }

    /// Like [`canonical`](Self::canonical), but always reads back to a filter
    /// that means the same.
    #[must_use]
    pub fn exact(&self) -> Vec<u8> {
        self.print(push_exact)
    }

    fn print(&self, push_comparison: fn(&Comparison, Dialect, &mut Vec<u8>)) -> Vec<u8> {
        let Some(root) = self.root() else {
            return Vec::new();
        };
        let mut out = Vec::with_capacity(COMPARISON_BYTES * self.comparisons().len());
        let mut pending = alloc::vec![Step::Text(b")"), Step::Node(root), Step::Text(b"(")];
        while let Some(step) = pending.pop() {
            let id = match step {
                Step::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Step::Node(id) => id,
            };
            match self.node(id).map(|node| node.kind) {
                Some(NodeKind::Comparison(index)) => {
                    if let Some(comparison) = self.comparisons().get(index) {
                        push_comparison(comparison, self.dialect(), &mut out);
                    }
                }
                Some(NodeKind::Not(inner)) => {
                    out.extend_from_slice(b"(NOT ");
                    pending.extend([Step::Text(b")"), Step::Node(inner)]);
                }
                Some(NodeKind::And(a, b)) => {
                    out.push(b'(');
                    pending.extend(binary(a, b" AND ", b));
                }
                Some(NodeKind::Or(a, b)) => {
                    out.push(b'(');
                    pending.extend(binary(a, b" OR ", b));
                }
                None => {}
            }
        }
        out
    }
}

enum Step {
    Node(NodeId),
    Text(&'static [u8]),
}

/// Returns the remaining steps of printing a pair, last first.
fn binary(a: NodeId, word: &'static [u8], b: NodeId) -> [Step; 4] {
    [
        Step::Text(b")"),
        Step::Node(b),
        Step::Text(word),
        Step::Node(a),
    ]
}

fn push_key(comparison: &Comparison, special: &[u8], out: &mut Vec<u8>) {
    match &comparison.key {
        Key::Field(name) => push_quoted(name, special, out),
        key => out.extend_from_slice(key.name()),
    }
    out.extend_from_slice(comparison.operator.symbol().as_bytes());
}

fn push_canonical(comparison: &Comparison, dialect: Dialect, out: &mut Vec<u8>) {
    push_key(comparison, br#"\"'"#, out);
    if let Some(level) = comparison.level() {
        out.extend_from_slice(level.name().as_bytes());
        return;
    }
    match (&comparison.key, dialect) {
        (Key::SourceLocation, Dialect::V2_3) => {
            let source = comparison.value.source_place();
            out.push(b'"');
            push_escaped(source.file, br#"\"'"#, out);
            if let Some(line) = source.line.filter(|line| *line != 0) {
                out.push(b':');
                out.extend_from_slice(alloc::string::ToString::to_string(&line).as_bytes());
            }
            out.push(b'"');
        }
        (_, Dialect::V2_4) if comparison.value.is_wild() => push_as_read(comparison, out),
        _ => push_quoted(&comparison.value.unescaped(), br#"\"'"#, out),
    }
}

fn push_exact(comparison: &Comparison, dialect: Dialect, out: &mut Vec<u8>) {
    push_key(comparison, br#"\""#, out);
    match (comparison.level(), dialect) {
        (Some(level), _) => out.extend_from_slice(level.name().as_bytes()),
        (None, Dialect::V2_3) => push_quoted(comparison.value.plain(), br#"\""#, out),
        (None, Dialect::V2_4) => push_as_read(comparison, out),
    }
}

/// The backslash pairs of a 2.4 value were kept, so it is quoted already.
fn push_as_read(comparison: &Comparison, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(comparison.value.plain());
    out.push(b'"');
}

fn push_quoted(text: &[u8], special: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    push_escaped(text, special, out);
    out.push(b'"');
}

fn push_escaped(text: &[u8], special: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// The form in the text, with quotes only where they are needed.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialect = self.value.dialect();
        let (key, value) = (self.key.name(), self.value.written());
        write_operand(f, key, &escape::escape(key), dialect)?;
        f.write_str(self.operator.symbol())?;
        match dialect {
            Dialect::V2_3 => write_operand(f, value, &escape::escape(value), dialect),
            // Its backslash pairs were kept.
            Dialect::V2_4 => write_operand(f, value, value, dialect),
        }
    }
}

fn write_operand(
    f: &mut fmt::Formatter<'_>,
    text: &[u8],
    escaped: &[u8],
    dialect: Dialect,
) -> fmt::Result {
    let escaped = Shown::up_to(escaped, usize::MAX);
    if word::is_word(text, dialect) {
        write!(f, "{escaped}")
    } else {
        write!(f, "\"{escaped}\"")
    }
}
