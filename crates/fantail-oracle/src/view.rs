//! A sent event as `fantail-filter` asks for it.

use std::borrow::Cow;

use fantail_event::{EventView, Level, Source, ValueRef};

use crate::{Categories, Sent, Value};

/// A sent event and the category tree.
pub(crate) struct View<'a> {
    sent: &'a Sent,
    categories: &'a Categories,
    source: Option<Source<'a>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(sent: &'a Sent, categories: &'a Categories) -> Self {
        let source = sent.event.source.as_ref().map(|(file, line)| Source {
            file: Cow::Borrowed(file),
            line: *line,
        });
        Self {
            sent,
            categories,
            source,
        }
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
            Value::Ip(ip) => ValueRef::Ip(*ip),
            Value::List(_) => ValueRef::List,
        })
    }

    fn any_element(&self, key: &[u8], test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.sent.elements(key).iter().any(|element| test(element))
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.sent.in_category(category, self.categories)
    }

    fn level(&self) -> Option<Level> {
        Some(self.sent.level)
    }

    fn source(&self) -> Option<&Source<'_>> {
        self.source.as_ref()
    }

    fn duration_micros(&self) -> Option<i64> {
        Some(self.sent.event.duration_micros())
    }
}
