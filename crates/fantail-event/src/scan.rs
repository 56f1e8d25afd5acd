//! The text form of an event, read without allocation.
//!
//! [`Scan::read`] takes and refuses exactly what
//! [`text::parse`](crate::text::parse) does, with the same errors, in one pass
//! over the bytes: what is not asked for later costs no more than to be
//! stepped over. Numbers are read, because a wrong one is an error; texts stay
//! where they are. Only a text with an escape in it is copied, unescaped, into
//! a buffer that the scan keeps.
//!
//! Invariant: all places of a scan lie in the text while nothing is escaped in
//! it, else all in the copy.

mod arguments;
pub(crate) mod repeated;

use alloc::{boxed::Box, vec::Vec};

use self::arguments::Arguments;
use crate::{
    CategoryId, CategoryTree, Dialect, Ip, KeptEvent, RawEvent, TextError, TextErrorKind,
    Timestamp,
    ip::is_usual_v4,
    marks::Ends,
    name::same_name,
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
    ends: Ends,
    unescaped: Vec<u8>,
    hints: Hints,
    second: Second,
    #[allow(clippy::vec_box, reason = "they are given out and come back boxed")]
    spare: Vec<Box<KeptEvent>>,
}

/// Memory of events that ended is kept for the next ones, up to so many.
const SPARE: usize = 64;
/// Larger events leave no memory behind.
const SPARE_BYTES: usize = 2048;

impl Scan {
    /// Buffers without anything in them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An event for [`KeptEvent::replace`], if there is one in memory that was
    /// given back.
    #[must_use]
    #[inline]
    pub fn spare(&mut self) -> Box<KeptEvent> {
        self.spare.pop().unwrap_or_default()
    }

    /// Gives back an event that is needed no longer, so that another one can
    /// be kept in its memory. Some are held, none of them large.
    #[inline]
    pub fn give_back(&mut self, mut event: Box<KeptEvent>) {
        event.forget();
        if self.spare.len() < SPARE && event.capacity() < SPARE_BYTES {
            self.spare.push(event);
        }
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
        if text.len() > MAX_TEXT {
            return Err(TextError::new(TextErrorKind::TooManyFields, 0));
        }
        let text = match self.ends.find(text) {
            false => text,
            true => {
                arguments::unescape(text, &mut self.ends, &mut self.unescaped);
                &self.unescaped
            }
        };
        let mut reader = Reader {
            arguments: Arguments::new(text, self.ends.places()),
            parts: &mut self.parts,
            room: MAX_FIELDS,
            seen: 0,
            hints: &mut self.hints,
            second: &mut self.second,
        };
        reader.event(categories, dialect)?;
        Ok(RawEvent {
            text,
            parts: &self.parts,
        })
    }
}

/// Its state is to stay in registers: what is rarely called takes and gives
/// values, and not the reader.
struct Reader<'a> {
    arguments: Arguments<'a>,
    parts: &'a mut Parts,
    /// So many fields need no care: 0 from when each key is there once.
    room: usize,
    /// Bits of the first 64 categories that the event has.
    seen: u64,
    hints: &'a mut Hints,
    second: &'a mut Second,
}

