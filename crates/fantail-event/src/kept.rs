//! An event that is kept, because others inherit from it.
//!
//! Its text lies in one buffer, its parts beside it. An update is appended to
//! the text, and what it replaces stays there as waste until half of the
//! buffer is waste; then it is copied.

use alloc::{boxed::Box, vec::Vec};
use core::cell::{OnceCell, Ref, RefCell};

use crate::{
    CategoryId, CategoryTree, Event, RawEvent,
    raw::{Parts, RawField, RawValue, Span},
    scan::{MAX_TEXT, repeated},
};

/// Waste that is not worth copying a text for.
const WASTE: usize = 512;

/// Bytes that an event that is kept has room for from the beginning.
const ROOM: usize = 128;

/// An event that outlives its line.
#[derive(Debug, Default)]
pub struct KeptEvent {
    text: Vec<u8>,
    parts: Parts,
    /// The text is copied when it is longer than this.
    copied_at: usize,
    known: RefCell<Known>,
    /// The same event with its own bytes, for those who want it that way.
    event: OnceCell<Box<Event<'static>>>,
}

/// What somebody found out about a [`KeptEvent`], and would not want to find
/// out again for each event that inherits from it. The numbers mean what that
/// one likes.
#[derive(Debug, Default)]
pub struct Known {
    revision: u64,
    /// The number of the set of its categories.
    pub categories: u32,
    /// The slots of its fields, and their places among them.
    pub slots: Vec<(u32, u32)>,
}

impl KeptEvent {
    /// A copy of an event; its keys are distinct.
    #[must_use]
    pub fn new(event: RawEvent<'_>) -> Self {
        let mut kept = Self::default();
        kept.replace(event);
        kept
    }

    /// Makes it a copy of another event, in the same memory.
    pub fn replace(&mut self, event: RawEvent<'_>) {
        self.forget();
        self.text.clear();
        // Room for a field that is set, and for a small update.
        self.text.reserve(event.text.len() + ROOM);
        self.text.extend_from_slice(event.text);
        self.parts.fields.reserve(event.len() + 4);
        self.parts.copy_from(event.parts);
        repeated::merge(&mut self.parts.fields, &self.text);
        self.copied_at = 2 * self.text.len() + WASTE;
    }

    /// Takes over what an update says, as [`Event::merge`] does; `false` if
    /// it would be larger than [`MAX_TEXT`].
    #[must_use]
    pub fn update(&mut self, update: RawEvent<'_>) -> bool {
        let Some(offset) = self.append(update.text) else {
            return false;
        };
        let (parts, new) = (&mut self.parts, update.parts);
        parts.created = new.created;
        parts.always_log_source |= new.always_log_source;
        parts.sent = new.sent.or(parts.sent);
        parts.name = new.name.map(|name| name.moved(offset)).or(parts.name);
        let source = new.source.map(|(file, line)| (file.moved(offset), line));
        parts.source = source.or(parts.source);
        for id in &new.categories {
            if !parts.categories.contains(id) {
                parts.categories.push(*id);
            }
        }
        for field in &new.fields {
            let value = match field.value {
                RawValue::Str(text) => RawValue::Str(text.moved(offset)),
                RawValue::Ip(text) => RawValue::Ip(text.moved(offset)),
                RawValue::List(list) => {
                    let start = parts.elements.len();
                    let elements = new.elements(list).iter();
                    let elements = elements.map(|element| element.moved(offset));
                    parts.elements.extend(elements);
                    RawValue::List(Span::between(start, parts.elements.len()))
                }
                RawValue::Int(_) | RawValue::Time(_) => field.value,
            };
            let key = field.key.moved(offset);
            repeated::set(&mut parts.fields, RawField { key, value }, &self.text);
        }
        self.drop_waste();
        true
    }

    /// Sets a field to a number; `false` if it would be larger than
    /// [`MAX_TEXT`].
    #[must_use]
    pub fn set_int(&mut self, key: &[u8], number: i64) -> bool {
        let Some(start) = self.append(key) else {
            return false;
        };
        let field = RawField {
            key: Span::between(start as usize, self.text.len()),
            value: RawValue::Int(number),
        };
        repeated::set(&mut self.parts.fields, field, &self.text);
        true
    }

    /// The event, to be looked at.
    #[must_use]
    #[inline]
    pub fn raw(&self) -> RawEvent<'_> {
        RawEvent {
            text: &self.text,
            parts: &self.parts,
        }
    }

    /// The event as a value of its own; made when it is first asked for. The
    /// categories are those that it was read with.
    #[must_use]
    pub fn event(&self, categories: &CategoryTree) -> &Event<'static> {
        let make = || Box::new(self.raw().to_event(categories).into_owned());
        self.event.get_or_init(make)
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let parts = &self.parts;
        size_of::<Self>()
            + self.text.len()
            + size_of_val(parts.fields.as_slice())
            + size_of_val(parts.elements.as_slice())
            + size_of_val(parts.categories.as_slice())
            // What may be known of it.
            + parts.fields.len() * size_of::<(u32, u32)>()
    }

    /// About how many bytes it has room for.
    pub(crate) fn capacity(&self) -> usize {
        let parts = &self.parts;
        size_of::<Self>()
            + self.text.capacity()
            + parts.fields.capacity() * size_of::<RawField>()
            + parts.elements.capacity() * size_of::<Span>()
            + parts.categories.capacity() * size_of::<CategoryId>()
    }

    /// What `find` found out about the event as it is, unless that is known
    /// from before by the same `revision` (any but 0): a number that changes
    /// whenever the answer would.
    #[inline]
    pub fn known(
        &self,
        revision: u64,
        find: impl FnOnce(RawEvent<'_>, &mut Known),
    ) -> Ref<'_, Known> {
        if self.known.borrow().revision != revision {
            let mut known = self.known.borrow_mut();
            known.slots.clear();
            known.categories = 0;
            find(self.raw(), &mut known);
            known.revision = revision;
        }
        self.known.borrow()
    }

    /// Nothing is known of it any more.
    pub(crate) fn forget(&mut self) {
        self.known.get_mut().revision = 0;
        self.event.take();
    }

    /// Where the text now begins that was appended; changes what is known.
    fn append(&mut self, text: &[u8]) -> Option<u32> {
        if text.len() > MAX_TEXT.saturating_sub(self.text.len()) {
            return None;
        }
        self.forget();
        let offset = u32::try_from(self.text.len()).ok()?;
        self.text.extend_from_slice(text);
        Some(offset)
    }

    fn drop_waste(&mut self) {
        if self.text.len() <= self.copied_at {
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
        for field in &mut parts.fields {
            copy(&mut field.key);
            match &mut field.value {
                RawValue::Str(text) | RawValue::Ip(text) => copy(text),
                RawValue::List(list) => {
                    let start = parts.elements.len();
                    let places = list.start as usize..list.end as usize;
                    let elements = old_elements.get(places).unwrap_or_default();
                    parts.elements.extend_from_slice(elements);
                    let copied = parts.elements.get_mut(start..).unwrap_or_default();
                    copied.iter_mut().for_each(&mut copy);
                    *list = Span::between(start, parts.elements.len());
                }
                RawValue::Int(_) | RawValue::Time(_) => {}
            }
        }
        self.copied_at = 2 * self.text.len() + WASTE;
    }
}
