//! Lexemes to tokens of the grammar, repaired where they were wrong.
//!
//! What a lexeme has wrong with it is recorded here, and the grammar gets the
//! token that was meant, so that one slip makes one error and the rest of the
//! filter is still read.

use alloc::vec::Vec;

use fantail_event::Dialect;
use logos::Logos;

use crate::{ParseError, ParseErrorKind, ParseErrors, Span, lexer::Lexeme, slip};

/// What the grammar is made of.
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
    /// What stands between the quotes.
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

/// A token between the place where it begins and the place where it ends.
pub(crate) type Placed<'t> = (usize, Token<'t>, usize);

/// The tokens of a text.
pub(crate) struct Tokens<'t> {
    text: &'t [u8],
    dialect: Dialect,
    lexemes: logos::SpannedIter<'t, Lexeme>,
    pub(crate) errors: Vec<ParseError>,
    /// A quote that is never closed, up to the end of the text. Dovecot takes
    /// it for the end.
    pub(crate) unclosed: Option<Span>,
    /// Where the last token stands, if it is a word.
    last_word: Option<Span>,
    /// Where the last token stands, if it could be a key.
    last_operand: Option<Span>,
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

    pub(crate) fn slice(&self, span: &Span) -> &'t [u8] {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// What stands between the first and the last byte of a lexeme.
    fn inner(&self, span: &Span) -> &'t [u8] {
        self.slice(&(span.start + 1..span.end.saturating_sub(1)))
    }

    fn run(&mut self, span: &Span) -> Token<'t> {
        let run = self.slice(span);
        let is_stray = |byte: &u8| !is_word_byte(*byte, self.dialect);
        if let Some(at) = run.iter().position(is_stray) {
            self.errors.push(slip::needs_quotes(run, at, span));
            return Token::Word(run);
        }
        keyword(run).unwrap_or(Token::Word(run))
    }

    fn quoted(&mut self, span: &Span, inner: &'t [u8]) -> Token<'t> {
        if inner.contains(&0) {
            let error = ParseError::new(ParseErrorKind::NulByte, span.clone());
            self.errors.push(error);
        }
        Token::Quoted(inner)
    }

    fn foreign(&mut self, span: &Span, meant: Token<'t>) -> Token<'t> {
        let key = self.last_operand.as_ref();
        let key = key.map(|key| (self.slice(key), key.start));
        let error = slip::foreign_operator(self.slice(span), span, key);
        self.errors.push(error);
        meant
    }

    /// Takes `!`, `&` or `|` right behind a word, and what follows without a
    /// blank, for a part of this word that would need quotes.
    fn glued_to_word(&mut self, lexeme: Lexeme, span: &Span) -> bool {
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

    fn token(&mut self, lexeme: Lexeme, span: &Span) -> Option<Token<'t>> {
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
    type Item = Placed<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.unclosed.is_some() || self.errors.len() >= ParseErrors::MAX_ERRORS {
            return None;
        }
        loop {
            let (lexeme, span) = self.lexemes.next()?;
            // The lexer is total; were it not, the stretch would need quotes.
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

/// Whether this text needs no quotes as a value.
pub(crate) fn is_word(text: &[u8], dialect: Dialect) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_word_byte(*byte, dialect))
}

fn is_word_byte(byte: u8, dialect: Dialect) -> bool {
    match byte {
        b'/' | b'%' => dialect == Dialect::V2_4,
        b':' | b'.' | b'*' | b'?' | b'_' | b'-' => true,
        other => other.is_ascii_alphanumeric(),
    }
}
