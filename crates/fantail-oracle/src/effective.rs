//! What an event inherits.

use fantail_event::{Level, Timestamp};

use crate::{Categories, Event, Fields, Value, set};

/// An event that was sent, with everything it inherits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The level of the sending.
    pub level: Level,
    /// The event itself, with its field `duration`.
    pub event: Event,
    /// The parent, its parent and so on.
    pub parents: Vec<Event>,
    /// The global event, its parent and so on.
    pub global: Vec<Event>,
}

/// An event with everything it inherits written into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The level of the sending.
    pub level: Level,
    /// The event's own name.
    pub name: Option<Vec<u8>>,
    /// The time of the event's creation.
    pub created: Timestamp,
    /// The time of the event's last sending.
    pub sent: Option<Timestamp>,
    /// The event's own source file and line.
    pub source: Option<(Vec<u8>, u32)>,
    /// All categories with their ancestors, each once.
    pub categories: Vec<Vec<u8>>,
    /// All fields.
    pub fields: Fields,
}

impl Sent {
    /// All events, the outermost first: the root of the global event, …, the
    /// global event, the root of the event, …, its parent, the event itself.
    fn outermost_first(&self) -> Vec<&Event> {
        let mut events = Vec::new();
        events.extend(self.global.iter().rev());
        events.extend(self.parents.iter().rev());
        events.push(&self.event);
        events
    }

    fn inherits(&self) -> bool {
        !self.parents.is_empty() || !self.global.is_empty()
    }

    /// Looks a field up: in the event, its ancestors upward, then the global
    /// event and its ancestors.
    #[must_use]
    pub fn field(&self, key: &[u8]) -> Option<&Value> {
        let mut events = vec![&self.event];
        events.extend(&self.parents);
        events.extend(&self.global);
        events.into_iter().find_map(|event| event.field(key))
    }

    /// Returns the value of a field that an exporter chose and that the effective event
    /// does not have: Dovecot looks it up in the global event and its ancestors, whose
    /// empty lists are not left out.
    #[must_use]
    pub fn global_field(&self, key: &[u8]) -> Option<&Value> {
        self.global.iter().find_map(|event| event.field(key))
    }

    /// Returns the elements of all lists with this key, the outermost event's
    /// first.
    #[must_use]
    pub fn elements(&self, key: &[u8]) -> Vec<Vec<u8>> {
        let mut elements = Vec::new();
        for event in self.outermost_first() {
            if let Some(Value::List(list)) = event.field(key) {
                elements.extend(list.iter().cloned());
            }
        }
        elements
    }

    /// Whether one of the events has this category or one that descends from
    /// it.
    #[must_use]
    pub fn in_category(&self, category: &[u8], categories: &Categories) -> bool {
        let events = self.outermost_first();
        let mut own = events.iter().flat_map(|event| &event.categories);
        own.any(|own| categories.is_within(own, category))
    }

    /// Returns the event with everything it inherits.
    ///
    /// Fields and categories have the order in which they first occur, from
    /// the outermost event inward. An inner value replaces an outer one, but a
    /// list that follows a list adds those of its elements that are new. A list
    /// has each element once, and an empty list counts as no field. An event
    /// that inherits nothing keeps its fields as they are.
    #[must_use]
    pub fn effective(&self, categories: &Categories) -> Effective {
        let mut all_categories: Vec<Vec<u8>> = Vec::new();
        let mut fields = Fields::new();
        for event in self.outermost_first() {
            for own in &event.categories {
                for category in categories.with_ancestors(own) {
                    if !all_categories.contains(&category) {
                        all_categories.push(category);
                    }
                }
            }
            for (key, value) in &event.fields {
                if self.inherits() && *value == Value::List(Vec::new()) {
                    continue;
                }
                let outer = fields.iter().find(|(known, _)| known == key);
                let joined = match (outer, value) {
                    (Some((_, Value::List(outer))), Value::List(inner)) => join(outer, inner),
                    (_, Value::List(inner)) if self.inherits() => join(&[], inner),
                    _ => value.clone(),
                };
                set(&mut fields, key, joined);
            }
        }
        Effective {
            level: self.level,
            name: self.event.name.clone(),
            created: self.event.created,
            sent: self.event.sent,
            source: self.event.source.clone(),
            categories: all_categories,
            fields,
        }
    }
}

fn join(outer: &[Vec<u8>], inner: &[Vec<u8>]) -> Value {
    let mut list = outer.to_vec();
    for element in inner {
        if !list.contains(element) {
            list.push(element.clone());
        }
    }
    Value::List(list)
}
