//! Filters and events for matching many filters at once: the events of a
//! recording, and any number of filters, like those of metrics for one user,
//! command or category each.
//!
//! A [`Rule`] is a filter in no particular language, so that it can be written
//! in those of other engines, too. It uses only their common operations:
//! equality, `>`, AND, OR, NOT; no wildcards, lists or networks.

use std::collections::BTreeMap;

use fantail_event::{
    Activity, CategoryTree, Dialect, EffectiveBuffers, Event, SentEvent, ValueRef, text,
};
use fantail_wire::{Connection, Intake, Limits};

use crate::Recording;

/// The texts and numbers that people count by, without ids of connections.
const TEXTS: &[&str] = &[
    "cmd_name",
    "error",
    "field",
    "mail_from",
    "mailbox",
    "mechanism",
    "new_decision",
    "passdb",
    "protocol",
    "rcpt_to",
    "reason",
    "reply_state",
    "result",
    "service",
    "socket_path",
    "success",
    "tagged_reply_state",
    "transport",
    "userdb",
];
const NUMBERS: &[&str] = &[
    "file_size",
    "lock_wait_usecs",
    "message_size",
    "net_in_bytes",
    "net_out_bytes",
    "recipients",
    "running_usecs",
    "status_code",
    "uid",
    "vsz",
];

/// The number of events.
const EVENTS: usize = 4_000;

/// Lines with one event each, including its inherited fields.
#[derive(Debug)]
pub struct Lines {
    lines: Vec<Vec<u8>>,
    categories: CategoryTree,
}

/// The events, borrowed from their lines as in a server.
#[derive(Debug)]
pub struct Events<'a> {
    /// The events in the order of the recording, which is repeated.
    pub events: Vec<Event>,
    categories: &'a CategoryTree,
}

/// A filter: all its conditions must hold.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The name of the event.
    pub name: Option<String>,
    /// A category that the event is in.
    pub category: Option<String>,
    /// Alternatives: one of these fields has this text, unless there are none.
    pub any: Vec<(String, String)>,
    /// A field that must be greater than this number.
    pub above: Option<(String, i64)>,
    /// A field that must not have this text.
    pub not: Option<(String, String)>,
}

impl Lines {
    /// Returns the named events of the recording of Dovecot 2.4.1.
    #[must_use]
    pub fn new() -> Self {
        let recording = Recording::dovecot_2_4();
        let (mut intake, mut buffers) = (Intake::new(), EffectiveBuffers::new());
        let mut named = Vec::new();
        for lines in recording.clients() {
            let mut connection = Connection::new(recording.dialect, Limits::default());
            for line in lines {
                let handled = connection.handle(line, &mut intake, |activity| {
                    if let Activity::Sent { event, .. } = activity
                        && event.event.name().is_some()
                        && let Ok(effective) = buffers.gather(&event).to_event()
                    {
                        let mut line = Vec::new();
                        text::write(effective.as_event_ref(), &mut line);
                        named.push(line);
                    }
                });
                // Tests check that recordings are read without an error.
                handled.ok();
            }
            connection.close(&mut intake, |_| {});
        }
        let lines = named.into_iter().cycle().take(EVENTS).collect();
        Self {
            lines,
            categories: intake.categories,
        }
    }

    /// Returns the text forms of the events.
    #[must_use]
    pub fn texts(&self) -> &[Vec<u8>] {
        &self.lines
    }

    /// Returns all categories of the events.
    #[must_use]
    pub const fn categories(&self) -> &CategoryTree {
        &self.categories
    }

