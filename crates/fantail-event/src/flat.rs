//! An event with all that it inherits, as somebody reads it who writes it
//! down: keys and values in order, each borrowed from where it lies.
//!
//! A [`Flat`] is a view, either of an [`Event`] that was
//! [flattened](crate::SentEvent::flatten), or of a
//! [`RawSending`] whose fields a [`Gather`](crate::Gather) found. What is read
//! is the same.

mod ip;

pub use self::ip::FlatIp;
use crate::{
    Bytes, CategoryId, CategoryTree, Event, RawEvent, RawSending, Timestamp, Value,
    gather::{DURATION, Element, Place, Placed},
    raw::{RawValue, Span},
};

/// An event with all that it inherits, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Flat<'g>(Source<'g>);

#[derive(Debug, Clone, Copy)]
enum Source<'g> {
    Event(&'g Event<'g>),
    Raw(Raw<'g>),
}

/// What was found of a sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'g> {
    pub(crate) sending: &'g RawSending<'g>,
    pub(crate) fields: Fields<'g>,
    pub(crate) elements: &'g [Element],
    pub(crate) categories: &'g [CategoryId],
}

/// Where the fields of a sending are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fields<'g> {
    /// Here, in the event and those that it inherits from.
    Places(&'g [Place]),
    /// In the event, in its order, but that the one in this place is the
    /// duration; it may be one more than the event has.
    Own { duration: usize },
}

/// A value as it is written down.
#[derive(Debug, Clone, Copy)]
pub enum FlatValue<'a> {
    /// Bytes, mostly text.
    Str(&'a [u8]),
    /// A 64-bit signed integer.
    Int(i64),
    /// A point in time.
    Time(Timestamp),
    /// An IP address.
    Ip(FlatIp<'a>),
    /// A list of strings.
    List(Elements<'a>),
}

/// Several strings, in order.
#[derive(Debug, Clone, Copy)]
pub struct Elements<'a>(Strings<'a>);

#[derive(Debug, Clone, Copy)]
enum Strings<'a> {
    Bytes(&'a [Bytes<'a>]),
    Spans(&'a [u8], &'a [Span]),
    Joined(&'a RawSending<'a>, &'a [Element]),
    Categories(&'a CategoryTree, &'a [CategoryId]),
}

impl<'g> From<&'g Event<'g>> for Flat<'g> {
    /// The view of an event that has everything already.
    fn from(event: &'g Event<'g>) -> Self {
        Self(Source::Event(event))
    }
}

impl<'g> From<Raw<'g>> for Flat<'g> {
    fn from(raw: Raw<'g>) -> Self {
        Self(Source::Raw(raw))
    }
}

impl<'g> Flat<'g> {
    /// The name.
    #[must_use]
    pub fn name(&self) -> Option<&'g [u8]> {
        match self.0 {
            Source::Event(event) => event.name.as_deref(),
            Source::Raw(raw) => raw.sending.event.name(),
        }
    }

    /// When the event was created.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        match self.0 {
            Source::Event(event) => event.created,
            Source::Raw(raw) => raw.sending.event.created(),
        }
    }

    /// When it was last sent, if ever.
    #[must_use]
    pub const fn sent(&self) -> Option<Timestamp> {
        match self.0 {
            Source::Event(event) => event.sent,
            Source::Raw(raw) => raw.sending.event.sent(),
        }
    }

    /// The categories.
    #[must_use]
    pub fn categories(&self) -> Elements<'g> {
        Elements(match self.0 {
            Source::Event(event) => Strings::Bytes(&event.categories),
            Source::Raw(raw) => Strings::Categories(raw.sending.categories, raw.categories),
        })
    }

    /// The fields with their keys, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'g [u8], FlatValue<'g>)> + use<'g> {
        let source = self.0;
        let mut at = 0;
        core::iter::from_fn(move || {
            let field = match source {
                Source::Event(event) => {
                    let field = event.fields().get(at)?;
                    (&*field.key, FlatValue::from(&field.value))
                }
                Source::Raw(raw) => raw.field(at)?,
            };
            at += 1;
            Some(field)
        })
    }

    /// Calls with each field's key and value, in order: cheaper than to ask
    /// for [`fields`](Self::fields) one after another.
    #[inline]
    pub fn each_field(&self, mut each: impl FnMut(&'g [u8], FlatValue<'g>)) {
        match self.0 {
            Source::Event(_) => self.fields().for_each(|(key, value)| each(key, value)),
            Source::Raw(raw) => match raw.fields {
                Fields::Own { duration } => raw.each_own(duration, &mut each),
                Fields::Places(places) => places.iter().for_each(|place| {
                    let (key, value) = raw.placed(place);
                    each(key, value);
                }),
            },
        }
    }

    /// The value of the field with this key.
    #[must_use]
    pub fn field(&self, key: &[u8]) -> Option<FlatValue<'g>> {
        match self.0 {
            Source::Event(event) => event.own_field(key).map(FlatValue::from),
            Source::Raw(_) => {
                let mut fields = self.fields();
                fields.find_map(|(known, value)| (known == key).then_some(value))
            }
        }
    }
}

