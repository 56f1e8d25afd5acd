//! An event and the values of its fields.

use fantail_event::{Ip, Timestamp};

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string. The empty string stands for a field that was removed.
    Str(Vec<u8>),
    /// A 64-bit signed integer.
    Int(i64),
    /// A point in time.
    Time(Timestamp),
    /// An IP address.
    Ip(Ip),
    /// A list of strings.
    List(Vec<Vec<u8>>),
}

/// Fields in order; each key occurs once.
pub type Fields = Vec<(Vec<u8>, Value)>;

/// Sets a field: a known key keeps its position, a new key is appended.
pub fn set(fields: &mut Fields, key: &[u8], value: Value) {
    match fields.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value,
        None => fields.push((key.to_vec(), value)),
    }
}

/// An event without what it inherits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The name, if the event has one.
    pub name: Option<Vec<u8>>,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last sending.
    pub sent: Option<Timestamp>,
    /// The source file and line.
    pub source: Option<(Vec<u8>, u32)>,
    /// Whether the sender always logs the source.
    pub always_log_source: bool,
    /// The event's own categories, each once.
    pub categories: Vec<Vec<u8>>,
    /// The event's own fields.
    pub fields: Fields,
}

impl Event {
    /// Returns the event's own value of a field.
    #[must_use]
    pub fn field(&self, key: &[u8]) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// Returns the microseconds from creation to sending: 0 if the event was
    /// not sent, was sent in the first second of 1970, or was sent before it
    /// was created.
    #[must_use]
    pub fn duration_micros(&self) -> i64 {
        match self.sent {
            Some(sent) if sent.seconds() != 0 => sent.micros_since(self.created).max(0),
            _ => 0,
        }
    }

    /// Applies an UPDATE: what the update has replaces what the event has. Its
    /// categories replace those of the event even if it has none.
    pub fn update(&mut self, update: Self) {
        self.created = update.created;
        self.name = update.name.or(self.name.take());
        self.sent = update.sent.or(self.sent);
        self.source = update.source.or(self.source.take());
        self.always_log_source = self.always_log_source || update.always_log_source;
        self.categories = update.categories;
        for (key, value) in update.fields {
            set(&mut self.fields, &key, value);
        }
    }
}
