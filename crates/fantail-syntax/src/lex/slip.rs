//! Common slips within a token, and what to write instead.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Range;

use crate::{ParseError, ParseErrorKind, Shown, Suggestion, text::escape};

/// The greatest number of bytes of a token in a message.
pub(crate) const SHOWN_BYTES: usize = 40;

const WILDCARDS: &str = "filters have no regular expressions; write wildcards, as in user=a*";

pub(crate) const BETWEEN: &str = "put AND or OR between comparisons";

/// Text outside quotes with bytes that need quotes, the first of them at `at`.
pub(crate) fn needs_quotes(run: &[u8], at: usize, span: &Range<usize>) -> ParseError {
    let first = first_char(run.get(at..).unwrap_or_default());
    let found = if first == run {
        shown(run)
    } else {
        format!("{} in {}", shown(first), shown(run))
    };
    let error = ParseError::new(ParseErrorKind::NeedsQuotes, span.clone()).found(found);
    if ends_in_comma(run) && at + 1 == run.len() {
        return error.suggest(Suggestion::advice(BETWEEN));
    }
    if run.starts_with(b"~") {
        return error.suggest(Suggestion::advice(WILDCARDS));
    }
    error.suggest(in_quotes(run, span))
}

/// Returns whether a comma or a semicolon follows an assumed word.
pub(crate) fn ends_in_comma(run: &[u8]) -> bool {
    matches!(run, [.., b',' | b';'])
}

/// The first character, or the first byte where there is none.
fn first_char(text: &[u8]) -> &[u8] {
    (1..=4)
        .filter_map(|len| text.get(..len))
        .find(|start| core::str::from_utf8(start).is_ok())
        .or_else(|| text.get(..1))
        .unwrap_or_default()
}

pub(crate) fn single_quotes(inner: &[u8], span: &Range<usize>) -> ParseError {
    ParseError::new(ParseErrorKind::SingleQuotes, span.clone()).suggest(in_quotes(inner, span))
}

/// An operator of other languages; `key` is the text before it with its position.
pub(crate) fn foreign_operator(
    operator: &[u8],
    span: &Range<usize>,
    key: Option<(&[u8], usize)>,
) -> ParseError {
    let error =
        ParseError::new(ParseErrorKind::ForeignOperator, span.clone()).found(shown(operator));
    if let (b"!=" | b"<>", Some((key, at))) = (operator, key) {
        let instead = [b"NOT ", key, b"="].concat();
        let message = format!("write {}…", printable(&instead));
        return error.suggest(Suggestion::advice(message).replace(at..span.end, instead));
    }
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
    error.suggest(suggestion)
}

pub(crate) fn in_quotes(text: &[u8], span: &Range<usize>) -> Suggestion {
    let quoted = quoted(text);
    let message = format!("write {}", printable(&quoted));
    Suggestion::advice(message).replace(span.clone(), quoted)
}

pub(crate) fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", &*escape::escape(text), b"\""].concat()
}

pub(crate) fn shown(bytes: &[u8]) -> String {
    format!("`{}`", printable(bytes))
}

/// Bytes as a message shows them.
pub(crate) fn printable(bytes: &[u8]) -> String {
    Shown::up_to(bytes, SHOWN_BYTES).to_string()
}
