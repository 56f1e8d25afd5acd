//! Events as libdovecot's filters read them.

use fantail_event::{DURATION, EventView, Level, SentEvent, Source, ValueRef};

/// Some categories that Dovecot's processes register, with their parents; each parent
/// precedes its children.
pub const DOVECOT_CATEGORIES: [(&str, Option<&str>); 13] = [
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

/// An event before a stats process has set its field `duration`.
///
/// The stats process sets the field before it matches filters; other programs that
/// use libdovecot's filters do not. To them, `duration` is a field like any other.
#[derive(Debug, Clone, Copy)]
pub struct UnprocessedEvent<'a>(pub SentEvent<'a>);

impl EventView for UnprocessedEvent<'_> {
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