impl<'g> Raw<'g> {
    #[inline(always)]
    fn field(self, at: usize) -> Option<(&'g [u8], FlatValue<'g>)> {
        match self.fields {
            Fields::Places(places) => places.get(at).map(|place| self.placed(place)),
            Fields::Own { duration } if at == duration => Some(self.duration()),
            Fields::Own { .. } => {
                let event = self.sending.event;
                let field = event.parts.fields.get(at)?;
                Some((field.key.of(event.text), FlatValue::of(field.value, event)))
            }
        }
    }

    /// Each value is put together where it is handed over: to copy one that
    /// was just written has to wait for it.
    #[inline(always)]
    fn each_own(self, duration: usize, each: &mut impl FnMut(&'g [u8], FlatValue<'g>)) {
        let event = self.sending.event;
        let fields = &event.parts.fields;
        for (at, field) in fields.iter().enumerate() {
            let key = field.key.of(event.text);
            match field.value {
                _ if at == duration => each(key, self.duration().1),
                RawValue::Str(text) => each(key, FlatValue::Str(text.of(event.text))),
                RawValue::Int(number) => each(key, FlatValue::Int(number)),
                other => each(key, FlatValue::of(other, event)),
            }
        }
        if duration == fields.len() {
            each(DURATION, self.duration().1);
        }
    }

    fn duration(self) -> (&'g [u8], FlatValue<'g>) {
        let duration = self.sending.event.duration_micros();
        (DURATION, FlatValue::Int(duration))
    }

    fn placed(self, place: &Place) -> (&'g [u8], FlatValue<'g>) {
        let (event, at) = (self.sending.holder(place.holder), place.at as usize);
        let Some(field) = event.parts.fields.get(at) else {
            // Only `duration` may be no field of the event.
            return self.duration();
        };
        let value = match place.value {
            Placed::Own => FlatValue::of(field.value, event),
            Placed::Duration => self.duration().1,
            Placed::Joined { start, end } => {
                let elements = self.elements.get(start..end).unwrap_or_default();
                FlatValue::List(Elements(Strings::Joined(self.sending, elements)))
            }
        };
        (field.key.of(event.text), value)
    }
}

impl<'a> FlatValue<'a> {
    /// A value of this event.
    #[inline(always)]
    fn of(value: RawValue, event: RawEvent<'a>) -> Self {
        match value {
            RawValue::Str(text) => Self::Str(text.of(event.text)),
            RawValue::Int(number) => Self::Int(number),
            RawValue::Time(time) => Self::Time(time),
            RawValue::Ip(text) => Self::Ip(FlatIp::sent(text.of(event.text))),
            RawValue::List(list) => {
                let spans = event.parts.elements(list);
                Self::List(Elements(Strings::Spans(event.text, spans)))
            }
        }
    }
}

impl<'a> From<&'a Value<'_>> for FlatValue<'a> {
    #[inline]
    fn from(value: &'a Value<'_>) -> Self {
        match value {
            Value::Str(text) => Self::Str(text),
            Value::Int(number) => Self::Int(*number),
            Value::Time(time) => Self::Time(*time),
            Value::Ip(ip) => Self::Ip((*ip).into()),
            Value::List(list) => Self::List(list.as_slice().into()),
        }
    }
}

impl<'a> From<&'a [Bytes<'a>]> for Elements<'a> {
    fn from(list: &'a [Bytes<'a>]) -> Self {
        Self(Strings::Bytes(list))
    }
}

impl<'a> Elements<'a> {
    /// The strings one after another.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let strings = self.0;
        let mut at = 0;
        core::iter::from_fn(move || {
            let string = match strings {
                Strings::Bytes(list) => list.get(at)?,
                Strings::Spans(text, spans) => spans.get(at)?.of(text),
                Strings::Joined(sending, elements) => elements.get(at)?.of(sending),
                // Categories of the tree have names.
                Strings::Categories(tree, ids) => tree.name(*ids.get(at)?)?,
            };
            at += 1;
            Some(string)
        })
    }
}
