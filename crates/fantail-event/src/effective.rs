//! An event with all that it inherits, for exporters: keys and values in order,
//! borrowed from the events that hold them.

mod buffers;

use core::fmt;

pub use self::buffers::EffectiveBuffers;
use self::buffers::{FieldPosition, Inherited};
use crate::{
    CategoryId, DURATION, Elements, Event, EventBuilder, ExportView, Level, SentEvent, Source,
    Timestamp, TooLarge, ValueRef,
    event::parts::{FieldSpan, ValueSpan},
    invariant::Invariant as _,
    value::{JoinedElement, Strings},
};

/// An event with all that it inherits.
///
/// Each field stands where its key first comes up, from the root of the global
/// event's ancestors down to the event itself, with the value that was set last.
/// Lists are joined, each element once; an empty list counts as no field. An event
/// that inherits nothing keeps its lists unchanged. Categories come with their ancestors,
/// each once, in the order in which they come up (Dovecot's order is that of a
/// hash table).
///
/// [`EffectiveBuffers::gather`] makes it of a [`SentEvent`];
/// [`From`] a reference to any [`ExportView`].
///
/// ```
/// use fantail_event::{Ancestor, EffectiveBuffers, EffectiveEvent, Event, SentEvent, Timestamp, ValueRef};
///
/// let time = Timestamp::from_unix_micros(0);
/// let session = Event::builder(time).field("user", "anna").build()?;
/// let command = Event::builder(time).name("command").field("bytes", 7).build()?;
/// let parents = [Ancestor { event: &session, live: None }];
/// let sent = SentEvent { parents: &parents, ..SentEvent::alone(&command) };
///
/// let mut buffers = EffectiveBuffers::default();
/// let effective: EffectiveEvent<'_> = buffers.gather(&sent);
/// assert_eq!(effective.field(b"user"), Some(ValueRef::Str(b"anna")));
/// let event = effective.to_event()?;
/// assert_eq!(event.as_event_ref().field(b"user"), Some(ValueRef::Str(b"anna")));
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
#[derive(Clone, Copy)]
pub struct EffectiveEvent<'g>(Kind<'g>);

/// Spans of a sent event, or another type's view.
#[derive(Clone, Copy)]
enum Kind<'g> {
    Spans(Spans<'g>),
    View(&'g dyn ExportView),
}

/// The parts of a sent event.
#[derive(Clone, Copy)]
pub(crate) struct Spans<'g> {
    pub(crate) sent: &'g SentEvent<'g>,
    /// The event's own fields, each key once.
    pub(crate) own: &'g [FieldSpan],
    pub(crate) fields: Fields<'g>,
    pub(crate) elements: &'g [JoinedElement],
    pub(crate) categories: &'g [CategoryId],
}

/// The positions of the fields.
#[derive(Clone, Copy)]
pub(crate) enum Fields<'g> {
    /// In the event and those that it inherits from.
    Inherited(&'g [FieldPosition]),
    /// In the event itself, in its order; the field at this position is the duration.
    /// The position after the last field adds it.
    Own { duration: usize },
}

impl<'g> From<&'g dyn ExportView> for EffectiveEvent<'g> {
    fn from(view: &'g dyn ExportView) -> Self {
        Self(Kind::View(view))
    }
}

impl<'g> EffectiveEvent<'g> {
    pub(crate) const fn of_spans(spans: Spans<'g>) -> Self {
        Self(Kind::Spans(spans))
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> Option<&'g [u8]> {
        match self.0 {
            Kind::Spans(spans) => spans.sent.event.name(),
            Kind::View(view) => view.name(),
        }
    }

