//! The parser of the text form, which does not allocate.
//!
//! One pass over the bytes. Numbers are parsed, because a malformed number is an
//! error; texts are not copied. Only a text with an escape is copied, unescaped,
//! into a buffer of the parser.
//!
//! Invariant: all spans of an event refer to the text if nothing in it is escaped,
//! else all to the copy.

mod categories;
mod memory;

use alloc::vec::Vec;

use self::{
    categories::{category_error, find_categories},
    memory::{Addresses, LastSecond, Memory},
};
use super::{
    MAX_FIELDS,
    arguments::{self, Arguments},
    error::{TextError, TextErrorKind},
    tabs::TabPositions,
};
use crate::{
    CategoryId, CategoryTree, Dialect, EventRef, MAX_TEXT_BYTES, Timestamp,
    event::{
        parts::{CategorySpan, FieldSpan, Parts, ValueSpan},
        repeated,
    },
    span::Span,
};

/// A parser of events, with buffers that it reuses.
#[derive(Debug, Default)]
pub struct Parser {
    parts: Parts,
    tabs: TabPositions,
    unescaped: Vec<u8>,
    memory: Memory,
}

impl Parser {
    /// Creates a parser with empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses an event from its [text form](crate::text), still escaped. Its
    /// categories must be registered. 2.3 ignores `P` arguments and their values.
    ///
    /// ```
    /// use fantail_event::{CategoryTree, Dialect, Parser, ValueRef};
    ///
    /// let mut parser = Parser::new();
    /// let text = b"1795328191\t200548\tncommand_finished\tSuser\tanna\tIbytes\t17";
    /// let event = parser.parse(text, &CategoryTree::default(), Dialect::V2_4)?;
    /// assert_eq!(event.name(), Some(&b"command_finished"[..]));
    /// assert_eq!(event.field(b"bytes"), Some(ValueRef::Int(17)));
    /// # Ok::<(), fantail_event::TextError>(())
    /// ```
    ///
    /// # Errors
    /// A value is missing or malformed, a category is not in `categories`, or
    /// there are more than [`MAX_FIELDS`] fields or categories.
    pub fn parse<'a>(
        &'a mut self,
        text: &'a [u8],
        categories: &CategoryTree,
        dialect: Dialect,
    ) -> Result<EventRef<'a>, TextError> {
        self.parts.clear();
        self.parts.tree = categories.identity();
        if text.len() > MAX_TEXT_BYTES {
            return Err(TextError::new(TextErrorKind::TooManyFields, 0));
        }
        let text = match self.tabs.find(text) {
            false => text,
            true => {
                arguments::unescape(text, &mut self.tabs, &mut self.unescaped);
                &self.unescaped
            }
        };
        let mut reader = Reader {
            arguments: Arguments::new(text, self.tabs.as_slice()),
            parts: &mut self.parts,
            free_fields: MAX_FIELDS,
            last_second: &mut self.memory.last_second,
            addresses: &mut self.memory.addresses,
        };
        let read = reader.event(dialect);
        let read = read.map_err(|kind| reader.error(kind));
        // A wrong category precedes the argument at which the reader stopped.
        let known = &mut self.parts.categories;
        let hints = &mut self.memory.category_hints;
        if !known.is_empty()
            && let Err((kind, name)) = find_categories(known, text, categories, hints)
        {
            return Err(category_error(kind, name, self.tabs.as_slice()));
        }
        read?;
        Ok(EventRef {
            text,
            parts: &self.parts,
        })
    }
}

/// The state of a parse. It stays in registers: functions that are rarely called
/// take and return values, not the reader, and the numbers of categories are found
/// after all arguments were read.
struct Reader<'a> {
    arguments: Arguments<'a>,
    parts: &'a mut Parts,
    /// The number of fields that are pushed without comparing keys; 0 once the keys
    /// are distinct.
    free_fields: usize,
    last_second: &'a mut LastSecond,
    addresses: &'a mut Addresses,
}

