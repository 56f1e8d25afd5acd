//! The statement of a logical line: a setting, a block, an include.
//!
//! The parser handles one line only; the tree knows which blocks are open.

use std::ops::Range;

use crate::{
    diagnostic::code::Code, diagnostic::source::Span, syntax::is_blank, syntax::part,
    syntax::text::Text,
};

/// A statement of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `key = value`
    Setting {
        /// The key.
        key: Text,
        /// The value without its quotes.
        value: Text,
        /// The form of the value.
        form: ValueForm,
    },
    /// `name {`, `name argument {`, `group @label name {`
    Block {
        /// The first word.
        name: Text,
        /// The `@label` of a 2.4 group, without the `@`.
        label: Option<Text>,
        /// The text between the name and the brace.
        argument: Option<Text>,
    },
    /// `}`
    BlockEnd,
    /// `!include pattern`, `!include_try pattern`
    Include {
        /// The file or the pattern of files.
        pattern: Text,
        /// Whether a missing file is allowed.
        optional: bool,
    },
}

/// The form of a written value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueForm {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// `<file`: the value is the name of a file that holds the value.
    File,
}

/// An error of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The kind.
    pub code: Code,
    /// The position.
    pub span: Span,
}

/// Parses a joined line that is not empty and has no outer blanks.
pub(crate) fn parse(line: &Text) -> Result<Statement, SyntaxError> {
    let bytes = line.bytes();
    let key_end = bytes
        .iter()
        .position(|byte| is_blank(*byte) || *byte == b'=')
        .unwrap_or(bytes.len());
    let key = line.slice(0..key_end);
    let rest = skip_blanks(bytes, key_end);
    if let b"!include" | b"!include_try" = key.bytes() {
        // `!include=x` is a setting of that name, as in Dovecot.
        if bytes.get(key_end) != Some(&b'=') {
            let optional = key.bytes() == b"!include_try";
            let pattern = line.slice(rest..bytes.len());
            return Ok(Statement::Include { pattern, optional });
        }
    }
    if bytes.get(rest) == Some(&b'=') {
        if key.is_empty() {
            return Err(error(Code::MissingKey, line, 0..1));
        }
        let start = skip_blanks(bytes, rest + 1);
        let (value, form) = value(line, start..bytes.len())?;
        return Ok(Statement::Setting { key, value, form });
    }
    if key.bytes() == b"}" && rest == bytes.len() {
        return Ok(Statement::BlockEnd);
    }
    block(line, key, rest)
}

fn value(line: &Text, range: Range<usize>) -> Result<(Text, ValueForm), SyntaxError> {
    let bytes = part(line.bytes(), range.clone());
    match bytes {
        [b'<', ..] => {
            let start = skip_blanks(line.bytes(), range.start + 1);
            Ok((line.slice(start..range.end), ValueForm::File))
        }
        [open @ (b'"' | b'\''), .., close] if open == close => {
            let inner = range.start + 1..range.end - 1;
            let value = unescape(line, inner).at(line.locate(range));
            Ok((value, ValueForm::Quoted))
        }
        [open @ (b'"' | b'\''), inner @ ..] if !closes(inner, *open) => {
            Err(error(Code::UnterminatedQuote, line, range))
        }
        _ => Ok((line.slice(range), ValueForm::Plain)),
    }
}

/// Returns whether a quoted text that began before `bytes` ends in them.
fn closes(bytes: &[u8], quote: u8) -> bool {
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            _ = bytes.next();
        } else if *byte == quote {
            return true;
        }
    }
    false
}

/// Parses `name {`, `name argument {` or `name "argument" {`.
fn block(line: &Text, name: Text, mut at: usize) -> Result<Statement, SyntaxError> {
    let bytes = line.bytes();
    let mut label = None;
    if name.bytes() == b"group" && bytes.get(at) == Some(&b'@') {
        let end = word_end(bytes, at);
        label = Some(line.slice(at + 1..end));
        at = skip_blanks(bytes, end);
    }
    let mut argument = None;
    match bytes.get(at) {
        Some(b'{') | None => {}
        Some(b'"') => {
            let rest = part(bytes, at + 1..bytes.len());
            let Some(length) = rest.iter().position(|byte| *byte == b'"') else {
                return Err(error(Code::UnterminatedQuote, line, at..bytes.len()));
            };
            let behind = at + length + 2;
            argument = Some(unescape(line, at + 1..behind - 1).at(line.locate(at..behind)));
            at = skip_blanks(bytes, behind);
        }
        Some(_) => {
            let end = word_end(bytes, at);
            argument = Some(line.slice(at..end));
            at = skip_blanks(bytes, end);
        }
    }
    if bytes.get(at) != Some(&b'{') {
        let at = if at < bytes.len() {
            at..bytes.len()
        } else {
            0..bytes.len()
        };
        return Err(error(Code::ExpectedBrace, line, at));
    }
    if at + 1 < bytes.len() {
        return Err(error(Code::GarbageAfterBrace, line, at + 1..bytes.len()));
    }
    Ok(Statement::Block {
        name,
        label,
        argument,
    })
}

/// Removes backslashes, including one at the end, as in Dovecot.
fn unescape(line: &Text, range: Range<usize>) -> Text {
    let mut value = Text::empty(line.locate(range.clone()));
    let mut escaped = false;
    for index in range {
        let Some(byte) = line.bytes().get(index) else {
            break;
        };
        if *byte == b'\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        value.append(&line.slice(index..index + 1));
    }
    value
}

fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let rest = part(bytes, at..bytes.len());
    at + rest.iter().take_while(|byte| is_blank(**byte)).count()
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    let rest = part(bytes, at..bytes.len());
    at + rest.iter().take_while(|byte| !is_blank(**byte)).count()
}

fn error(code: Code, line: &Text, range: Range<usize>) -> SyntaxError {
    SyntaxError {
        code,
        span: line.locate(range),
    }
}