    /// Returns the time of creation.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        match self.0 {
            Kind::Spans(spans) => spans.sent.event.created(),
            Kind::View(view) => view.created(),
        }
    }

    /// Returns the time of the last sending, if any.
    #[must_use]
    pub fn sent(&self) -> Option<Timestamp> {
        match self.0 {
            Kind::Spans(spans) => spans.sent.event.sent(),
            Kind::View(view) => view.sent(),
        }
    }

    /// Returns the level of the sending, if any.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self.0 {
            Kind::Spans(spans) => Some(spans.sent.level),
            Kind::View(view) => view.level(),
        }
    }

    /// Returns the names of the categories.
    #[must_use]
    pub fn categories(&self) -> Elements<'g> {
        Elements(match self.0 {
            Kind::Spans(spans) => Strings::Categories(spans.sent.categories, spans.categories),
            Kind::View(view) => Strings::ViewCategories(view),
        })
    }

    /// Calls `each` with the key and value of each field, in order.
    #[inline]
    pub fn each_field(&self, mut each: impl FnMut(&[u8], ValueRef<'_>)) {
        match self.0 {
            Kind::Spans(spans) => match spans.fields {
                Fields::Own { duration } => spans.each_own(duration, &mut each),
                Fields::Inherited(positions) => positions.iter().for_each(|position| {
                    let (key, value) = spans.field_at(position);
                    each(key, value);
                }),
            },
            Kind::View(view) => view.each_field(&mut each),
        }
    }

    /// Returns the line of source code that sent it.
    #[must_use]
    pub fn source(&self) -> Option<Source<'g>> {
        match self.0 {
            Kind::Spans(spans) => spans.sent.event.source(),
            Kind::View(view) => view.source(),
        }
    }

    /// Returns an event whose own fields and categories are all that this event has
    /// and inherits.
    ///
    /// # Errors
    /// The event would be larger than [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    pub fn to_event(&self) -> Result<Event, TooLarge> {
        let mut builder = Some(Event::builder(self.created()));
        let mut build = |step: &mut dyn FnMut(EventBuilder) -> EventBuilder| {
            builder = builder.take().map(step);
        };
        if let Some(name) = self.name() {
            build(&mut |event| event.name(name));
        }
        if let Some(sent) = self.sent() {
            build(&mut |event| event.sent(sent));
        }
        if let Some(Source { file, line }) = self.source() {
            build(&mut |event| event.source(file, line));
        }
        self.categories()
            .for_each(|name| build(&mut |event| event.category(name)));
        self.each_field(|key, value| build(&mut |event| event.field(key, value)));
        builder.map_or(Err(TooLarge), EventBuilder::build)
    }

    /// Calls `then` with the value of a chosen field: the value that
    /// [`each_field`](Self::each_field) has for this key, else an empty list of the
    /// global event or its ancestors, as Dovecot does.
    pub fn with_field(&self, key: &[u8], then: impl FnOnce(ValueRef<'_>)) {
        match self.0 {
            Kind::Spans(spans) => {
                if let Some(value) = spans.field(key).or_else(|| spans.global_field(key)) {
                    then(value);
                }
            }
            Kind::View(view) => {
                let mut then = Some(then);
                view.chosen_field(key, &mut |value| {
                    if let Some(then) = then.take() {
                        then(value);
                    }
                });
            }
        }
    }

    /// Returns the value of the field with this key. For another type's view this is
    /// [`EventView::field`](crate::EventView::field), whose lists may repeat an
    /// element.
    #[must_use]
    pub fn field(&self, key: &[u8]) -> Option<ValueRef<'g>> {
        match self.0 {
            Kind::Spans(spans) => spans.field(key),
            Kind::View(view) => view.field(key),
        }
    }
}

impl<'g> Spans<'g> {
    /// Builds each value in the call that passes it on, which saves a copy.
    #[inline(always)]
    fn each_own(self, duration: usize, each: &mut impl FnMut(&[u8], ValueRef<'_>)) {
        let event = self.sent.event;
        for (at, field) in self.own.iter().enumerate() {
            let key = field.key.of(event.text);
            match field.value {
                _ if at == duration => each(key, self.duration()),
                ValueSpan::Str(text) => each(key, ValueRef::Str(text.of(event.text))),
                ValueSpan::Int(number) => each(key, ValueRef::Int(number)),
                other => each(key, event.value_of(other)),
            }
        }
        if duration == self.own.len() {
            each(DURATION, self.duration());
        }
    }

    fn duration(self) -> ValueRef<'g> {
        ValueRef::Int(self.sent.event.duration_micros())
    }

    fn field_at(self, position: &FieldPosition) -> (&'g [u8], ValueRef<'g>) {
        let (event, fields) = match position.holder {
            0 => (self.sent.event, self.own),
            holder => {
                let event = self.sent.holder(holder);
                (event, event.parts.fields.as_slice())
            }
        };
        let Some(field) = fields.get(position.at as usize) else {
            // Only the duration may be missing in the event.
            return (DURATION, self.duration());
        };
        let value = match position.value {
            Inherited::AsSent | Inherited::Lists { .. } => event.value_of(field.value),
            Inherited::Duration => self.duration(),
            Inherited::Joined { start, end } => {
                let elements = self.elements.get(start..end).always();
                ValueRef::List(Elements(Strings::Joined(self.sent, elements)))
            }
        };
        (field.key.of(event.text), value)
    }

    /// Returns the value of a field of the global event or its ancestors. If no field
    /// that is not empty has this key, it is an empty list.
    fn global_field(self, key: &[u8]) -> Option<ValueRef<'g>> {
        let mut global = self.sent.global.iter();
        global.find_map(|ancestor| ancestor.event.as_event_ref().field(key))
    }

    fn field(self, key: &[u8]) -> Option<ValueRef<'g>> {
        if key == DURATION {
            return Some(self.duration());
        }
        match self.fields {
            Fields::Own { .. } => {
                let event = self.sent.event;
                let mut fields = self.own.iter();
                let field = fields.find(|field| field.key.of(event.text) == key)?;
                Some(event.value_of(field.value))
            }
            Fields::Inherited(positions) => {
                let mut fields = positions.iter().map(|position| self.field_at(position));
                fields.find_map(|(known, value)| (known == key).then_some(value))
            }
        }
    }
}

impl fmt::Debug for EffectiveEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EffectiveEvent")
            .field("name", &self.name().map(|name| name.escape_ascii()))
            .field("created", &self.created())
            .field("sent", &self.sent())
            .finish_non_exhaustive()
    }
}