    /// Parses the lines.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        let mut events = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let event = Event::parse(line, &self.categories, Dialect::V2_4);
            // A written event can be parsed.
            events.extend(event);
        }
        Events {
            events,
            categories: &self.categories,
        }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Events<'_> {
    /// Returns a sent event.
    #[must_use]
    pub fn sent<'a>(&'a self, event: &'a Event) -> SentEvent<'a> {
        SentEvent {
            categories: self.categories,
            ..SentEvent::alone(event)
        }
    }

    /// Returns rules about these events, the same ones each time.
    #[must_use]
    pub fn rules(&self, count: usize) -> Vec<Rule> {
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        (0..count).map(|_| self.rule(&mut dice)).collect()
    }

    fn rule(&self, dice: &mut Dice) -> Rule {
        let event = dice.of(&self.events);
        let texts = texts_of(event);
        let numbers = numbers_of(event);
        let mut rule = Rule {
            name: event.as_event_ref().name().map(lossy),
            category: None,
            any: Vec::new(),
            above: None,
            not: None,
        };
        let user = |dice: &mut Dice| {
            let number = dice.below(10_000);
            ("user".to_owned(), format!("user{number}@example.net"))
        };
        match dice.below(20) {
            // The duration or the bytes of one kind of command.
            0..7 if !texts.is_empty() && !numbers.is_empty() => {
                let (key, value) = dice.of(&texts).clone();
                rule.any.push((key, value));
                let (key, number) = dice.of(&numbers).clone();
                // At most the maximum number of one of the engines.
                let above = number.saturating_mul(1 + dice.below(8).cast_signed());
                rule.above = Some((key, above.min(i32::MAX.into())));
            }
            7..10 if !texts.is_empty() => {
                let (key, value) = dice.of(&texts).clone();
                rule.not = Some((key, value));
                rule.any.push(user(dice));
            }
            10..12 => rule.any.extend([user(dice), user(dice)]),
            12..14 => {
                rule.name = None;
                rule.category = event.as_event_ref().categories().next().map(lossy);
                rule.any.push(user(dice));
            }
            14 => {
                rule.name = None;
                rule.any.push(user(dice));
            }
            _ => rule.any.push(user(dice)),
        }
        rule
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the text fields that distinguish events of one name.
fn texts_of(event: &Event) -> Vec<(String, String)> {
    let fields = event.as_event_ref().fields();
    let fields = fields.filter_map(|(key, value)| match value {
        ValueRef::Str(text) if is_of(TEXTS, key) && text.iter().all(is_plain) => {
            Some((lossy(key), lossy(text)))
        }
        _ => None,
    });
    fields.filter(|(_, text)| !text.is_empty()).collect()
}

fn is_of(known: &[&str], key: &[u8]) -> bool {
    known.iter().any(|known| known.as_bytes() == key)
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'*' | b'?')
}

fn numbers_of(event: &Event) -> Vec<(String, i64)> {
    let fields = event.as_event_ref().fields();
    let fields = fields.filter_map(|(key, value)| match value {
        ValueRef::Int(number) if is_of(NUMBERS, key) && number > 0 => Some((lossy(key), number)),
        _ => None,
    });
    fields.collect()
}

impl Rule {
    /// Returns the rule as a filter of Dovecot.
    #[must_use]
    pub fn filter(&self) -> String {
        let mut terms = Vec::new();
        terms.extend(self.name.as_ref().map(|name| format!("event={name}")));
        terms.extend(self.category.as_ref().map(|it| format!("category={it}")));
        let any: Vec<_> = self
            .any
            .iter()
            .map(|(k, v)| format!("{k}=\"{v}\""))
            .collect();
        match &*any {
            [] => {}
            [one] => terms.push(one.clone()),
            many => terms.push(format!("({})", many.join(" OR "))),
        }
        terms.extend(self.above.as_ref().map(|(key, n)| format!("{key}>{n}")));
        terms.extend(self.not.as_ref().map(|(k, v)| format!("NOT {k}=\"{v}\"")));
        terms.join(" AND ")
    }
}

/// Returns the fields in rules, for engines that need to know them in advance:
/// whether each is a number.
#[must_use]
pub fn fields(rules: &[Rule]) -> BTreeMap<&str, bool> {
    let mut fields = BTreeMap::new();
    for rule in rules {
        for (key, _) in rule.any.iter().chain(&rule.not) {
            fields.insert(key.as_str(), false);
        }
        fields.extend(rule.above.as_ref().map(|(key, _)| (key.as_str(), true)));
    }
    fields
}

/// Random numbers that are the same each time (xorshift64*).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    #[allow(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "below the length"
    )]
    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}
