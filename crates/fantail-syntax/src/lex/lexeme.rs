//! Bytes to lexemes.
//!
//! The lexer is total: every byte but a blank belongs to a lexeme. Text that
//! Dovecot's lexer refuses has lexemes of its own, so that the parser can go on and
//! suggest what was meant. The bytes that a word may have depend on the dialect;
//! [`Tokens`](super::token::Tokens) checks them.

use logos::Logos;

/// A piece of text that belongs together.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(utf8 = false)]
#[logos(skip(r"[ \t\r\n]+"))]
pub(crate) enum Lexeme {
    /// Everything up to a blank, a quote, a parenthesis or an operator: a
    /// word, a keyword, or something that would need quotes.
    #[regex(br#"[^ \t\r\n"()=<>!&|]+"#, priority = 2)]
    Run,
    /// A complete string with its quotes.
    #[regex(br#""([^"\\]|\\[\x00-\xff])*""#, priority = 5)]
    Quoted,
    /// A quote that no other one closes.
    #[token(b"\"", swallow_rest)]
    UnclosedQuote,
    /// A string of other languages.
    #[regex(br"'[^']*'", priority = 5)]
    SingleQuoted,
    #[token(b"(")]
    Open,
    #[token(b")")]
    Close,
    #[token(b"=")]
    Equal,
    #[token(b">")]
    Greater,
    #[token(b"<")]
    Less,
    /// `==`, of other languages.
    #[token(b"==")]
    DoubleEqual,
    /// `!=` and `<>`, of other languages.
    #[token(b"!=")]
    #[token(b"<>")]
    NotEqual,
    /// `=>`, a misspelt `>=`.
    #[token(b"=>")]
    EqualGreater,
    /// `=<`, a misspelt `<=`.
    #[token(b"=<")]
    EqualLess,
    /// `!`, of other languages.
    #[token(b"!")]
    Bang,
    /// `&&`, of other languages.
    #[token(b"&")]
    #[token(b"&&")]
    Ampersand,
    /// `||`, of other languages.
    #[token(b"|")]
    #[token(b"||")]
    Pipe,
}

/// The rest of the text belongs to an unclosed quote.
fn swallow_rest(lexer: &mut logos::Lexer<'_, Lexeme>) {
    lexer.bump(lexer.remainder().len());
}
