//! Events for the tests, from their text form.

use fantail_event::{Ancestor, CategoryTree, Dialect, Event, Level, SentEvent};
use fantail_filter::internal::DOVECOT_CATEGORIES;

/// The categories that the vectors were made with.
pub(crate) fn categories() -> CategoryTree {
    let mut tree = CategoryTree::default();
    for (name, parent) in DOVECOT_CATEGORIES {
        let parent = parent.map(str::as_bytes);
        tree.register(name.as_bytes(), parent).unwrap();
    }
    tree
}

/// The event with these arguments, TABs between them.
pub(crate) fn parse(arguments: &[u8], known: &CategoryTree, dialect: Dialect) -> Event {
    Event::parse(arguments, known, dialect).unwrap()
}

/// A sending of this event alone.
pub(crate) fn sent<'a>(
    event: &'a Event,
    categories: &'a CategoryTree,
    level: Level,
) -> SentEvent<'a> {
    SentEvent {
        level,
        categories,
        ..SentEvent::alone(event)
    }
}

/// Events as ancestors, nearest first, that are in no table of live events.
pub(crate) fn ancestors(events: &[Event]) -> Vec<Ancestor<'_>> {
    let events = events.iter();
    events.map(|event| Ancestor { event, live: None }).collect()
}

/// An event with all that it inherits, as owned parts.
pub(crate) struct Family {
    categories: CategoryTree,
    /// The event first, then its parents upward.
    own: Vec<Event>,
    /// The global event first, then its parents upward.
    global: Vec<Event>,
}

impl Family {
    /// Events without their creation times, TABs written as blanks; `own` is
    /// the event and its parents upward, `global` the global event and its.
    pub(crate) fn new(own: &[&str], global: &[&str]) -> Self {
        let categories = categories();
        let event = |text: &&str| {
            let blank = if text.is_empty() { "" } else { " " };
            let arguments = format!("1 0{blank}{text}").replace(' ', "\t");
            parse(arguments.as_bytes(), &categories, Dialect::V2_4)
        };
        Self {
            own: own.iter().map(event).collect(),
            global: global.iter().map(event).collect(),
            categories,
        }
    }

    /// Calls with a sending of the event.
    pub(crate) fn send<T>(&self, receive: impl FnOnce(&SentEvent<'_>) -> T) -> T {
        receive(&SentEvent {
            parents: &ancestors(&self.own[1..]),
            global: &ancestors(&self.global),
            categories: &self.categories,
            ..SentEvent::alone(&self.own[0])
        })
    }
}
