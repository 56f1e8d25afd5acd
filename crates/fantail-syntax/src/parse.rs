//! Reads one filter: runs the grammar, and goes on after errors.
//!
//! The parser generator's own recovery tries every state of its stack for every
//! token, each time with a copy of the stack, which is too expensive for hostile
//! input. Instead the grammar starts again after the error, at the next AND, OR or
//! closing parenthesis, with the parentheses that are open there and `Faulty` for the
//! operand that could not be read. The cost is the length of the text times the
//! number of errors, which has a limit.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use lalrpop_util::ParseError as Stopped;

use self::{builder::Builder, grammar::QueryParser};
use crate::{
    ParseError, ParseErrorKind, ParseErrors, ParseOptions, Tree,
    lex::{
        slip::ends_in_comma,
        token::{SpannedToken, Token, Tokens},
    },
};

mod builder;
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    unused,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications,
    reason = "generated code"
)]
#[rustfmt::skip]
mod grammar;
mod slip;

/// Reads a filter.
///
/// The empty text, or one of blanks, is the empty filter. As in Dovecot, a
/// quote that is never closed is the end of the text if the filter is complete
/// there: see [`Tree::ignored`].
///
/// # Errors
/// The text is not a filter of the dialect, or is beyond the limits. Dovecot
/// accepts the same texts, but has no limits.
pub fn parse(text: &[u8], options: &ParseOptions) -> Result<Tree, ParseErrors> {
    if text.len() > options.limits.length {
        let beyond = options.limits.length..text.len();
        return Err(ParseError::new(ParseErrorKind::TooLong, beyond).into());
    }
    let mut builder = Builder::new(options);
    let mut feed = Feed::new(Tokens::new(text, options.dialect));
    let parser = QueryParser::new();
    while let Err(stopped) = parser.parse(&mut builder, &mut feed) {
        if !feed.resume_after(stopped, text.len()) {
            break;
        }
    }
    let unclosed = feed.tokens.unclosed.clone();
    let mut errors = feed.into_errors();
    errors.append(&mut builder.errors);
    let is_known = |kind| errors.iter().any(|error: &ParseError| error.kind() == kind);
    if let Some(quote) = &unclosed
        && !errors.is_empty()
        && !is_known(ParseErrorKind::UnclosedQuote)
    {
        errors.push(slip::unclosed_quote(quote));
    }
    match ParseErrors::new(errors) {
        Some(errors) => Err(errors),
        None => Ok(builder.into_tree(unclosed)),
    }
}

/// The error of the generated parser.
type Stop<'t> = Stopped<usize, Token<'t>, core::convert::Infallible>;

/// The tokens as the grammar gets them.
struct Feed<'t> {
    tokens: Tokens<'t>,
    errors: Vec<ParseError>,
    /// The positions of open parentheses.
    open: Vec<usize>,
    /// The position of the parenthesis that the last token closed.
    closed: Option<usize>,
    /// The last tokens, in the order of the text.
    recent: [Option<SpannedToken<'t>>; 3],
    /// Number of opening parentheses to repeat.
    repeat_open: usize,
    /// Tokens to return before the others, last first.
    pending: Vec<SpannedToken<'t>>,
}

impl<'t> Feed<'t> {
    fn new(tokens: Tokens<'t>) -> Self {
        Self {
            tokens,
            errors: Vec::new(),
            open: Vec::new(),
            closed: None,
            recent: [None; 3],
            repeat_open: 0,
            pending: Vec::new(),
        }
    }

    fn into_errors(mut self) -> Vec<ParseError> {
        self.errors.append(&mut self.tokens.errors);
        self.errors
    }

