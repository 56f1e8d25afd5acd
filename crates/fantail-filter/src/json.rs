//! JSON objects as events.
//!
//! Nested objects are not fields: nothing is flattened.

use fantail_event::{ElementSource, Elements, EventView, ValueRef};
use serde_json::{Map, Value};

/// A JSON object seen as an event.
///
/// Its member `event` is the event's name if it is a string; the strings in
/// its member `categories` are its categories, each without ancestors. Every
/// member is a field: strings, numbers, booleans and arrays, whose elements are
/// the strings among their values. `null` and objects are like fields that are
/// missing.
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
    /// Creates a view of an object as an event.
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
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Some(ValueRef::Int(number)),
                (None, Some(number)) => Some(ValueRef::from(number)),
                (None, None) => number.as_f64().map(ValueRef::Float),
            },
            Value::Bool(truth) => Some(ValueRef::Bool(*truth)),
            Value::Array(_) => {
                let mut keys = (0..).zip(self.object.keys());
                let (list, _) = keys.find(|(_, known)| known.as_bytes() == key)?;
                Some(ValueRef::List(Elements::of(self, list)))
            }
            Value::Null | Value::Object(_) => None,
        }
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.strings(b"categories").any(|own| own == category)
    }
}

/// A list is named by the position of its member.
impl ElementSource for JsonEvent<'_> {
    fn any_element(&self, list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let member = usize::try_from(list).ok();
        let array = member.and_then(|at| self.object.values().nth(at)?.as_array());
        let strings = array.into_iter().flatten().filter_map(Value::as_str);
        strings.map(str::as_bytes).any(test)
    }
}
