//! An event as it was read, by places in its text.
//!
//! An [`Event`](crate::Event) has a slice for each of its parts, and a vector
//! for its fields: to make one for each line that comes costs more than all
//! that is done with it. A [`RawEvent`] has the same contents as places in
//! one text, in buffers that outlive it; a value is made of them when
//! somebody asks.
//!
//! Not here: how places are found ([`Scan`](crate::Scan)), and how an event
//! is kept ([`KeptEvent`](crate::KeptEvent)).

use alloc::{borrow::Cow, vec::Vec};

use crate::{Bytes, CategoryId, CategoryTree, Event, Ip, Source, Timestamp, Value, ValueRef};

/// A range of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Of places that fit: texts have at most
    /// [`MAX_TEXT`](crate::MAX_TEXT) bytes.
    pub(crate) fn between(start: usize, end: usize) -> Self {
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    pub(crate) const fn moved(self, by: u32) -> Self {
        Self {
            start: self.start.saturating_add(by),
            end: self.end.saturating_add(by),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawValue {
    Str(Span),
    Int(i64),
    Time(Timestamp),
    /// The text of an address that can be read.
    Ip(Span),
    /// A range of the elements.
    List(Span),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawField {
    pub(crate) key: Span,
    pub(crate) value: RawValue,
}

/// All of an event but the bytes.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) name: Option<Span>,
    pub(crate) created: Timestamp,
    pub(crate) sent: Option<Timestamp>,
    pub(crate) source: Option<(Span, u32)>,
    pub(crate) always_log_source: bool,
    pub(crate) categories: Vec<CategoryId>,
    pub(crate) fields: Vec<RawField>,
    pub(crate) elements: Vec<Span>,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.name = None;
        self.created = Timestamp::default();
        self.sent = None;
        self.source = None;
        self.always_log_source = false;
        self.categories.clear();
        self.fields.clear();
        self.elements.clear();
    }

    /// Makes it the same as another, in the same memory.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.name = other.name;
        self.created = other.created;
        self.sent = other.sent;
        self.source = other.source;
        self.always_log_source = other.always_log_source;
        self.categories.clone_from(&other.categories);
        self.fields.clone_from(&other.fields);
        self.elements.clone_from(&other.elements);
    }

    pub(crate) fn elements(&self, list: Span) -> &[Span] {
        self.elements
            .get(list.start as usize..list.end as usize)
            .unwrap_or_default()
    }
}

/// An event as it was read: what its sender said of it, nothing inherited.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) parts: &'a Parts,
}

