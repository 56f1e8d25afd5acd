//! A sent event as an event of another type.

use fantail_event::{
    EventView, ExportView, Level, SentEvent, Source, Timestamp, ValueOrigin, ValueRef,
};

/// A sent event that an engine does not recognise: it is handled like a type of
/// another program, by key.
#[derive(Debug, Clone, Copy)]
pub struct ByKey<'a>(pub &'a SentEvent<'a>);

impl EventView for ByKey<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.0.name()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        self.0.field(key)
    }

    fn field_origin(&self, key: &[u8]) -> Option<ValueOrigin> {
        self.0.field_origin(key)
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.0.in_category(category)
    }

    fn level(&self) -> Option<Level> {
        self.0.level()
    }

    fn source(&self) -> Option<Source<'_>> {
        self.0.source()
    }

    fn duration_micros(&self) -> Option<i64> {
        self.0.duration_micros()
    }
}

impl ExportView for ByKey<'_> {
    fn created(&self) -> Timestamp {
        self.0.created()
    }

    fn sent(&self) -> Option<Timestamp> {
        self.0.sent()
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.each_category(each);
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        self.0.each_field(each);
    }

    fn chosen_field(&self, key: &[u8], then: &mut dyn FnMut(ValueRef<'_>)) {
        self.0.chosen_field(key, then);
    }
}
