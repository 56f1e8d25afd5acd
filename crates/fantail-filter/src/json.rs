//! JSON objects as events.
//!
//! No other shape of JSON: nested objects are no fields, and nothing is
//! flattened.

use fantail_event::{EventView, ValueRef};
use serde_json::{Map, Value};

/// A JSON object seen as an event.
///
/// Its member `event` is the event's name if it is a string; the strings in
/// its member `categories` are its categories, each without ancestors. Every
/// member is a field: strings, integers that fit into 64 bits with sign, and
/// arrays (of which strings are the elements). A boolean is the string `yes`
/// or `no`, as Dovecot writes them; `null`, other numbers and objects are as
/// fields that are missing.
///
/// ```
/// use fantail_filter::{Filter, JsonEvent};
///
/// let json: serde_json::Value = serde_json::from_str(
///     r#"{"event": "login", "bytes": 4096, "tls": true, "flags": ["a", "b"]}"#,
/// )?;
/// let object = json.as_object().ok_or("no object")?;
/// let filter: Filter = "event=log* AND bytes>=4k AND tls=yes AND flags=b".parse()?;
/// assert!(filter.matches(&JsonEvent::new(object)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct JsonEvent<'a> {
    object: &'a Map<alloc::string::String, Value>,
}

impl<'a> JsonEvent<'a> {
    /// This object as an event.
    #[must_use]
    pub fn new(object: &'a Map<alloc::string::String, Value>) -> Self {
        Self { object }
    }

    fn member(&self, key: &[u8]) -> Option<&'a Value> {
        self.object.get(core::str::from_utf8(key).ok()?)
    }

    fn strings(&self, key: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let array = self.member(key).and_then(Value::as_array);
        let values = array.into_iter().flatten();
        values.filter_map(|value| Some(value.as_str()?.as_bytes()))
    }
}

impl EventView for JsonEvent<'_> {
    fn name(&self) -> Option<&[u8]> {
        Some(self.member(b"event")?.as_str()?.as_bytes())
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match self.member(key)? {
            Value::String(text) => Some(ValueRef::Str(text.as_bytes())),
            Value::Number(number) => number.as_i64().map(ValueRef::Int),
            Value::Bool(true) => Some(ValueRef::Str(b"yes")),
            Value::Bool(false) => Some(ValueRef::Str(b"no")),
            Value::Array(_) => Some(ValueRef::List),
            Value::Null | Value::Object(_) => None,
        }
    }

    fn any_element(&self, key: &[u8], test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.strings(key).any(test)
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.strings(b"categories").any(|own| own == category)
    }
}
