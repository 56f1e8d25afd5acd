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

/// The steps that wait while most filters are printed.
const PENDING_STEPS: usize = 16;

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

    /// Returns whether the canonical and the exact form are known to be the same, so that
    /// one of them need not be printed.
    #[doc(hidden)]
    #[must_use]
    pub fn has_one_form(&self) -> bool {
        let is_plain = |text: &[u8]| !text.iter().any(|byte| is_special(*byte, true));
        self.comparisons().iter().all(|comparison| {
            comparison.key != Key::SourceLocation
                && is_plain(comparison.key.name())
                && is_plain(comparison.value.plain())
        })
    }

    /// Returns the length of a printed form in which nothing is escaped.
    fn printed_bytes(&self) -> usize {
        let comparisons = self.comparisons().iter().map(|comparison| {
            let quotes = if matches!(comparison.key, Key::Field(_)) {
                4
            } else {
                2
            };
            let operator = comparison.operator.symbol().len();
            comparison.key.name().len() + operator + comparison.value.plain().len() + quotes
        });
        let connectives = self.nodes().iter().map(|node| match node.kind {
            NodeKind::Comparison(_) => 0,
            NodeKind::Not(_) | NodeKind::Or(..) => 6,
            NodeKind::And(..) => 7,
        });
        2 + comparisons.sum::<usize>() + connectives.sum::<usize>()
    }

    fn print(&self, push_comparison: fn(&Comparison, Dialect, &mut Vec<u8>)) -> Vec<u8> {
        let Some(root) = self.root() else {
            return Vec::new();
        };
        let mut out = Vec::with_capacity(self.printed_bytes());
        let mut pending = Vec::with_capacity(PENDING_STEPS);
        pending.extend([Step::Text(b")"), Step::Node(root), Step::Text(b"(")]);
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

/// Returns whether a byte is escaped; `'` only in the canonical form.
#[inline]
const fn is_special(byte: u8, apostrophe: bool) -> bool {
    matches!(byte, b'"' | b'\\') || (apostrophe && byte == b'\'')
}

fn push_key(comparison: &Comparison, apostrophe: bool, out: &mut Vec<u8>) {
    match &comparison.key {
        Key::Field(name) => push_quoted(name, apostrophe, out),
        key => out.extend_from_slice(key.name()),
    }
    out.extend_from_slice(comparison.operator.symbol().as_bytes());
}

fn push_canonical(comparison: &Comparison, dialect: Dialect, out: &mut Vec<u8>) {
    push_key(comparison, true, out);
    if let Some(level) = comparison.level() {
        out.extend_from_slice(level.name().as_bytes());
        return;
    }
    match (&comparison.key, dialect) {
        (Key::SourceLocation, Dialect::V2_3) => {
            let source = comparison.value.source_place();
            out.push(b'"');
            push_escaped(source.file, true, out);
            if let Some(line) = source.line.filter(|line| *line != 0) {
                out.push(b':');
                out.extend_from_slice(alloc::string::ToString::to_string(&line).as_bytes());
            }
            out.push(b'"');
        }
        (_, Dialect::V2_4) if comparison.value.is_wild() => push_as_read(comparison, out),
        _ => push_quoted(&comparison.value.unescaped(), true, out),
    }
}

fn push_exact(comparison: &Comparison, dialect: Dialect, out: &mut Vec<u8>) {
    push_key(comparison, false, out);
    match (comparison.level(), dialect) {
        (Some(level), _) => out.extend_from_slice(level.name().as_bytes()),
        (None, Dialect::V2_3) => push_quoted(comparison.value.plain(), false, out),
        (None, Dialect::V2_4) => push_as_read(comparison, out),
    }
}

/// The backslash pairs of a 2.4 value were kept, so it is quoted already.
fn push_as_read(comparison: &Comparison, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(comparison.value.plain());
    out.push(b'"');
}

fn push_quoted(text: &[u8], apostrophe: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    push_escaped(text, apostrophe, out);
    out.push(b'"');
}

fn push_escaped(text: &[u8], apostrophe: bool, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| is_special(*byte, apostrophe)) {
        let (before, special) = rest.split_at(at);
        out.extend_from_slice(before);
        let (special, after) = special.split_at(1);
        out.push(b'\\');
        out.extend_from_slice(special);
        rest = after;
    }
    out.extend_from_slice(rest);
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
