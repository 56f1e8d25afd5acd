//! Lexemes to tokens of the grammar, repaired where they are wrong.
//!
//! An error in a lexeme is recorded, and the grammar gets the token that was
//! probably meant, so that one slip makes one error and the rest of the filter is
//! still read.

use alloc::vec::Vec;
use core::ops::Range;

use fantail_event::Dialect;
use logos::Logos;

use super::{lexeme::Lexeme, slip};
use crate::{ParseError, ParseErrorKind, ParseErrors, text::word::is_word_byte};

/// A terminal of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    Open,
    Close,
    Equal,
    Greater,
    Less,
    And,
    Or,
    Not,
    Word(&'t [u8]),
    /// The text between the quotes.
    Quoted(&'t [u8]),
    /// Stands for an operand that could not be read.
    Faulty,
}

impl Token<'_> {
    pub(crate) fn is_operator(self) -> bool {
        matches!(self, Self::Equal | Self::Greater | Self::Less)
    }

    pub(crate) fn is_keyword(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Not)
    }
}

/// A token between the byte where it begins and the byte where it ends.
pub(crate) type SpannedToken<'t> = (usize, Token<'t>, usize);

/// The tokens of a text.
pub(crate) struct Tokens<'t> {
    text: &'t [u8],
    dialect: Dialect,
    lexemes: logos::SpannedIter<'t, Lexeme>,
    pub(crate) errors: Vec<ParseError>,
    /// An unclosed quote, up to the end of the text. Dovecot takes it for the end.
    pub(crate) unclosed: Option<Range<usize>>,
    /// The span of the last token, if it is a word.
    last_word: Option<Range<usize>>,
    /// The span of the last token, if it can be a key.
    last_operand: Option<Range<usize>>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t [u8], dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            lexemes: Lexeme::lexer(text).spanned(),
            errors: Vec::new(),
            unclosed: None,
            last_word: None,
            last_operand: None,
        }
    }

    pub(crate) fn slice(&self, span: &Range<usize>) -> &'t [u8] {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The text between the first and the last byte of a lexeme.
    fn inner(&self, span: &Range<usize>) -> &'t [u8] {
        self.slice(&(span.start + 1..span.end.saturating_sub(1)))
    }

    fn run(&mut self, span: &Range<usize>) -> Token<'t> {
        let run = self.slice(span);
        let is_stray = |byte: &u8| !is_word_byte(*byte, self.dialect);
        if let Some(at) = run.iter().position(is_stray) {
            self.errors.push(slip::needs_quotes(run, at, span));
            return Token::Word(run);
        }
        keyword(run).unwrap_or(Token::Word(run))
    }

    fn quoted(&mut self, span: &Range<usize>, inner: &'t [u8]) -> Token<'t> {
        if inner.contains(&0) {
            let error = ParseError::new(ParseErrorKind::NulByte, span.clone());
            self.errors.push(error);
        }
        Token::Quoted(inner)
    }

    fn foreign(&mut self, span: &Range<usize>, meant: Token<'t>) -> Token<'t> {
        let key = self.last_operand.as_ref();
        let key = key.map(|key| (self.slice(key), key.start));
        let error = slip::foreign_operator(self.slice(span), span, key);
        self.errors.push(error);
        meant
    }

    /// Takes `!`, `&` or `|` directly after a word, and what follows without a
    /// blank, for a part of this word that needs quotes.
    fn glued_to_word(&mut self, lexeme: Lexeme, span: &Range<usize>) -> bool {
        let is_single =
            span.len() == 1 && matches!(lexeme, Lexeme::Bang | Lexeme::Ampersand | Lexeme::Pipe);
        let Some(word) = self
            .last_word
            .take_if(|word| is_single && word.end == span.start)
        else {
            return false;
        };
        let rest = self.lexemes.remainder();
        let glued = rest
            .iter()
            .take_while(|byte| !b" \t\r\n\"()=<>".contains(byte));
        let glued = glued.count();
        self.lexemes.bump(glued);
        let whole = word.start..span.end + glued;
        let error = slip::needs_quotes(self.slice(&whole), word.len(), &whole);
        self.errors.push(error);
        true
    }

    fn token(&mut self, lexeme: Lexeme, span: &Range<usize>) -> Option<Token<'t>> {
        Some(match lexeme {
            Lexeme::Run => self.run(span),
            Lexeme::Quoted => self.quoted(span, self.inner(span)),
            Lexeme::SingleQuoted => {
                let inner = self.inner(span);
                self.errors.push(slip::single_quotes(inner, span));
                Token::Quoted(inner)
            }
            Lexeme::Open => Token::Open,
            Lexeme::Close => Token::Close,
            Lexeme::Equal => Token::Equal,
            Lexeme::Greater => Token::Greater,
            Lexeme::Less => Token::Less,
            Lexeme::DoubleEqual | Lexeme::NotEqual => self.foreign(span, Token::Equal),
            Lexeme::EqualGreater => self.foreign(span, Token::Greater),
            Lexeme::EqualLess => self.foreign(span, Token::Less),
            Lexeme::Bang => self.foreign(span, Token::Not),
            Lexeme::Ampersand => self.foreign(span, Token::And),
            Lexeme::Pipe => self.foreign(span, Token::Or),
            Lexeme::UnclosedQuote => {
                self.unclosed = Some(span.clone());
                return None;
            }
        })
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = SpannedToken<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.unclosed.is_some() || self.errors.len() >= ParseErrors::MAX_ERRORS {
            return None;
        }
        loop {
            let (lexeme, span) = self.lexemes.next()?;
            // The lexer is total; an error token would be text that needs quotes.
            let lexeme = lexeme.unwrap_or(Lexeme::Run);
            if self.glued_to_word(lexeme, &span) {
                continue;
            }
            let token = self.token(lexeme, &span)?;
            self.last_word = matches!(token, Token::Word(_)).then(|| span.clone());
            self.last_operand =
                matches!(token, Token::Word(_) | Token::Quoted(_)).then(|| span.clone());
            return Some((span.start, token, span.end));
        }
    }
}

fn keyword(word: &[u8]) -> Option<Token<'static>> {
    let keywords = [("AND", Token::And), ("OR", Token::Or), ("NOT", Token::Not)];
    keywords
        .into_iter()
        .find(|(keyword, _)| word.eq_ignore_ascii_case(keyword.as_bytes()))
        .map(|(_, token)| token)
}