impl<'a> RawEvent<'a> {
    /// The name.
    #[must_use]
    #[inline]
    pub fn name(&self) -> Option<&'a [u8]> {
        self.parts.name.map(|name| name.of(self.text))
    }

    /// When the event was created.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.parts.created
    }

    /// When it was last sent, if ever.
    #[must_use]
    pub const fn sent(&self) -> Option<Timestamp> {
        self.parts.sent
    }

    /// See [`Event::duration_micros`].
    #[must_use]
    #[inline]
    pub fn duration_micros(&self) -> i64 {
        duration_micros(self.parts.created, self.parts.sent)
    }

    /// Where it was sent.
    #[must_use]
    #[inline]
    pub fn source(&self) -> Option<Source<'a>> {
        let (file, line) = self.parts.source?;
        Some(Source {
            file: Cow::Borrowed(file.of(self.text)),
            line,
        })
    }

    /// Its own categories, each once.
    #[must_use]
    #[inline]
    pub fn categories(&self) -> &'a [CategoryId] {
        &self.parts.categories
    }

    /// How many fields there are. One that is read anew may name a key more
    /// than once: the last value holds, in the place of the first.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.parts.fields.len()
    }

    /// Whether it has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.fields.is_empty()
    }

    /// The keys in order.
    #[inline]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + use<'a> {
        let text = self.text;
        self.parts
            .fields
            .iter()
            .map(move |field| field.key.of(text))
    }

    /// The key in this place, from 0.
    #[must_use]
    #[inline]
    pub fn key(&self, at: usize) -> Option<&'a [u8]> {
        Some(self.parts.fields.get(at)?.key.of(self.text))
    }

    /// Calls with place and key, in order, of those fields whose keys have one
    /// of these lengths: each is a bit, 64 bytes and more those of 64 less.
    ///
    /// Whoever knows the keys that he looks for passes over most others
    /// without looking at their bytes.
    ///
    /// ```
    /// # use fantail_event::{CategoryTree, Dialect, Scan};
    /// let mut scan = Scan::new();
    /// let text = b"1\t0\tSa\tx\tSuser\tanna\tIb\t1\tIbytes\t17\tSport\t1\tSip\t1";
    /// let event = scan.read(text, &CategoryTree::default(), Dialect::V2_4)?;
    /// let mut found = Vec::new();
    /// event.keys_of_lengths(1 << 4 | 1 << 2, |at, key| found.push((at, key)));
    /// assert_eq!(found, [(1, &b"user"[..]), (4, b"port"), (5, b"ip")]);
    /// # Ok::<(), fantail_event::TextError>(())
    /// ```
    #[inline]
    pub fn keys_of_lengths(&self, lengths: u64, mut found: impl FnMut(u32, &'a [u8])) {
        let mut test = |at: u32, field: &RawField| {
            // A shift takes the number of bits modulo 64.
            let length = field.key.end.wrapping_sub(field.key.start);
            if lengths.wrapping_shr(length) & 1 == 1 {
                found(at, field.key.of(self.text));
            }
        };
        // By fours: to count costs nearly as much as to look.
        let (fours, rest) = self.parts.fields.as_chunks::<4>();
        let mut at = 0;
        for [a, b, c, d] in fours {
            test(at, a);
            test(at + 1, b);
            test(at + 2, c);
            test(at + 3, d);
            at += 4;
        }
        for field in rest {
            test(at, field);
            at += 1;
        }
    }

    /// The value in this place, from 0.
    #[must_use]
    #[inline]
    pub fn value(&self, at: usize) -> Option<ValueRef<'a>> {
        Some(match self.parts.fields.get(at)?.value {
            RawValue::Str(text) => ValueRef::Str(text.of(self.text)),
            RawValue::Int(number) => ValueRef::Int(number),
            RawValue::Time(time) => ValueRef::Time(time),
            RawValue::Ip(text) => ValueRef::Ip(Ip::parse_sent(text.of(self.text))?),
            RawValue::List(_) => ValueRef::List,
        })
    }

    /// The elements of the list in this place; of other values, none.
    #[inline]
    pub fn elements(&self, at: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let text = self.text;
        let elements = match self.parts.fields.get(at).map(|field| field.value) {
            Some(RawValue::List(list)) => self.parts.elements(list),
            _ => &[],
        };
        elements.iter().map(move |element| element.of(text))
    }

    /// The same, borrowed from the text where it lies.
    #[must_use]
    pub fn to_event(&self, categories: &'a CategoryTree) -> Event<'a> {
        let mut event = Event::new(self.parts.created);
        event.name = self.name().map(Cow::Borrowed);
        event.sent = self.parts.sent;
        event.source = self.source();
        event.always_log_source = self.parts.always_log_source;
        let names = self.parts.categories.iter();
        let names = names.filter_map(|id| categories.name(*id));
        event.categories = names.map(Cow::Borrowed).collect();
        for at in 0..self.len() {
            if let (Some(key), Some(value)) = (self.key(at), self.owned_value(at)) {
                event.set(key, value);
            }
        }
        event
    }

    pub(crate) fn owned_value(&self, at: usize) -> Option<Value<'a>> {
        Some(match self.value(at)? {
            ValueRef::Str(text) => Value::Str(Cow::Borrowed(text)),
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Time(time) => Value::Time(time),
            ValueRef::Ip(ip) => Value::Ip(ip),
            ValueRef::List => {
                let elements = self.elements(at).map(Bytes::Borrowed);
                Value::List(elements.collect())
            }
        })
    }
}

/// Microseconds from creation to sending: see [`Event::duration_micros`].
pub(crate) fn duration_micros(created: Timestamp, sent: Option<Timestamp>) -> i64 {
    sent.filter(|sent| sent.seconds() != 0)
        .map_or(0, |sent| sent.micros_since(created).max(0))
}
