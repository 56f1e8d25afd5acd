//! The text form of an event, read without allocation.
//!
//! [`Scan::read`] takes and refuses exactly what
//! [`text::parse`](crate::text::parse) does, with the same errors, in one pass
//! over the bytes: what is not asked for later costs no more than to be
//! stepped over. Numbers are read, because a wrong one is an error; texts stay
//! where they are. Only a text with an escape in it is copied from there on,
//! unescaped, into a buffer that the scan keeps.
//!
//! Invariant: the places of a scan lie in the text while nothing was escaped,
//! else in the copy; the copy begins with the text up to the first escape, so
//! that the places found before hold.

mod arguments;
pub(crate) mod repeated;

use alloc::{boxed::Box, vec::Vec};

use self::arguments::Arguments;
use crate::{
    CategoryId, CategoryTree, Dialect, Ip, RawEvent, TextError, TextErrorKind, Timestamp,
    raw::{Parts, RawField, RawValue, Span},
    text::{MAX_FIELDS, integer},
};

/// The longest text that is read, 1 GiB. Longer ones are refused as having too
/// many fields; lines of clients end long before.
pub const MAX_TEXT: usize = 1 << 30;

/// Buffers for reading events, to be used for one after another.
#[derive(Debug, Default)]
pub struct Scan {
    parts: Parts,
    unescaped: Vec<u8>,
    /// No key stands twice among the fields.
    distinct: bool,
    hints: Hints,
}

impl Scan {
    /// Buffers without anything in them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads an event from its arguments, TABs between them.
    ///
    /// ```
    /// use fantail_event::{CategoryTree, Dialect, Scan, ValueRef};
    ///
    /// let mut scan = Scan::new();
    /// let text = b"1795328191\t200548\tncommand_finished\tSuser\tanna\tIbytes\t17";
    /// let event = scan.read(text, &CategoryTree::default(), Dialect::V2_4)?;
    /// assert_eq!(event.name(), Some(&b"command_finished"[..]));
    /// assert_eq!(event.key(1), Some(&b"bytes"[..]));
    /// assert_eq!(event.value(1), Some(ValueRef::Int(17)));
    /// # Ok::<(), fantail_event::TextError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`text::parse`](crate::text::parse).
    pub fn read<'a>(
        &'a mut self,
        text: &'a [u8],
        categories: &CategoryTree,
        dialect: Dialect,
    ) -> Result<RawEvent<'a>, TextError> {
        self.parts.clear();
        self.distinct = false;
        if text.len() > MAX_TEXT {
            return Err(TextError::new(TextErrorKind::TooManyFields, 0));
        }
        let mut reader = Reader {
            arguments: Arguments::new(text, &mut self.unescaped),
            parts: &mut self.parts,
            distinct: &mut self.distinct,
            taken: 0,
        };
        reader.event(categories, &mut self.hints, dialect)?;
        let text = match reader.arguments.is_copied() {
            true => self.unescaped.as_slice(),
            false => text,
        };
        Ok(RawEvent {
            text,
            parts: &self.parts,
        })
    }
}

struct Reader<'a> {
    arguments: Arguments<'a>,
    parts: &'a mut Parts,
    distinct: &'a mut bool,
    taken: usize,
}

