//! One event: its text and the spans of its parts.

mod builder;
mod owned;
pub(crate) mod parts;
pub(crate) mod positions;
pub(crate) mod repeated;

use alloc::{borrow::Cow, string::ToString as _, vec::Vec};
use core::fmt;

pub use self::{
    builder::EventBuilder,
    owned::{Event, TooLarge},
};
use self::{
    parts::{FieldSpan, Parts, ValueSpan},
    positions::EventPositions as _,
};
use crate::{Elements, IpRef, Timestamp, ValueRef, value::Strings};

/// The longest text of an event, 1 GiB. The parser refuses longer ones as
/// having too many fields; lines of clients end long before.
pub const MAX_TEXT_BYTES: usize = 1 << 30;

/// The line of Dovecot's source code that sent an event.
///
/// ```
/// use fantail_event::{CategoryTree, Dialect, Event, Source};
///
/// let text = b"1\t0\tsimap-fetch.c\t12\tnfetch";
/// let event = Event::parse(text, CategoryTree::empty(), Dialect::V2_4)?;
/// let source = Source { file: b"imap-fetch.c", line: 12 };
/// assert_eq!(event.as_event_ref().source(), Some(source));
/// # Ok::<(), fantail_event::TextError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The file's name.
    pub file: &'a [u8],
    /// The line, 0 if unknown.
    pub line: u32,
}

/// A borrowed event without what it inherits.
///
/// It consists of a text and the spans of its parts: reading an event neither copies
/// nor allocates. [`Parser::parse`](crate::Parser::parse) returns one that is valid
/// until the next event is parsed, [`Event::as_event_ref`] a view of an owned event.
///
/// A line may repeat a key. Then the last value counts, at the position of the first: [`field`](Self::field) and [`fields`](Self::fields)
/// follow that rule.
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
#[derive(Clone, Copy)]
pub struct EventRef<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) parts: &'a Parts,
}

impl<'a> EventRef<'a> {
    /// Returns the name; events that only hold fields for others have none.
    #[must_use]
    #[inline]
    pub fn name(self) -> Option<&'a [u8]> {
        self.parts.name.map(|name| name.of(self.text))
    }

    /// Returns the time of creation.
    #[must_use]
    pub const fn created(self) -> Timestamp {
        self.parts.created
    }

    /// Returns the time of the last sending, if any.
    #[must_use]
    pub const fn sent(self) -> Option<Timestamp> {
        self.parts.sent
    }

    /// Returns the microseconds from creation to sending, which is Dovecot's
    /// `duration`. It is 0 if the event was never sent (for Dovecot also in the first
    /// second of 1970) or was sent before it was created, because the sender's clock
    /// was set back: Dovecot's stats process then crashes.
    #[must_use]
    #[inline]
    pub fn duration_micros(self) -> i64 {
        let sent = self.parts.sent.filter(|sent| sent.seconds() != 0);
        sent.map_or(0, |sent| sent.micros_since(self.parts.created).max(0))
    }

    /// Returns the line of source code that sent it.
    #[must_use]
    #[inline]
    pub fn source(self) -> Option<Source<'a>> {
        let (file, line) = self.parts.source?;
        Some(Source {
            file: file.of(self.text),
            line,
        })
    }

    /// Returns whether the sender forces debug logging of the source.
    #[must_use]
    pub const fn always_log_source(self) -> bool {
        self.parts.always_log_source
    }

    /// Returns the names of its own categories, each once.
    pub fn categories(self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let categories = self.parts.categories.iter();
        categories.map(move |category| category.name.of(self.text))
    }

    /// Returns the value of its own field with this key.
    #[must_use]
    pub fn field(self, key: &[u8]) -> Option<ValueRef<'a>> {
        self.position(key).and_then(|at| self.value_at(at))
    }

    /// Returns its own fields, each key once.
    ///
    /// Allocates if the event was parsed and not copied since: its keys may repeat.
    pub fn fields(self) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>)> + use<'a> {
        self.distinct_fields().into_iter_of(self)
    }

    /// Returns an owned copy.
    #[must_use]
    pub fn to_event(self) -> Event {
        let mut event = Event::default();
        event.replace(self);
        event
    }

    fn distinct_fields(self) -> DistinctFields<'a> {
        if self.parts.has_distinct_keys {
            return DistinctFields(Cow::Borrowed(&self.parts.fields));
        }
        let mut fields = self.parts.fields.clone();
        repeated::merge(&mut fields, self.text);
        DistinctFields(Cow::Owned(fields))
    }

    /// Returns whether another field has the key of the field at this position.
    #[cold]
    pub(crate) fn repeats_key(self, at: usize) -> bool {
        let keys = || {
            self.parts
                .fields
                .iter()
                .map(|field| field.key.of(self.text))
        };
        let key = keys().nth(at);
        !self.parts.has_distinct_keys && keys().filter(|other| Some(*other) == key).count() > 1
    }

    /// The position of the field that counts for a key.
    pub(crate) fn position(self, key: &[u8]) -> Option<usize> {
        let mut fields = self.parts.fields.iter();
        fields.rposition(|field| field.key.of(self.text) == key)
    }

    #[inline(always)]
    pub(crate) fn value_of(self, value: ValueSpan) -> ValueRef<'a> {
        match value {
            ValueSpan::Str(text) => ValueRef::Str(text.of(self.text)),
            ValueSpan::Int(number) => ValueRef::Int(number),
            ValueSpan::Unsigned(number) => ValueRef::Unsigned(number),
            ValueSpan::Float(number) => ValueRef::Float(number),
            ValueSpan::Bool(truth) => ValueRef::Bool(truth),
            ValueSpan::Time(time) => ValueRef::Time(time),
            ValueSpan::Ip(text) => ValueRef::Ip(IpRef::sent(text.of(self.text))),
            ValueSpan::List(list) => {
                let spans = self.parts.elements(list);
                ValueRef::List(Elements(Strings::Spans(self.text, spans)))
            }
        }
    }

    /// Returns the bytes of the event's text: name, categories, keys and values.
    #[must_use]
    #[inline]
    pub const fn text_bytes(self) -> usize {
        self.text.len()
    }
}

struct DistinctFields<'a>(Cow<'a, [FieldSpan]>);

impl<'a> DistinctFields<'a> {
    fn into_iter_of(
        self,
        event: EventRef<'a>,
    ) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>)> + use<'a> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let field = self.0.get(at)?;
            at += 1;
            Some((field.key.of(event.text), event.value_of(field.value)))
        })
    }
}

/// Events are equal if they mean the same, wherever their parts lie.
impl PartialEq for EventRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.created() == other.created()
            && self.sent() == other.sent()
            && self.source() == other.source()
            && self.always_log_source() == other.always_log_source()
            && self.categories().eq(other.categories())
            && self.fields().eq(other.fields())
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        f.debug_struct("EventRef")
            .field("name", &self.name().map(text))
            .field("created", &self.created())
            .field("sent", &self.sent())
            .field("source", &self.source())
            .field(
                "categories",
                &self.categories().map(text).collect::<Vec<_>>(),
            )
            .field(
                "fields",
                &self
                    .fields()
                    .map(|(key, value)| (text(key), value))
                    .collect::<Vec<_>>(),
            )
            .finish()
    }
}
