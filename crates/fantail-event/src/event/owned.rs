//! An event that owns its text.
//!
//! An update is appended to the text. Replaced parts remain as waste until half of
//! the text is waste; then the text is copied.

use alloc::vec::Vec;
use core::fmt;

use super::{
    EventBuilder, EventRef, MAX_TEXT_BYTES,
    parts::{CategorySpan, FieldSpan, Parts, ValueSpan},
    repeated,
};
use crate::{
    CategoryTree, Dialect, Parser, TextError, Timestamp, ValueRef, allocation::allocated,
    invariant::Invariant as _, span::Span,
};

/// A text with less waste is not copied.
const MIN_WASTE_BYTES: usize = 512;

/// Free bytes in a copied event: for a field that is set, and for a small update.
const EXTRA_TEXT_BYTES: usize = 128;
/// Free fields in a copied event.
const EXTRA_FIELDS: usize = 4;

/// An owned event; [`EventRef`] is a view of it.
///
/// ```
/// use fantail_event::{CategoryTree, Dialect, Event, ValueRef};
///
/// let tree = CategoryTree::default();
/// let mut event = Event::parse(b"1\t0\tSuser\tanna\tItries\t1", &tree, Dialect::V2_4)?;
/// let update = Event::parse(b"1\t0\tItries\t2", &tree, Dialect::V2_4)?;
/// event.merge(update.as_event_ref())?;
/// assert_eq!(event.as_event_ref().field(b"tries"), Some(ValueRef::Int(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Event {
    text: Vec<u8>,
    parts: Parts,
    /// The text is copied when it is longer than this.
    compact_at: usize,
}

/// An event would be larger than [`MAX_TEXT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event is larger than {MAX_TEXT_BYTES} bytes")
    }
}

impl core::error::Error for TooLarge {}

impl Event {
    /// Begins an event that a program makes.
    pub fn builder(created: Timestamp) -> EventBuilder {
        EventBuilder::new(created)
    }

    /// Parses the text form of an event; see [`Parser::parse`], which many
    /// events in a row should use.
    ///
    /// # Errors
    /// As for [`Parser::parse`].
    pub fn parse(
        text: &[u8],
        categories: &CategoryTree,
        dialect: Dialect,
    ) -> Result<Self, TextError> {
        let mut parser = Parser::new();
        Ok(parser.parse(text, categories, dialect)?.to_event())
    }

