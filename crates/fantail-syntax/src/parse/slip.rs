//! Common slips between tokens, and what to write instead.

use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

use fantail_event::Dialect;

use crate::{
    ParseError, ParseErrorKind, Shown, Suggestion,
    lex::{
        slip::{BETWEEN, SHOWN_BYTES, in_quotes, printable, quoted, shown},
        token::Token,
    },
    text::word::is_word,
};

const EACH_VALUE: &str = "write (key=a OR key=b), a comparison for each value";

pub(crate) fn unclosed_quote(span: &Range<usize>) -> ParseError {
    let close = Suggestion::advice("close it with another \"; write \\\" for a quote in the text");
    ParseError::new(ParseErrorKind::UnclosedQuote, span.start..span.start + 1).suggest(close)
}

/// A parenthesis without its other half; the text ends at `end`.
pub(crate) fn unclosed_parenthesis(open: usize, end: usize) -> ParseError {
    let advice = Suggestion::advice("write ) where it should end").replace(end..end, ")");
    ParseError::new(ParseErrorKind::UnclosedParenthesis, open..open + 1).suggest(advice)
}

pub(crate) fn unopened_parenthesis(span: Range<usize>) -> ParseError {
    let advice = Suggestion::advice("remove it, or write ( where it should begin");
    ParseError::new(ParseErrorKind::UnopenedParenthesis, span.clone())
        .suggest(advice.replace(span, ""))
}

/// A word that other languages have for an operator; `None` if it is none.
pub(crate) fn word_operator(word: &[u8], span: &Range<usize>) -> Option<ParseError> {
    const WORDS: [(&str, &str); 9] = [
        ("is", "="),
        ("eq", "="),
        ("equals", "="),
        ("like", "="),
        ("matches", "="),
        ("gt", ">"),
        ("ge", ">="),
        ("lt", "<"),
        ("le", "<="),
    ];
    let (name, instead) = WORDS
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
    let message = match *name {
        "like" | "matches" => "write =, and * in the value for any text".into(),
        _ => format!("write {instead}"),
    };
    let error = ParseError::new(ParseErrorKind::ForeignOperator, span.clone()).found(shown(word));
    Some(error.suggest(Suggestion::advice(message).replace(span.clone(), *instead)))
}

/// More items than this are not written out, so that a long key cannot be
/// multiplied by a long list.
const LISTED_ITEMS: usize = 8;

/// `key IN (a, b)`: the key and the items as they are written.
pub(crate) fn list(
    key: &[u8],
    items: &[&[u8]],
    negated: bool,
    word: &Range<usize>,
    whole: Range<usize>,
) -> ParseError {
    let found = if negated { "`NOT IN`" } else { "`IN`" };
    let error = ParseError::new(ParseErrorKind::ForeignOperator, word.clone()).found(found);
    let values: Vec<_> = items.iter().flat_map(|item| list_values(item)).collect();
    if values.is_empty() || values.len() > LISTED_ITEMS || key.len() > SHOWN_BYTES {
        return error.suggest(Suggestion::advice(EACH_VALUE));
    }
    let mut instead = Vec::from(if negated { &b"NOT ("[..] } else { b"(" });
    for (n, value) in values.iter().enumerate() {
        let separator: &[u8] = if n == 0 { b"" } else { b" OR " };
        instead.extend([separator, key, b"=", value].concat());
    }
    instead.push(b')');
    let message = format!("write {}", Shown::up_to(&instead, 2 * SHOWN_BYTES));
    error.suggest(Suggestion::advice(message).replace(whole, instead))
}

/// Returns the values in an item of a list: commas are between or after words,
/// quotes are double.
fn list_values(item: &[u8]) -> Vec<Vec<u8>> {
    match item {
        [b'"', ..] => alloc::vec![item.to_vec()],
        [b'\'', inner @ .., b'\''] => alloc::vec![quoted(inner)],
        _ => item
            .split(|byte| *byte == b',')
            .filter(|value| !value.is_empty())
            .map(|value| {
                // A word of 2.3 is a word in 2.4, too.
                if is_word(value, Dialect::V2_3) {
                    value.to_vec()
                } else {
                    quoted(value)
                }
            })
            .collect(),
    }
}

/// Two words where one value, or two comparisons, should be.
pub(crate) fn one_value(error: ParseError, text: &[u8], span: Range<usize>) -> ParseError {
    let quoted = quoted(text);
    let message = format!(
        "write {} if it is one value, or AND or OR between two comparisons",
        printable(&quoted)
    );
    error.suggest(Suggestion::advice(message).replace(span, quoted))
}

/// Two words where one key should be.
pub(crate) fn one_key(error: ParseError, text: &[u8], span: Range<usize>) -> ParseError {
    let quoted = quoted(text);
    let message = format!(
        "write {} if it is one key, or an operator between key and value",
        printable(&quoted)
    );
    error.suggest(Suggestion::advice(message).replace(span, quoted))
}

/// A token that the grammar has no use for at its place.
pub(crate) fn unexpected(kind: ParseErrorKind, token: Token<'_>, span: Range<usize>) -> ParseError {
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
        (ParseErrorKind::MissingConnective, Token::Open | Token::Not) => {
            error.suggest(Suggestion::advice(BETWEEN))
        }
        (ParseErrorKind::MissingValue, Token::Open) => {
            error.suggest(Suggestion::advice(EACH_VALUE))
        }
        (ParseErrorKind::MissingValue, Token::Close) => error.suggest(empty_value(&span)),
        _ => error,
    }
}

/// A keyword in the place of a key.
pub(crate) fn keyword_as_key(keyword: &[u8], span: &Range<usize>) -> ParseError {
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

fn empty_value(span: &Range<usize>) -> Suggestion {
    Suggestion::advice("write \"\" to ask for a missing or empty field")
        .replace(span.start..span.start, "\"\"")
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
