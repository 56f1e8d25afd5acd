//! What a client of the stats-writer socket sends: what can be read can be
//! written and reads back as the same.
//!
//! The input's first byte is `3` for a 2.3 client, `4` for one of 2.4, and
//! any other for one of 2.4 under tight limits. The rest is what the client
//! sends after its handshake. A line that is refused ends its connection, and
//! the next line begins another one; the categories stay, as on a server.

use fantail_event::{CategoryTree, Dialect, Event, EventView as _, SentEvent, Value, escape, text};
use fantail_wire::{
    Command, Connection, Limits,
    capture::Capture,
    lines::{LineBuffer, WRITER_LINE},
};

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0";

/// decode ∘ encode is the identity for bytes, commands, events, and an event
/// with all that it inherits; look-ups agree with the flattened event; lines
/// are the same however they were read; and limits hold.
///
/// # Panics
/// One of these does not hold.
pub fn wire_decode(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let (dialect, limits) = match first {
        b'3' => (Dialect::V2_3, Limits::default()),
        b'4' => (Dialect::V2_4, Limits::default()),
        _ => (Dialect::V2_4, tight_limits()),
    };
    bytes_survive(rest);
    lines_are_whole(rest);
    capture_lines_are_counted(rest);
    let mut categories = CategoryTree::default();
    let mut connection = connected(dialect, &limits, &mut categories);
    for line in rest.split(|&byte| byte == b'\n') {
        command_survives(line);
        let accepted = connection.handle(line, &mut categories, |sent| {
            inheritance_agrees(sent, dialect);
        });
        assert!(connection.live_events() <= limits.live_events);
        if accepted.is_err() {
            connection = connected(dialect, &limits, &mut categories);
        }
    }
}

fn tight_limits() -> Limits {
    Limits {
        live_events: 4,
        live_bytes: 4096,
        ancestors: 2,
    }
}

fn connected(dialect: Dialect, limits: &Limits, categories: &mut CategoryTree) -> Connection {
    let mut connection = Connection::new(dialect, limits.clone());
    let greeted = connection.handle(HANDSHAKE, categories, |_| {});
    assert_eq!(greeted, Ok(()));
    connection
}

/// Escaped bytes can stand in a line, and come back.
fn bytes_survive(bytes: &[u8]) {
    let escaped = escape::escape(bytes);
    let separator = |byte: &u8| matches!(byte, 0 | b'\t' | b'\r' | b'\n');
    assert!(!escaped.iter().any(separator), "a separator in {escaped:?}");
    assert_eq!(escape::unescape(&escaped), bytes);
}

/// Read in small pieces, the lines are those between the LFs.
fn lines_are_whole(bytes: &[u8]) {
    if bytes.len() > WRITER_LINE {
        return;
    }
    let mut buffer = LineBuffer::new(WRITER_LINE);
    let mut expected = bytes.split(|&byte| byte == b'\n');
    for read in bytes.chunks(7) {
        buffer.push(read);
        while let Some(line) = buffer.next_line().expect("no line is that long") {
            assert_eq!(Some(line), expected.next());
        }
    }
    assert_eq!(Some(buffer.rest()), expected.next());
    assert_eq!(None, expected.next());
}

/// As a recording: no line is read twice, each that is kept is one of the file.
fn capture_lines_are_counted(bytes: &[u8]) {
    let capture = Capture::parse(bytes);
    let kept = capture.connections.iter().map(|c| c.lines.len());
    let read = kept.sum::<usize>() + capture.errors.len();
    let lines = bytes.split(|&byte| byte == b'\n').count();
    assert!(read <= lines, "{read} of {lines} lines");
}

fn command_survives(line: &[u8]) {
    let Ok(command) = Command::parse(line) else {
        return;
    };
    let mut written = Vec::new();
    command.write(&mut written);
    assert_eq!(written.pop(), Some(b'\n'));
    assert!(!written.contains(&b'\n'), "more than a line: {written:?}");
    assert_eq!(Command::parse(&written).as_ref(), Ok(&command));
}

fn inheritance_agrees(sent: &SentEvent<'_>, dialect: Dialect) {
    reads_back(sent.event, sent.categories, dialect);
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

fn reads_back(event: &Event<'_>, categories: &CategoryTree, dialect: Dialect) {
    let mut written = Vec::new();
    text::write(event, &mut written);
    let arguments = written.split(|&byte| byte == b'\t');
    let read = text::parse(arguments, categories, dialect);
    assert_eq!(read.as_ref(), Ok(event));
    assert_eq!(event.clone().into_owned(), *event);
}