impl Reader<'_> {
    #[inline]
    fn event(&mut self, dialect: Dialect) -> Result<(), TextErrorKind> {
        self.parts.created = self.time()?;
        while let Some(argument) = self.arguments.next() {
            let code = self.arguments.code(argument);
            let rest = Span {
                start: argument.start + 1,
                end: argument.end,
            };
            match code {
                b'S' => {
                    self.check_key(rest)?;
                    let text = self.value()?;
                    self.push(rest, ValueSpan::Str(text))?;
                }
                b'I' => {
                    self.check_key(rest)?;
                    let number = self.value()?;
                    let number = self.integer(number, TextErrorKind::BadInteger)?;
                    self.push(rest, ValueSpan::Int(number))?;
                }
                b'P' if dialect == Dialect::V2_3 => _ = self.value()?,
                b'T' | b'P' | b'L' => {
                    self.check_key(rest)?;
                    let value = self.rare_value(code)?;
                    self.push(rest, value)?;
                }
                b'c' => self.parts.categories.push(CategorySpan {
                    name: rest,
                    id: CategoryId::default(),
                }),
                b'n' => self.parts.name = Some(rest),
                b's' => self.parts.source = Some((rest, self.line()?)),
                b'l' => self.parts.sent = Some(self.time_after(rest)?),
                b'a' => self.parts.always_log_source = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// An error with the position at which [`event`](Self::event) stopped.
    fn error(&self, kind: TextErrorKind) -> TextError {
        let taken = self.arguments.taken();
        TextError::new(
            kind,
            match kind {
                // The missing argument would have been the next.
                TextErrorKind::MissingValue => taken,
                _ => taken.wrapping_sub(1),
            },
        )
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Span, TextErrorKind> {
        self.arguments.next().ok_or(TextErrorKind::MissingValue)
    }

    #[inline(always)]
    fn integer(&self, span: Span, wrong: TextErrorKind) -> Result<i64, TextErrorKind> {
        match self.arguments.integer(span) {
            Some(number) => Ok(number),
            None => Err(wrong),
        }
    }

    #[inline(always)]
    fn time(&mut self) -> Result<Timestamp, TextErrorKind> {
        let seconds = self.value()?;
        self.time_after(seconds)
    }

    #[inline(always)]
    fn time_after(&mut self, seconds: Span) -> Result<Timestamp, TextErrorKind> {
        let Some(seconds) = self.last_second.read(self.arguments.bytes(seconds)) else {
            return Err(TextErrorKind::BadSeconds);
        };
        let micros = self.value()?;
        let micros = self.integer(micros, TextErrorKind::BadMicroseconds)?;
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        match Timestamp::new(seconds, micros) {
            Some(time) => Ok(time),
            None => Err(TextErrorKind::BadMicroseconds),
        }
    }

    #[inline(always)]
    fn line(&mut self) -> Result<u32, TextErrorKind> {
        let line = self.value()?;
        let line = self.integer(line, TextErrorKind::BadLine)?;
        match u32::try_from(line) {
            Ok(line) => Ok(line),
            Err(_) => Err(TextErrorKind::BadLine),
        }
    }

    #[inline(always)]
    fn check_key(&self, key: Span) -> Result<(), TextErrorKind> {
        match key.start < key.end {
            true => Ok(()),
            false => Err(TextErrorKind::MissingKey),
        }
    }

    #[inline(always)]
    fn push(&mut self, key: Span, value: ValueSpan) -> Result<(), TextErrorKind> {
        let fields = &mut self.parts.fields;
        fields.push(FieldSpan { key, value });
        if fields.len() <= self.free_fields {
            return Ok(());
        }
        // From here on, only new keys count.
        repeated::join_last(fields, self.arguments.text(), self.free_fields == 0);
        self.free_fields = 0;
        match fields.len() > MAX_FIELDS {
            true => Err(TextErrorKind::TooManyFields),
            false => Ok(()),
        }
    }

    #[inline(always)]
    fn rare_value(&mut self, code: u8) -> Result<ValueSpan, TextErrorKind> {
        match code {
            b'T' => self.time().map(ValueSpan::Time),
            b'P' => {
                let ip = self.value()?;
                match self.addresses.contain(self.arguments.bytes(ip)) {
                    true => Ok(ValueSpan::Ip(ip)),
                    false => Err(TextErrorKind::BadIp),
                }
            }
            _ => self.list().map(ValueSpan::List),
        }
    }

    #[inline(always)]
    fn list(&mut self) -> Result<Span, TextErrorKind> {
        let count = self.value()?;
        let count = self.integer(count, TextErrorKind::BadCount)?;
        let Ok(count) = u32::try_from(count) else {
            return Err(TextErrorKind::BadCount);
        };
        let start = self.parts.elements.len();
        // Grows with the elements that are there, never by the count alone.
        for _ in 0..count {
            let Some(element) = self.arguments.next() else {
                break;
            };
            self.parts.elements.push(element);
        }
        let list = Span::between(start, self.parts.elements.len());
        // Dovecot refuses a list with two or more elements too few. One too few is
        // undefined there: it mostly takes the others.
        match count - list.len() {
            0 | 1 => Ok(list),
            _ => Err(TextErrorKind::MissingValue),
        }
    }
}
