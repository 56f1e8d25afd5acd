//! Events for the tests, from their text form.

use fantail_event::{
    Ancestor, CategoryTree, DURATION, Dialect, Event, EventView, Level, SentEvent, Source, ValueRef,
};

/// The categories that the vectors were made with.
pub(crate) fn categories() -> CategoryTree {
    let registered = [
        ("imap", None),
        ("pop3", None),
        ("lmtp", None),
        ("auth", None),
        ("storage", None),
        ("mailbox", Some("storage")),
        ("mail", Some("mailbox")),
        ("maildir", Some("storage")),
        ("service:imap", None),
        ("service:pop3", None),
        ("http-client", None),
        ("sql", None),
        ("mysql", Some("sql")),
    ];
    let mut tree = CategoryTree::default();
    for (name, parent) in registered {
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

/// An event as libdovecot's filters saw it when the answers of the vectors were
/// recorded: Dovecot's stats process sets the field `duration` before it matches
/// filters, the program that recorded them did not. To 2.3 it was a field that
/// the event's sender had set or not.
pub(crate) struct Library<'a>(pub(crate) SentEvent<'a>);

impl EventView for Library<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.0.name()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match key == DURATION {
            true => self.0.event.field(DURATION),
            false => self.0.field(key),
        }
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
