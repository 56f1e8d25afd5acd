//! Common slips, and what to write instead.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use crate::{ParseError, ParseErrorKind, Span, Suggestion, token::Token};

/// More of a token than this is not repeated in a message.
const SHOWN_BYTES: usize = 40;

/// A stretch outside quotes that has bytes which only quotes allow, the first
/// of them at `at`.
pub(crate) fn needs_quotes(run: &[u8], at: usize, span: &Span) -> ParseError {
    let first = first_char(run.get(at..).unwrap_or_default());
    let found = if first == run {
        shown(run)
    } else {
        format!("{} in {}", shown(first), shown(run))
    };
    let error = ParseError::new(ParseErrorKind::NeedsQuotes, span.clone()).found(found);
    if matches!(run, b"," | b";") {
        return error.suggest(Suggestion::advice("put AND or OR between comparisons"));
    }
    error.suggest(in_quotes(run, span))
}

/// The first character, or the first byte where there is none.
fn first_char(text: &[u8]) -> &[u8] {
    (1..=4)
        .filter_map(|len| text.get(..len))
        .find(|start| core::str::from_utf8(start).is_ok())
        .or_else(|| text.get(..1))
        .unwrap_or_default()
}

pub(crate) fn single_quotes(inner: &[u8], span: &Span) -> ParseError {
    ParseError::new(ParseErrorKind::SingleQuotes, span.clone()).suggest(in_quotes(inner, span))
}

pub(crate) fn unclosed_quote(span: &Span) -> ParseError {
    let close = Suggestion::advice("close it with another \"; write \\\" for a quote in the text");
    ParseError::new(ParseErrorKind::UnclosedQuote, span.start..span.start + 1).suggest(close)
}

pub(crate) fn foreign_operator(operator: &[u8], span: &Span) -> ParseError {
    let instead = match operator {
        b"==" => "=",
        b"=>" => ">=",
        b"=<" => "<=",
        b"&" | b"&&" => "AND",
        b"|" | b"||" => "OR",
        b"!" => "NOT ",
        _ => "",
    };
    let suggestion = if instead.is_empty() {
        Suggestion::advice("write NOT key=value")
    } else {
        Suggestion::advice(format!("write {}", instead.trim_end())).replace(span.clone(), instead)
    };
    ParseError::new(ParseErrorKind::ForeignOperator, span.clone())
        .found(shown(operator))
        .suggest(suggestion)
}

/// A token that the grammar has no use for at its place.
pub(crate) fn unexpected(kind: ParseErrorKind, token: Token<'_>, span: Span) -> ParseError {
    let error = ParseError::new(kind, span.clone()).found(describe(token));
    match (kind, token) {
        (ParseErrorKind::MissingOperator, Token::Word(_) | Token::Quoted(_)) => error.suggest(
            Suggestion::advice("put = between key and value, and a key with blanks in quotes"),
        ),
        (ParseErrorKind::MissingConnective, Token::Word(_) | Token::Quoted(_)) => {
            error.suggest(Suggestion::advice(
                "put AND or OR between comparisons, and a value with blanks in quotes",
            ))
        }
        (ParseErrorKind::MissingValue, Token::Close) => error.suggest(empty_value(&span)),
        _ => error,
    }
}

/// A keyword in the place of a key.
pub(crate) fn keyword_as_key(keyword: &[u8], span: &Span) -> ParseError {
    ParseError::new(ParseErrorKind::MissingComparison, span.clone())
        .found(shown(keyword))
        .suggest(in_quotes(keyword, span))
}

/// A value was forgotten, and the keyword after it taken for it.
pub(crate) fn keyword_as_value(error: ParseError, keyword: Token<'_>, at: usize) -> ParseError {
    let message = format!(
        "the {} before it was taken for a value; write \"\" for the empty one",
        keyword_text(keyword)
    );
    error.suggest(Suggestion::advice(message).replace(at..at, "\"\" "))
}

/// The text ends too early.
pub(crate) fn unexpected_end(kind: ParseErrorKind, end: usize) -> ParseError {
    let error = ParseError::new(kind, end..end).found("the end");
    match kind {
        ParseErrorKind::MissingValue => error.suggest(empty_value(&(end..end))),
        _ => error,
    }
}

fn empty_value(span: &Span) -> Suggestion {
    Suggestion::advice("write \"\" to ask for a missing or empty field")
        .replace(span.start..span.start, "\"\"")
}

fn in_quotes(text: &[u8], span: &Span) -> Suggestion {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    let message = format!("write {}", printable(&quoted));
    Suggestion::advice(message).replace(span.clone(), quoted)
}

fn describe(token: Token<'_>) -> String {
    match token {
        Token::Word(word) => shown(word),
        Token::Quoted(_) => "a text in quotes".into(),
        other => format!("`{}`", keyword_text(other)),
    }
}

fn keyword_text(token: Token<'_>) -> &'static str {
    match token {
        Token::Open => "(",
        Token::Close => ")",
        Token::Equal => "=",
        Token::Greater => ">",
        Token::Less => "<",
        Token::And => "AND",
        Token::Or => "OR",
        Token::Not => "NOT",
        Token::Word(_) | Token::Quoted(_) | Token::Faulty => "",
    }
}

fn shown(bytes: &[u8]) -> String {
    format!("`{}`", printable(bytes))
}

/// Bytes as a message shows them: printable, and cut if they are many.
fn printable(bytes: &[u8]) -> String {
    let cut = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    let mut text = String::new();
    for chunk in cut.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            _ = write!(text, "\\x{byte:02x}");
        }
    }
    if cut.len() < bytes.len() {
        text.push('…');
    }
    text
}