    /// Returns a view of the event.
    #[must_use]
    #[inline]
    pub fn as_event_ref(&self) -> EventRef<'_> {
        EventRef {
            text: &self.text,
            parts: &self.parts,
        }
    }

    /// Makes it a copy of another event, in the same memory.
    pub(crate) fn replace(&mut self, event: EventRef<'_>) {
        self.text.clear();
        self.text.reserve(event.text.len() + EXTRA_TEXT_BYTES);
        self.text.extend_from_slice(event.text);
        self.parts
            .fields
            .reserve(event.parts.fields.len() + EXTRA_FIELDS);
        self.parts.copy_from(event.parts);
        if !self.parts.has_distinct_keys {
            repeated::merge(&mut self.parts.fields, &self.text);
            self.parts.has_distinct_keys = true;
        }
        self.compact_at = 2 * self.text.len() + MIN_WASTE_BYTES;
    }

    /// Applies an update, as Dovecot's `UPDATE` does: times, source, name and fields
    /// of the update replace those of the event; its categories replace all
    /// categories.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`]; it stays as it was.
    pub fn merge(&mut self, update: EventRef<'_>) -> Result<(), TooLarge> {
        let offset = self.append(update.text)?;
        let (parts, new) = (&mut self.parts, update.parts);
        parts.created = new.created;
        parts.always_log_source |= new.always_log_source;
        parts.sent = new.sent.or(parts.sent);
        parts.name = new.name.map(|name| name.moved(offset)).or(parts.name);
        let source = new.source.map(|(file, line)| (file.moved(offset), line));
        parts.source = source.or(parts.source);
        parts.categories.clone_from(&new.categories);
        for category in &mut parts.categories {
            category.name = category.name.moved(offset);
        }
        parts.tree = new.tree;
        for field in &new.fields {
            let value = match field.value {
                ValueSpan::Str(text) => ValueSpan::Str(text.moved(offset)),
                ValueSpan::Ip(text) => ValueSpan::Ip(text.moved(offset)),
                ValueSpan::List(list) => {
                    let start = parts.elements.len();
                    let elements = new.elements(list).iter();
                    let elements = elements.map(|element| element.moved(offset));
                    parts.elements.extend(elements);
                    ValueSpan::List(Span::between(start, parts.elements.len()))
                }
                value => value,
            };
            let key = field.key.moved(offset);
            repeated::set(&mut parts.fields, FieldSpan { key, value }, &self.text);
        }
        self.compact();
        Ok(())
    }

    /// Sets a field: in place if the key is there already, else at the end.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`]; it stays as it was.
    pub fn set(&mut self, key: &[u8], value: ValueRef<'_>) -> Result<(), TooLarge> {
        let elements = self.parts.elements.len();
        let before = self.text.len();
        let key = self.append_span(key)?;
        let value = match self.append_value(value) {
            Ok(value) => value,
            Err(error) => {
                self.text.truncate(before);
                self.parts.elements.truncate(elements);
                return Err(error);
            }
        };
        repeated::set(&mut self.parts.fields, FieldSpan { key, value }, &self.text);
        self.compact();
        Ok(())
    }

    /// Makes it an event of this time without name, fields and categories, in the same
    /// memory.
    ///
    /// A program that makes many events reuses one: in the steady state this
    /// allocates nothing.
    ///
    /// ```
    /// use fantail_event::{Event, Timestamp, ValueRef};
    ///
    /// let mut event = Event::default();
    /// for bytes in [17, 4] {
    ///     event.restart(Timestamp::from_unix_micros(0));
    ///     event.set_name(b"read")?;
    ///     event.set(b"bytes", ValueRef::Int(bytes))?;
    ///     assert_eq!(event.as_event_ref().fields().count(), 1);
    /// }
    /// # Ok::<(), fantail_event::TooLarge>(())
    /// ```
    pub fn restart(&mut self, created: Timestamp) {
        self.text.clear();
        self.parts.clear();
        self.parts.created = created;
        self.parts.has_distinct_keys = true;
        self.compact_at = self.compact_at.max(MIN_WASTE_BYTES);
    }

    /// Sets the name.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`]; it stays as it was.
    pub fn set_name(&mut self, name: &[u8]) -> Result<(), TooLarge> {
        self.parts.name = Some(self.append_span(name)?);
        Ok(())
    }

    /// Sets the line of source code that sent it, 0 if unknown.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`]; it stays as it was.
    pub fn set_source(&mut self, file: &[u8], line: u32) -> Result<(), TooLarge> {
        self.parts.source = Some((self.append_span(file)?, line));
        Ok(())
    }

    /// Sets the time of sending.
    pub fn set_sent(&mut self, at: Timestamp) {
        self.parts.sent = Some(at);
    }

    /// Returns the bytes that a boxed event takes, with all capacity and with what
    /// the allocator of the system adds.
    #[must_use]
    pub fn size(&self) -> usize {
        let parts = &self.parts;
        allocated(size_of::<Self>())
            + allocated(self.text.capacity())
            + allocated(parts.fields.capacity() * size_of::<FieldSpan>())
            + allocated(parts.elements.capacity() * size_of::<Span>())
            + allocated(parts.categories.capacity() * size_of::<CategorySpan>())
    }

    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.parts
    }

    /// Appends a text; returns where it starts.
    fn append(&mut self, text: &[u8]) -> Result<u32, TooLarge> {
        if text.len() > MAX_TEXT_BYTES.saturating_sub(self.text.len()) {
            return Err(TooLarge);
        }
        let offset = u32::try_from(self.text.len()).map_err(|_| TooLarge)?;
        self.text.extend_from_slice(text);
        Ok(offset)
    }

    pub(super) fn append_span(&mut self, text: &[u8]) -> Result<Span, TooLarge> {
        let start = self.append(text)? as usize;
        Ok(Span::between(start, self.text.len()))
    }

    fn append_value(&mut self, value: ValueRef<'_>) -> Result<ValueSpan, TooLarge> {
        Ok(match value {
            ValueRef::Str(text) => ValueSpan::Str(self.append_span(text)?),
            ValueRef::Int(number) => ValueSpan::Int(number),
            ValueRef::Unsigned(number) => ValueSpan::Unsigned(number),
            ValueRef::Float(number) => ValueSpan::Float(number),
            ValueRef::Bool(truth) => ValueSpan::Bool(truth),
            ValueRef::Time(time) => ValueSpan::Time(time),
            ValueRef::Ip(ip) => {
                let mut text = Vec::new();
                ip.write_into(&mut text);
                ValueSpan::Ip(self.append_span(&text)?)
            }
            ValueRef::List(list) => {
                let start = self.parts.elements.len();
                let mut appended = Ok(());
                list.any(|element| {
                    appended = self.append_span(element).map(|span| {
                        self.parts.elements.push(span);
                    });
                    appended.is_err()
                });
                appended?;
                ValueSpan::List(Span::between(start, self.parts.elements.len()))
            }
        })
    }

    /// Drops the waste of earlier updates if it is half of the text.
    fn compact(&mut self) {
        if self.text.len() <= self.compact_at {
            return;
        }
        let (old, parts) = (core::mem::take(&mut self.text), &mut self.parts);
        let old_elements = core::mem::take(&mut parts.elements);
        let text = &mut self.text;
        let mut copy = |span: &mut Span| {
            let start = text.len();
            text.extend_from_slice(span.of(&old));
            *span = Span::between(start, text.len());
        };
        parts.name.iter_mut().for_each(&mut copy);
        parts.source.iter_mut().for_each(|(file, _)| copy(file));
        let categories = parts.categories.iter_mut();
        categories.for_each(|category| copy(&mut category.name));
        for field in &mut parts.fields {
            copy(&mut field.key);
            match &mut field.value {
                ValueSpan::Str(text) | ValueSpan::Ip(text) => copy(text),
                ValueSpan::List(list) => {
                    let start = parts.elements.len();
                    let range = list.start as usize..list.end as usize;
                    let elements = old_elements.get(range).always();
                    for element in elements {
                        let mut element = *element;
                        copy(&mut element);
                        parts.elements.push(element);
                    }
                    *list = Span::between(start, parts.elements.len());
                }
                _ => {}
            }
        }
        self.compact_at = 2 * self.text.len() + MIN_WASTE_BYTES;
    }
}

impl<'a> From<&'a Event> for EventRef<'a> {
    fn from(event: &'a Event) -> Self {
        event.as_event_ref()
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.as_event_ref() == other.as_event_ref()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_event_ref().fmt(f)
    }
}