    /// Takes the next token and tracks parentheses.
    fn advance(&mut self) -> Option<SpannedToken<'t>> {
        let placed = self.pending.pop().or_else(|| self.tokens.next())?;
        self.closed = None;
        self.recent = [self.recent[1], self.recent[2], Some(placed)];
        match placed.1 {
            Token::Open => self.open.push(placed.0),
            Token::Close => self.closed = self.open.pop(),
            _ => {}
        }
        Some(placed)
    }

    /// The token that comes next.
    fn peek(&mut self) -> Option<SpannedToken<'t>> {
        if self.pending.is_empty() {
            self.pending.extend(self.tokens.next());
        }
        self.pending.last().copied()
    }

    /// Records why the grammar stopped; returns whether parsing can go on.
    fn resume_after(&mut self, stopped: Stop<'t>, end: usize) -> bool {
        let (token, expected) = match stopped {
            Stopped::UnrecognizedToken { token, expected } => (token, expected),
            Stopped::UnrecognizedEof { expected, .. } => {
                self.record_end(&expected, end);
                return false;
            }
            // The grammar has neither trailing tokens nor invalid ones, and
            // our tokens no errors.
            _ => return false,
        };
        let kind = missing(&expected);
        let before_operator = self.peek().is_some_and(|(_, next, _)| next.is_operator());
        let is_key = token.1.is_keyword() && before_operator;
        if is_key && kind == ParseErrorKind::MissingComparison {
            let span = token.0..token.2;
            let error = slip::keyword_as_key(self.tokens.slice(&span), &span);
            self.push(error);
            return match self.advance() {
                Some(operator) => self.skip_to_operand_end(operator),
                None => false,
            };
        }
        if kind == ParseErrorKind::MissingOperator
            && let Some(last) = self.foreign_word(token)
        {
            return self.skip_to_operand_end(last);
        }
        self.record(token, kind);
        if kind == ParseErrorKind::MissingValue && token.1 == Token::Open {
            let last = self.skip_group(token);
            return self.skip_to_operand_end(last);
        }
        self.skip_to_operand_end(token)
    }

    /// Skips a group in parentheses and drops the errors in it, because the
    /// parentheses were the error. Returns the last token.
    fn skip_group(&mut self, open: SpannedToken<'t>) -> SpannedToken<'t> {
        let depth = self.open.len();
        let mut last = open;
        while self.open.len() >= depth {
            match self.advance() {
                Some(placed) => last = placed,
                None => break,
            }
        }
        self.forget_errors(open.2..last.2);
        last
    }

    fn forget_errors(&mut self, span: Range<usize>) {
        let errors = &mut self.tokens.errors;
        errors.retain(|error| !span.contains(&error.span.start));
    }

    /// Records a word that is an operator in other languages; returns the last token
    /// that belongs to it.
    fn foreign_word(&mut self, (start, token, end): SpannedToken<'t>) -> Option<SpannedToken<'t>> {
        let key = self.recent[1].map(|(start, _, end)| start..end)?;
        let (_, next, next_end) = self.peek()?;
        match (token, next) {
            (Token::Word(word), Token::Open) if word.eq_ignore_ascii_case(b"IN") => {
                Some(self.list(&key, start..end, false))
            }
            (Token::Not, Token::Word(word)) if word.eq_ignore_ascii_case(b"IN") => {
                self.advance()?;
                let (_, open, _) = self.peek()?;
                (open == Token::Open).then(|| self.list(&key, start..next_end, true))
            }
            (Token::Word(word), Token::Word(_) | Token::Quoted(_)) => {
                let error = slip::word_operator(word, &(start..end))?;
                self.push(error);
                Some((start, token, end))
            }
            _ => None,
        }
    }

    /// Records `key IN (a, b)`, whose parenthesis comes next; returns the last token
    /// of the list.
    fn list(&mut self, key: &Range<usize>, word: Range<usize>, negated: bool) -> SpannedToken<'t> {
        let mut last = (word.start, Token::Faulty, word.end);
        let mut items = Vec::new();
        while let Some(placed) = self.advance() {
            last = placed;
            match placed.1 {
                Token::Open => {}
                Token::Close => break,
                _ => items.push(self.tokens.slice(&(placed.0..placed.2))),
            }
        }
        // Commas and single quotes are a part of this slip.
        self.forget_errors(word.end..last.2);
        let key_text = self.tokens.slice(key);
        let whole = key.start..last.2;
        self.push(slip::list(key_text, &items, negated, &word, whole));
        last
    }

    fn record(&mut self, (start, token, end): SpannedToken<'t>, kind: ParseErrorKind) {
        if kind == ParseErrorKind::MissingConnective && self.is_behind_comma(start) {
            return;
        }
        let unopened = token == Token::Close && self.closed.is_none();
        let error = slip::unexpected(kind, token, start..end);
        let placed = (start, token, end);
        let error = match (kind, self.recent) {
            (ParseErrorKind::MissingConnective, _) if unopened => {
                slip::unopened_parenthesis(start..end)
            }
            (
                ParseErrorKind::MissingConnective,
                [Some((_, operator, _)), Some((at, keyword, _)), _],
            ) if operator.is_operator() && keyword.is_keyword() => {
                slip::keyword_as_value(error, keyword, at)
            }
            (
                ParseErrorKind::MissingConnective | ParseErrorKind::MissingOperator,
                [_, Some(before), _],
            ) => self.as_one(error, kind, before, placed),
            _ => error,
        };
        self.push(error);
    }

    /// Returns whether only blanks are between this position and a reported
    /// comma.
    fn is_behind_comma(&self, start: usize) -> bool {
        self.tokens.errors.iter().any(|error| {
            let between = self.tokens.slice(&(error.span.end..start));
            error.kind() == ParseErrorKind::NeedsQuotes
                && error.span.end <= start
                && ends_in_comma(self.tokens.slice(&error.span))
                && between.iter().all(u8::is_ascii_whitespace)
        })
    }

    /// Two words in a row may be one value, or in front of an operator one key.
    fn as_one(
        &mut self,
        error: ParseError,
        kind: ParseErrorKind,
        (from, before, _): SpannedToken<'t>,
        (_, token, to): SpannedToken<'t>,
    ) -> ParseError {
        let before_operator = self.peek().is_some_and(|(_, next, _)| next.is_operator());
        let span = from..to;
        let text = self.tokens.slice(&span);
        match (kind, before, token) {
            (ParseErrorKind::MissingConnective, Token::Word(_), Token::Word(_))
                if !before_operator =>
            {
                slip::one_value(error, text, span)
            }
            (ParseErrorKind::MissingOperator, Token::Word(_), Token::Word(_))
                if before_operator =>
            {
                slip::one_key(error, text, span)
            }
            _ => error,
        }
    }

    fn record_end(&mut self, expected: &[String], end: usize) {
        // Tokens also end at the greatest number of errors.
        if self.is_full() {
            return;
        }
        // The missing text is presumably after the quote.
        if let Some(quote) = &self.tokens.unclosed {
            let error = slip::unclosed_quote(quote);
            self.errors.push(error);
            return;
        }
        let kind = missing(expected);
        if kind != ParseErrorKind::MissingConnective {
            self.push(slip::unexpected_end(kind, end));
        }
        if let Some(&open) = self.open.last() {
            self.push(slip::unclosed_parenthesis(open, end));
        }
    }

    /// Adds an error, unless the lexer reported one at the same span.
    fn push(&mut self, error: ParseError) {
        let known = self.tokens.errors.iter().chain(&self.errors);
        if known.into_iter().all(|known| known.span() != error.span()) {
            self.errors.push(error);
        }
    }

    fn is_full(&self) -> bool {
        self.errors.len() + self.tokens.errors.len() >= ParseErrors::MAX_ERRORS
    }

    /// Skips to the end of an operand; returns whether there is one.
    fn skip_to_operand_end(&mut self, mut placed: SpannedToken<'t>) -> bool {
        while !self.is_full() {
            let resume = match placed.1 {
                Token::And | Token::Or => true,
                Token::Close => match self.closed.take() {
                    Some(open) => {
                        self.open.push(open);
                        true
                    }
                    None => false,
                },
                _ => false,
            };
            if resume {
                self.repeat_open = self.open.len();
                self.pending.push(placed);
                self.pending.push((placed.0, Token::Faulty, placed.0));
                return true;
            }
            match self.advance() {
                Some(next) => placed = next,
                None => {
                    self.record_end(&[], placed.2);
                    return false;
                }
            }
        }
        false
    }
}

impl<'t> Iterator for Feed<'t> {
    type Item = SpannedToken<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.repeat_open > 0 {
            let at = self.open.get(self.open.len() - self.repeat_open).copied()?;
            self.repeat_open -= 1;
            return Some((at, Token::Open, at + 1));
        }
        self.advance()
    }
}

/// Finds out what is missing from the terminals that the grammar expects.
fn missing(expected: &[String]) -> ParseErrorKind {
    let has = |terminal: &str| expected.iter().any(|expected| expected == terminal);
    if has(r#""(""#) {
        ParseErrorKind::MissingComparison
    } else if has(r#""word""#) {
        ParseErrorKind::MissingValue
    } else if has(r#"">""#) {
        ParseErrorKind::MissingOperator
    } else {
        ParseErrorKind::MissingConnective
    }
}