impl Reader<'_> {
    fn event(
        &mut self,
        categories: &CategoryTree,
        hints: &mut Hints,
        dialect: Dialect,
    ) -> Result<(), TextError> {
        self.parts.created = self.time()?;
        while let Some(argument) = self.next() {
            let Some(&code) = self.bytes(argument).first() else {
                continue;
            };
            let rest = Span {
                start: argument.start + 1,
                end: argument.end,
            };
            match code {
                b'P' if dialect == Dialect::V2_3 => _ = self.value()?,
                b'I' | b'S' | b'T' | b'P' | b'L' => self.field(code, rest)?,
                b'c' => self.category(rest, categories, hints)?,
                b'n' => self.parts.name = Some(rest),
                b's' => self.parts.source = Some((rest, self.line()?)),
                b'l' => self.parts.sent = Some(self.time_after(rest)?),
                b'a' => self.parts.always_log_source = true,
                _ => {}
            }
        }
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Option<Span> {
        let argument = self.arguments.next()?;
        self.taken += 1;
        Some(argument)
    }

    #[inline]
    fn bytes(&self, span: Span) -> &[u8] {
        self.arguments.bytes(span)
    }

    /// What is wrong with the argument taken last.
    #[cold]
    fn error(&self, kind: TextErrorKind) -> TextError {
        TextError::new(kind, self.taken.saturating_sub(1))
    }

    #[inline]
    fn value(&mut self) -> Result<Span, TextError> {
        let missing = self.taken;
        self.next()
            .ok_or_else(|| TextError::new(TextErrorKind::MissingValue, missing))
    }

    #[inline]
    fn integer(&self, span: Span, wrong: TextErrorKind) -> Result<i64, TextError> {
        integer(self.bytes(span)).ok_or_else(|| self.error(wrong))
    }

    fn time(&mut self) -> Result<Timestamp, TextError> {
        let seconds = self.value()?;
        self.time_after(seconds)
    }

    fn time_after(&mut self, seconds: Span) -> Result<Timestamp, TextError> {
        let seconds = self.integer(seconds, TextErrorKind::BadSeconds)?;
        let micros = self.value()?;
        let micros = self.integer(micros, TextErrorKind::BadMicroseconds)?;
        u32::try_from(micros)
            .ok()
            .and_then(|micros| Timestamp::new(seconds, micros))
            .ok_or_else(|| self.error(TextErrorKind::BadMicroseconds))
    }

    fn line(&mut self) -> Result<u32, TextError> {
        let line = self.value()?;
        let line = self.integer(line, TextErrorKind::BadLine)?;
        u32::try_from(line).map_err(|_| self.error(TextErrorKind::BadLine))
    }

    #[inline]
    fn field(&mut self, code: u8, key: Span) -> Result<(), TextError> {
        if key.len() == 0 {
            return Err(self.error(TextErrorKind::MissingKey));
        }
        let value = match code {
            b'S' => RawValue::Str(self.value()?),
            b'I' => {
                let number = self.value()?;
                RawValue::Int(self.integer(number, TextErrorKind::BadInteger)?)
            }
            b'T' => RawValue::Time(self.time()?),
            b'P' => {
                let ip = self.value()?;
                if Ip::parse_sent(self.bytes(ip)).is_none() {
                    return Err(self.error(TextErrorKind::BadIp));
                }
                RawValue::Ip(ip)
            }
            _ => RawValue::List(self.list()?),
        };
        let field = RawField { key, value };
        if self.parts.fields.len() < MAX_FIELDS && !*self.distinct {
            self.parts.fields.push(field);
            return Ok(());
        }
        self.one_of_many(field)
    }

    /// From here on, only keys that were not there yet take room.
    #[cold]
    fn one_of_many(&mut self, field: RawField) -> Result<(), TextError> {
        let (fields, text) = (&mut self.parts.fields, self.arguments.base());
        if !*self.distinct {
            *self.distinct = true;
            repeated::merge(fields, text);
        }
        repeated::set(fields, field, text);
        if fields.len() > MAX_FIELDS {
            return Err(self.error(TextErrorKind::TooManyFields));
        }
        Ok(())
    }

    #[cold]
    fn list(&mut self) -> Result<Span, TextError> {
        let count = self.value()?;
        let count = self.integer(count, TextErrorKind::BadCount)?;
        let count = u32::try_from(count).map_err(|_| self.error(TextErrorKind::BadCount))?;
        let start = self.parts.elements.len();
        // Grows with the elements that are there, never by the count alone.
        for _ in 0..count {
            // 2.4 takes a list that ends early for what is there (2.3 dies).
            let Some(element) = self.next() else { break };
            self.parts.elements.push(element);
        }
        Ok(Span::between(start, self.parts.elements.len()))
    }

    fn category(
        &mut self,
        name: Span,
        categories: &CategoryTree,
        hints: &mut Hints,
    ) -> Result<(), TextError> {
        let Some(id) = hints.find(self.bytes(name), categories) else {
            return Err(self.error(TextErrorKind::UnknownCategory));
        };
        if self.parts.categories.contains(&id) {
            return Ok(());
        }
        self.parts.categories.push(id);
        if self.parts.categories.len() > MAX_FIELDS {
            return Err(self.error(TextErrorKind::TooManyFields));
        }
        Ok(())
    }
}

/// Where categories were found last: what is remembered is only believed if
/// the name is the same, so that it may be of another tree.
#[derive(Debug)]
struct Hints(Box<[Option<CategoryId>; 64]>);

impl Default for Hints {
    fn default() -> Self {
        Self(Box::new([None; 64]))
    }
}

impl Hints {
    #[inline]
    fn find(&mut self, name: &[u8], categories: &CategoryTree) -> Option<CategoryId> {
        // Names differ in their ends and lengths; more is not needed of a hint.
        let last = name.last().map_or(0, |byte| usize::from(*byte));
        let middle = name
            .get(name.len() / 2)
            .map_or(0, |byte| usize::from(*byte));
        let hint = self.0.get_mut((last + 5 * middle + 11 * name.len()) % 64)?;
        if let Some(id) = *hint
            && categories.name(id) == Some(name)
        {
            return Some(id);
        }
        let id = categories.number(name)?;
        *hint = Some(id);
        Some(id)
    }
}
