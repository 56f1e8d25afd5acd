//! One event by itself, without its parents.

use alloc::{borrow::Cow, vec::Vec};

use crate::{Timestamp, Value};

/// Bytes that are borrowed from a line where they can be.
pub type Bytes<'a> = Cow<'a, [u8]>;

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// The key; unique within one event.
    pub key: Bytes<'a>,
    /// The value.
    pub value: Value<'a>,
}

/// The place in Dovecot's source that sent an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// The file's name.
    pub file: Bytes<'a>,
    /// The line, 0 if unknown.
    pub line: u32,
}

/// An event: what the sender said of it, nothing inherited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event<'a> {
    /// The name; none for events that only carry fields for others.
    pub name: Option<Bytes<'a>>,
    /// When the event was created.
    pub created: Timestamp,
    /// When it was last sent, if ever.
    pub sent: Option<Timestamp>,
    /// Where it was sent.
    pub source: Option<Source<'a>>,
    /// Whether the sender forces debug logging of the source.
    pub always_log_source: bool,
    /// The names of its own categories.
    pub categories: Vec<Bytes<'a>>,
    fields: Vec<Field<'a>>,
    /// Of the keys of all fields.
    keys: KeyMask,
}

/// Which keys may be among some: most that are not there show it, without
/// anybody looking through the fields for them. A look-up that goes up to the
/// parents asks each event on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct KeyMask(u128);

impl KeyMask {
    /// The bit of a key, by its length and three of its bytes: Dovecot's keys
    /// differ in them.
    fn of(key: &[u8]) -> Self {
        let byte = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default());
        let middle = byte(key.get(key.len() / 2));
        let ends = byte(key.first()) << 16 | byte(key.last()) << 8;
        // Only its last bits count, so a cut-off length does no harm.
        let len = u32::try_from(key.len()).unwrap_or_default();
        let mixed = (ends | middle).wrapping_add(len << 24);
        Self(1 << (mixed.wrapping_mul(0x9e37_79b1) >> 25))
    }

    fn add(&mut self, key: &[u8]) {
        self.0 |= Self::of(key).0;
    }

    /// Whether the key may be there; `false` is certain.
    fn may_have(self, key: &[u8]) -> bool {
        self.0 & Self::of(key).0 != 0
    }
}

impl<'a> Event<'a> {
    /// An unnamed event without fields, created at this time.
    #[must_use]
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            ..Self::default()
        }
    }

    /// The fields in the order in which their keys came up.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The value of a field of this event itself.
    #[must_use]
    pub fn own_field(&self, key: &[u8]) -> Option<&Value<'a>> {
        let at = self.position(key)?;
        self.fields.get(at).map(|field| &field.value)
    }

    /// The value of the field at this place, if it has this key.
    #[inline]
    pub(crate) fn own_field_at(&self, place: usize, key: &[u8]) -> Option<&Value<'a>> {
        let field = self.fields.get(place)?;
        (*field.key == *key).then_some(&field.value)
    }

    /// As [`own_field`](Self::own_field), looking first at the place where a
    /// field of this key was found in another event; leaves there where it was
    /// found in this one.
    pub(crate) fn own_field_near(&self, key: &[u8], place: &mut usize) -> Option<&Value<'a>> {
        if !self.keys.may_have(key) {
            return None;
        }
        if let Some(value) = self.own_field_at(*place, key) {
            return Some(value);
        }
        *place = self.fields.iter().position(|field| *field.key == *key)?;
        self.fields.get(*place).map(|field| &field.value)
    }

    /// Sets a field: in place if the key is there already, else at the end.
    pub fn set(&mut self, key: impl Into<Bytes<'a>>, value: Value<'a>) {
        let key = key.into();
        let at = self.position(&key);
        match at.and_then(|at| self.fields.get_mut(at)) {
            Some(field) => field.value = value,
            None => {
                self.keys.add(&key);
                self.fields.push(Field { key, value });
            }
        }
    }

    fn position(&self, key: &[u8]) -> Option<usize> {
        if !self.keys.may_have(key) {
            return None;
        }
        self.fields.iter().position(|field| *field.key == *key)
    }

    /// Takes these fields for its own; no two may have one key.
    pub(crate) fn replace_fields(&mut self, fields: Vec<Field<'a>>) {
        self.keys = KeyMask::default();
        for field in &fields {
            self.keys.add(&field.key);
        }
        self.fields = fields;
    }

    /// The same event with neither categories nor fields.
    pub(crate) fn clone_without_fields(&self) -> Self {
        Self {
            name: self.name.clone(),
            created: self.created,
            sent: self.sent,
            source: self.source.clone(),
            always_log_source: self.always_log_source,
            categories: Vec::new(),
            fields: Vec::new(),
            keys: KeyMask::default(),
        }
    }

    /// Microseconds from creation to sending: 0 if it was never sent (or in
    /// the first second of 1970, which Dovecot takes for never), or sent
    /// before it was created (the sender's clock was set back; Dovecot's
    /// stats process dies of that).
    ///
    /// This is Dovecot's `duration`.
    #[must_use]
    pub fn duration_micros(&self) -> i64 {
        self.sent
            .filter(|sent| sent.seconds() != 0)
            .map_or(0, |sent| sent.micros_since(self.created).max(0))
    }

    /// Takes over what an update of this event says: its times, source, name
    /// and fields, and categories it did not have.
    pub fn merge(&mut self, update: Event<'a>) {
        self.created = update.created;
        self.always_log_source |= update.always_log_source;
        if update.sent.is_some() {
            self.sent = update.sent;
        }
        if update.source.is_some() {
            self.source = update.source;
        }
        if update.name.is_some() {
            self.name = update.name;
        }
        for category in update.categories {
            if !self.categories.contains(&category) {
                self.categories.push(category);
            }
        }
        for Field { key, value } in update.fields {
            self.set(key, value);
        }
    }

    /// The same event, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        fn own(bytes: Bytes<'_>) -> Bytes<'static> {
            Cow::Owned(bytes.into_owned())
        }
        Event {
            name: self.name.map(own),
            created: self.created,
            sent: self.sent,
            source: self.source.map(|source| Source {
                file: own(source.file),
                line: source.line,
            }),
            always_log_source: self.always_log_source,
            keys: self.keys,
            categories: self.categories.into_iter().map(own).collect(),
            fields: self
                .fields
                .into_iter()
                .map(|field| Field {
                    key: own(field.key),
                    value: field.value.into_owned(),
                })
                .collect(),
        }
    }
}