impl Reader<'_> {
    #[inline]
    fn event(&mut self, categories: &CategoryTree, dialect: Dialect) -> Result<(), TextError> {
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
                    self.push(rest, RawValue::Str(text))?;
                }
                b'I' => {
                    self.check_key(rest)?;
                    let number = self.value()?;
                    let number = self.integer(number, TextErrorKind::BadInteger)?;
                    self.push(rest, RawValue::Int(number))?;
                }
                b'P' if dialect == Dialect::V2_3 => _ = self.value()?,
                b'T' | b'P' | b'L' => {
                    self.check_key(rest)?;
                    let value = self.rare_value(code)?;
                    self.push(rest, value)?;
                }
                b'c' => self.category(rest, categories)?,
                b'n' => self.parts.name = Some(rest),
                b's' => self.parts.source = Some((rest, self.line()?)),
                b'l' => self.parts.sent = Some(self.time_after(rest)?),
                b'a' => self.parts.always_log_source = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// What is wrong with the argument taken last.
    #[inline(always)]
    fn error(&self, kind: TextErrorKind) -> TextError {
        error(kind, self.arguments.taken().wrapping_sub(1))
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Span, TextError> {
        match self.arguments.next() {
            Some(value) => Ok(value),
            None => Err(error(TextErrorKind::MissingValue, self.arguments.taken())),
        }
    }

    #[inline(always)]
    fn integer(&self, span: Span, wrong: TextErrorKind) -> Result<i64, TextError> {
        match self.arguments.integer(span) {
            Some(number) => Ok(number),
            None => Err(self.error(wrong)),
        }
    }

    #[inline(always)]
    fn time(&mut self) -> Result<Timestamp, TextError> {
        let seconds = self.value()?;
        self.time_after(seconds)
    }

    #[inline(always)]
    fn time_after(&mut self, seconds: Span) -> Result<Timestamp, TextError> {
        let Some(seconds) = self.second.read(self.arguments.bytes(seconds)) else {
            return Err(self.error(TextErrorKind::BadSeconds));
        };
        let micros = self.value()?;
        let micros = self.integer(micros, TextErrorKind::BadMicroseconds)?;
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        match Timestamp::new(seconds, micros) {
            Some(time) => Ok(time),
            None => Err(self.error(TextErrorKind::BadMicroseconds)),
        }
    }

    #[inline(always)]
    fn line(&mut self) -> Result<u32, TextError> {
        let line = self.value()?;
        let line = self.integer(line, TextErrorKind::BadLine)?;
        match u32::try_from(line) {
            Ok(line) => Ok(line),
            Err(_) => Err(self.error(TextErrorKind::BadLine)),
        }
    }

    #[inline(always)]
    fn check_key(&self, key: Span) -> Result<(), TextError> {
        match key.start < key.end {
            true => Ok(()),
            false => Err(self.error(TextErrorKind::MissingKey)),
        }
    }

    #[inline(always)]
    fn push(&mut self, key: Span, value: RawValue) -> Result<(), TextError> {
        let fields = &mut self.parts.fields;
        fields.push(RawField { key, value });
        if fields.len() <= self.room {
            return Ok(());
        }
        // From here on, only keys that were not there yet take room.
        repeated::join_last(fields, self.arguments.text(), self.room == 0);
        self.room = 0;
        match fields.len() > MAX_FIELDS {
            true => Err(self.error(TextErrorKind::TooManyFields)),
            false => Ok(()),
        }
    }

    #[inline(always)]
    fn rare_value(&mut self, code: u8) -> Result<RawValue, TextError> {
        match code {
            b'T' => self.time().map(RawValue::Time),
            b'P' => {
                let ip = self.value()?;
                match is_address(self.arguments.bytes(ip)) {
                    true => Ok(RawValue::Ip(ip)),
                    false => Err(self.error(TextErrorKind::BadIp)),
                }
            }
            _ => self.list().map(RawValue::List),
        }
    }

    #[inline(always)]
    fn list(&mut self) -> Result<Span, TextError> {
        let count = self.value()?;
        let count = self.integer(count, TextErrorKind::BadCount)?;
        let Ok(count) = u32::try_from(count) else {
            return Err(self.error(TextErrorKind::BadCount));
        };
        let start = self.parts.elements.len();
        // Grows with the elements that are there, never by the count alone.
        for _ in 0..count {
            // 2.4 takes a list that ends early for what is there (2.3 dies).
            let Some(element) = self.arguments.next() else {
                break;
            };
            self.parts.elements.push(element);
        }
        Ok(Span::between(start, self.parts.elements.len()))
    }

    #[inline(always)]
    fn category(&mut self, name: Span, categories: &CategoryTree) -> Result<(), TextError> {
        let Some(id) = self.hints.find(self.arguments.bytes(name), categories) else {
            return Err(self.error(TextErrorKind::UnknownCategory));
        };
        // Looking through them has an end that is hard to predict.
        let bit = 1_u64.checked_shl(id.number()).unwrap_or_default();
        let known = &mut self.parts.categories;
        if (bit == 0 || self.seen & bit != 0) && known.contains(&id) {
            return Ok(());
        }
        self.seen |= bit;
        known.push(id);
        match known.len() > MAX_FIELDS {
            true => Err(self.error(TextErrorKind::TooManyFields)),
            false => Ok(()),
        }
    }
}

#[inline(never)]
fn is_address(text: &[u8]) -> bool {
    is_usual_v4(text) || Ip::parse_sent(text).is_some()
}

#[cold]
fn error(kind: TextErrorKind, argument: usize) -> TextError {
    TextError::new(kind, argument)
}

/// The second that was read last: nearly all times of a stream are of one
/// second after another.
#[derive(Debug, Default)]
struct Second {
    digits: [u8; 10],
    number: i64,
}

impl Second {
    #[inline]
    fn read(&mut self, text: &[u8]) -> Option<i64> {
        match <&[u8; 10]>::try_from(text).ok() {
            Some(digits) if *digits == self.digits => Some(self.number),
            _ => self.other(text),
        }
    }

    #[inline(never)]
    fn other(&mut self, text: &[u8]) -> Option<i64> {
        let number = integer(text)?;
        if let Ok(digits) = text.try_into() {
            *self = Self { digits, number };
        }
        Some(number)
    }
}

/// Where categories were found last: what is remembered is only believed if
/// the name is the same, so that it may be of another tree.
#[derive(Debug)]
struct Hints(Box<[Option<CategoryId>; HINTS]>);

/// More than there are categories, so that few have one place.
const HINTS: usize = 256;
const MIX: u32 = 0x9e37_79b1;

impl Default for Hints {
    fn default() -> Self {
        Self(Box::new([None; HINTS]))
    }
}

impl Hints {
    #[inline]
    fn find(&mut self, name: &[u8], categories: &CategoryTree) -> Option<CategoryId> {
        let hint = self.0.get_mut(place(name))?;
        if let Some(id) = *hint
            && let Some(known) = categories.name(id)
            && same_name(known, name)
        {
            return Some(id);
        }
        let id = categories.number(name)?;
        *hint = Some(id);
        Some(id)
    }
}

/// By a few bytes and the length; more is not needed of a hint.
#[inline]
fn place(name: &[u8]) -> usize {
    let length = name.len();
    let byte = |at: usize| name.get(at).copied().unwrap_or_default();
    let bytes = [
        byte(length.wrapping_sub(1)),
        byte(length / 2),
        byte(length.wrapping_sub(4)),
        length.to_le_bytes()[0],
    ];
    let mixed = u32::from_le_bytes(bytes).wrapping_mul(MIX).to_le_bytes();
    usize::from(mixed[3]) % HINTS
}
