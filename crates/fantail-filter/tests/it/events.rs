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
