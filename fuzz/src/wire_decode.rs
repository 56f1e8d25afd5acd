//! The text form of events: what is read from a client can be written, and
//! reads back as the same.
//!
//! The input's first byte chooses the dialect: `3` for 2.3, any other for
//! 2.4. A line `CATEGORY name [parent]` after it registers a category. Each
//! other line is an event in its text form: the event itself, its parents
//! with the nearest first, and behind an empty line the global event with its
//! parents. Lines that are no event are passed over.

use fantail_event::{
    CategoryTree, Dialect, Event, EventView as _, Level, SentEvent, Value, escape, text,
};

/// decode ∘ encode is the identity, for bytes, for events, and for an event
/// with all that it inherits; and look-ups agree with the flattened event.
///
/// # Panics
/// One of these does not hold.
pub fn wire_decode(data: &[u8]) {
    let Some((dialect, rest)) = data.split_first() else {
        return;
    };
    let dialect = match dialect {
        b'3' => Dialect::V2_3,
        _ => Dialect::V2_4,
    };
    bytes_survive(rest);
    let mut categories = CategoryTree::default();
    let lines = rest.split(|&byte| byte == b'\n');
    let events: Vec<&[u8]> = lines
        .filter(|line| !is_category(line, &mut categories))
        .collect();
    let mut own = Vec::new();
    let mut global = Vec::new();
    let mut chain = &mut own;
    for line in events {
        if line.is_empty() {
            chain = &mut global;
        } else if let Some(event) = event_survives(line, &categories, dialect) {
            chain.push(event);
        }
    }
    let own: Vec<&Event<'_>> = own.iter().collect();
    let global: Vec<&Event<'_>> = global.iter().collect();
    if let Some((event, parents)) = own.split_first() {
        let sent = SentEvent {
            level: Level::Info,
            event,
            parents,
            global: &global,
            categories: &categories,
        };
        inheritance_agrees(&sent, dialect);
    }
}

/// Escaped bytes can stand in a line, and come back.
fn bytes_survive(bytes: &[u8]) {
    let escaped = escape::escape(bytes);
    let separator = |byte: &u8| matches!(byte, 0 | b'\t' | b'\r' | b'\n');
    assert!(!escaped.iter().any(separator), "a separator in {escaped:?}");
    assert_eq!(escape::unescape(&escaped), bytes);
}

fn event_survives<'a>(
    line: &'a [u8],
    categories: &CategoryTree,
    dialect: Dialect,
) -> Option<Event<'a>> {
    let event = text::parse(line.split(|&byte| byte == b'\t'), categories, dialect).ok()?;
    reads_back(&event, categories, dialect);
    assert_eq!(event.clone().into_owned(), event);
    Some(event)
}

fn reads_back(event: &Event<'_>, categories: &CategoryTree, dialect: Dialect) {
    let mut written = Vec::new();
    text::write(event, &mut written);
    let arguments = written.split(|&byte| byte == b'\t');
    assert_eq!(
        text::parse(arguments, categories, dialect).as_ref(),
        Ok(event)
    );
}

fn inheritance_agrees(sent: &SentEvent<'_>, dialect: Dialect) {
    let flat = sent.flatten();
    reads_back(&flat, sent.categories, dialect);
    for event in sent.chain() {
        for field in event.fields() {
            let key = &field.key;
            assert!(flat.own_field(key).is_some(), "{key:?} is lost");
        }
        for category in &event.categories {
            assert!(flat.categories.contains(category), "{category:?} is lost");
            assert!(sent.in_category(category), "not in {category:?}");
        }
    }
    for field in flat.fields() {
        match (&field.value, sent.find(&field.key)) {
            (Value::List(elements), Some(Value::List(_))) => {
                for element in elements {
                    let found = sent.any_element(&field.key, &mut |other| other == &**element);
                    assert!(found, "{element:?} of {:?}", field.key);
                }
            }
            (value, found) => assert_eq!(Some(value), found),
        }
        assert!(sent.field_origin(&field.key).is_some());
    }
}

/// Registers what the line says, if it is a registration at all; one that is
/// refused changes nothing.
fn is_category(line: &[u8], categories: &mut CategoryTree) -> bool {
    let mut arguments = line.split(|&byte| byte == b'\t');
    if arguments.next() != Some(b"CATEGORY") {
        return false;
    }
    let name = escape::unescape(arguments.next().unwrap_or_default());
    let parent = arguments.next().map(escape::unescape);
    let before = categories.iter().count();
    match categories.register(&name, parent.as_deref()) {
        Ok(()) => assert!(categories.contains(&name)),
        Err(_) => assert_eq!(categories.iter().count(), before),
    }
    true
}
