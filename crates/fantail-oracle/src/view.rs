//! A sent event as `fantail-filter` asks for it.

use fantail_event::{ElementSource, Elements, EventView, Level, Source, ValueRef};

use crate::{Categories, Sent, Value};

/// A sent event and the category tree.
pub(crate) struct View<'a> {
    sent: &'a Sent,
    categories: &'a Categories,
}

impl<'a> View<'a> {
    pub(crate) fn new(sent: &'a Sent, categories: &'a Categories) -> Self {
        Self { sent, categories }
    }

    fn keys(&self) -> impl Iterator<Item = &'a [u8]> {
        let sent = self.sent;
        let inherited = sent.parents.iter().chain(&sent.global);
        let events = std::iter::once(&sent.event).chain(inherited);
        let fields = events.flat_map(|event| &event.fields);
        fields.map(|(key, _)| key.as_slice())
    }

    /// The number of a list: the first position of its key.
    fn number(&self, key: &[u8]) -> Option<u64> {
        u64::try_from(self.keys().position(|known| known == key)?).ok()
    }
}

impl ElementSource for View<'_> {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let at = usize::try_from(list).ok();
        let key = at.and_then(|at| self.keys().nth(at));
        let elements = key.map_or_else(Vec::new, |key| self.sent.elements(key));
        elements.iter().any(|element| test(element))
    }
}

impl EventView for View<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.sent.event.name.as_deref()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        Some(match self.sent.field(key)? {
            Value::Str(text) => ValueRef::Str(text),
            Value::Int(number) => ValueRef::Int(*number),
            Value::Time(time) => ValueRef::Time(*time),
            Value::Ip(ip) => ValueRef::from(*ip),
            Value::List(_) => ValueRef::List(Elements::of(self, self.number(key)?)),
        })
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.sent.in_category(category, self.categories)
    }

    fn level(&self) -> Option<Level> {
        Some(self.sent.level)
    }

    fn source(&self) -> Option<Source<'_>> {
        let (file, line) = self.sent.event.source.as_ref()?;
        Some(Source { file, line: *line })
    }

    fn duration_micros(&self) -> Option<i64> {
        Some(self.sent.event.duration_micros())
    }
}
