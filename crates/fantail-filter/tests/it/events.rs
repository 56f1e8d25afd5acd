//! Events for the tests, from their text form.

use fantail_event::{CategoryTree, Dialect, Event, Level, SentEvent, text};

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
pub(crate) fn parse<'a>(arguments: &'a [u8], known: &CategoryTree, dialect: Dialect) -> Event<'a> {
    text::parse(arguments.split(|&byte| byte == b'\t'), known, dialect).unwrap()
}

/// A sending of this event alone.
pub(crate) fn sent<'a>(
    event: &'a Event<'a>,
    categories: &'a CategoryTree,
    level: Level,
) -> SentEvent<'a> {
    SentEvent {
        level,
        event,
        parents: &[],
        global: &[],
        categories,
    }
}

/// An event with all that it inherits, as owned parts.
pub(crate) struct Family {
    categories: CategoryTree,
    /// The event first, then its parents upward.
    own: Vec<Event<'static>>,
    /// The global event first, then its parents upward.
    global: Vec<Event<'static>>,
}

impl Family {
    /// Events without their creation times, TABs written as blanks; `own` is
    /// the event and its parents upward, `global` the global event and its.
    pub(crate) fn new(own: &[&str], global: &[&str]) -> Self {
        let categories = categories();
        let event = |text: &&str| {
            let blank = if text.is_empty() { "" } else { " " };
            let arguments = format!("1 0{blank}{text}").replace(' ', "\t");
            parse(arguments.as_bytes(), &categories, Dialect::V2_4).into_owned()
        };
        Self {
            own: own.iter().map(event).collect(),
            global: global.iter().map(event).collect(),
            categories,
        }
    }

    /// Calls with a sending of the event.
    pub(crate) fn send<T>(&self, receive: impl FnOnce(&SentEvent<'_>) -> T) -> T {
        let parents: Vec<_> = self.own.iter().skip(1).collect();
        let global: Vec<_> = self.global.iter().collect();
        receive(&SentEvent {
            level: Level::Info,
            event: &self.own[0],
            parents: &parents,
            global: &global,
            categories: &self.categories,
        })
    }
}
