//! Input of a client of the stats-writer socket: a valid line can be written
//! and parses as the same.
//!
//! The input's first byte is `3` for a 2.3 client, `4` for one of 2.4, and any
//! other for one of 2.4 with tight limits. The rest is the input of the client
//! after its handshake. A refused line ends its connection, and the next line
//! begins another one; the categories stay, as on a server.

use fantail_event::{
    Activity, CategoryTree, Dialect, EffectiveBuffers, Event, EventRef, EventView as _, SentEvent,
    ValueRef, escape, text,
};
use fantail_wire::{
    Command, Connection, Intake, Limits,
    lines::{LineBuffer, MAX_WRITER_LINE_BYTES},
};

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0";

/// Encoding and decoding is lossless for bytes, commands, events, and effective
/// events; look-ups agree with the effective event; lines are the same for any
/// reads; limits hold, and the end of a connection frees all memory.
///
/// # Panics
/// Panics if one of these does not hold.
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
    let mut intake = Intake::new();
    let mut connection = connected(dialect, &limits, &mut intake);
    for line in rest.split(|&byte| byte == b'\n') {
        command_survives(line);
        let accepted = connection.handle(line, &mut intake, |activity| match activity {
            Activity::Sent { event, .. } => inheritance_agrees(&event, dialect),
            Activity::Updated { .. } => {}
            Activity::Ended {
                event, categories, ..
            } => reads_back(event, categories, dialect),
        });
        assert!(connection.live_events() <= limits.live_events);
        assert_eq!(connection.live_events(), intake.live_events().len());
        if accepted.is_err() {
            connection.close(&mut intake, |_| {});
            assert!(intake.live_events().is_empty());
            connection = connected(dialect, &limits, &mut intake);
        }
    }
}

fn tight_limits() -> Limits {
    Limits {
        live_events: 4,
        live_bytes: 4096,
        ancestors: 2,
        categories: 8,
    }
}

fn connected(dialect: Dialect, limits: &Limits, intake: &mut Intake) -> Connection {
    let mut connection = Connection::new(dialect, limits.clone());
    let greeted = connection.handle(HANDSHAKE, intake, |_| {});
    assert_eq!(greeted, Ok(()));
    connection
}

/// Checks that escaped bytes are valid in a line, and unescape to the same.
fn bytes_survive(bytes: &[u8]) {
    let escaped = escape::escape(bytes);
    let separator = |byte: &u8| matches!(byte, 0 | b'\t' | b'\r' | b'\n');
    assert!(!escaped.iter().any(separator), "a separator in {escaped:?}");
    assert_eq!(escape::unescape(&escaped), bytes);
}

/// Checks that lines are whole, for any size of reads.
fn lines_are_whole(bytes: &[u8]) {
    if bytes.len() > MAX_WRITER_LINE_BYTES {
        return;
    }
    let mut buffer = LineBuffer::new(MAX_WRITER_LINE_BYTES);
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
    let mut buffers = EffectiveBuffers::new();
    let effective = buffers.gather(sent);
    let whole = effective.to_event().expect("far below the limit");
    reads_back(whole.as_event_ref(), sent.categories, dialect);
    for event in sent.chain() {
        for (key, _) in event.fields() {
            assert!(effective.field(key).is_some(), "{key:?} is lost");
        }
        for category in event.categories() {
            let found = effective.categories().any(|known| known == category);
            assert!(found, "{category:?} is lost");
            assert!(sent.in_category(category), "not in {category:?}");
        }
    }
    effective.each_field(|key, value| {
        match (value, sent.field(key)) {
            (ValueRef::List(elements), Some(ValueRef::List(found))) => elements.for_each(|one| {
                assert!(found.any(|other| other == one), "{one:?} of {key:?}");
            }),
            (value, found) => assert_eq!(Some(value), found),
        }
        assert!(sent.field_origin(key).is_some());
    });
}

fn reads_back(event: EventRef<'_>, categories: &CategoryTree, dialect: Dialect) {
    let mut written = Vec::new();
    text::write(event, &mut written);
    let read = Event::parse(&written, categories, dialect);
    assert_eq!(
        read.as_ref().map(Event::as_event_ref).map_err(Clone::clone),
        Ok(event)
    );
    assert_eq!(event.to_event().as_event_ref(), event);
}
