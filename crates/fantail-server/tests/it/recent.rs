//! The last events, asked for after they were sent.

use std::time::{SystemTime, UNIX_EPOCH};

use fantail_event::{Activity, Dialect, EffectiveBuffers, Timestamp};
use fantail_filter::Filter;
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings, Parts};
use fantail_syntax::ParseOptions;
use fantail_wire::{
    Connection, Intake, Limits,
    capture::{Capture, RecordedConnection},
};

use crate::{
    captures::{Recording, play},
    fixture::{Fixture, Reader, eventually},
};

const OTHER: &str = "metric m {\n  filter = event=other\n}\n";

/// A request for kept events alone.
fn past(filter: &str, options: &str) -> String {
    format!("FANTAIL-TAP\t{filter}\tlogfmt\t1\t0\t1\t{options}")
}

/// Kept events, the time from which on they are complete, and the last line.
fn answer(reader: &mut Reader, request: &str) -> (i64, Vec<String>, String) {
    assert_eq!(reader.ask(request).unwrap(), "+");
    let begins = reader.line().unwrap();
    let begins = begins.strip_prefix("PAST\t").unwrap().split('\t').next();
    let begins = begins.unwrap().parse().unwrap();
    let mut events = Vec::new();
    loop {
        let line = reader.line().unwrap();
        match line.strip_prefix("E\t") {
            Some(event) => events.push(event.to_owned()),
            None => return (begins, events, line),
        }
    }
}

/// The events with a name that match, by the filter and the formatter alone.
fn expected(
    connections: &[&RecordedConnection<'_>],
    filter: &str,
    dialect: Dialect,
) -> Vec<String> {
    let filter = Filter::parse(filter.as_bytes(), &ParseOptions::new(dialect)).unwrap();
    let formatter = Formatter::new(FormatterSettings {
        parts: Parts {
            hostname: false,
            ..Parts::ALL
        },
        cut_long_strings: true,
        ..FormatterSettings::new(Format::Logfmt, dialect)
    });
    let (mut intake, mut events) = (Intake::new(), Vec::new());
    let context = ExportContext {
        host: b"",
        received_at: Timestamp::default(),
    };
    for recorded in connections {
        let mut connection = Connection::new(dialect, Limits::default());
        for line in &recorded.lines {
            let handled = connection.handle(line.line, &mut intake, |activity| {
                if let Activity::Sent { event, .. } = activity
                    && event.event.name().is_some()
                    && filter.matches(&event)
                {
                    let mut line = Vec::new();
                    let mut buffers = EffectiveBuffers::new();
                    formatter.write(&buffers.gather(&event), context, &mut line);
                    events.push(String::from_utf8(line).unwrap());
                }
            });
            handled.unwrap();
        }
        connection.close(&mut intake, |_| {});
    }
    events.sort_unstable();
    events
}

fn keeping() -> Fixture {
    Fixture::with(OTHER, |options| options.limits.recent = 16 << 20)
}

fn check(version: &str, filters: &[&str]) {
    let recording = Recording::new(version);
    let capture = Capture::parse(&recording.bytes);
    let connections: Vec<_> = capture.connections.iter().collect();
    let server = Fixture::with(OTHER, |options| {
        options.dialect = Some(recording.settings().dialect);
        options.limits.memory = 2 << 30;
        options.limits.recent = 64 << 20;
    });
    play(&server, &connections, 100, 4_000);
    for filter in filters {
        let (_, mut events, end) = answer(&mut server.reader(), &past(filter, "since=0"));
        events.sort_unstable();
        let expected = expected(&connections, filter, recording.settings().dialect);
        assert!(expected.len() > 10, "{} events", expected.len());
        assert!(events == expected, "{filter}: other events");
        assert_eq!(end, "END\t0");
    }
}

/// No tap was open when they were sent; what they inherit was sent before.
#[test]
fn kept_events_are_as_they_were_sent() {
    let anna = "user=* AND event=imap_command_finished";
    check("2.3.19", &["event=*", anna, "category=auth"]);
    check("2.4.1", &["event=*", anna, "category=auth"]);
}

/// Events of several workers come in the order of their receipt.
#[test]
fn kept_events_are_in_order_and_within_the_times() {
    #[allow(clippy::disallowed_methods, reason = "the server reads the same clock")]
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let started = i64::try_from(started.as_micros()).unwrap();
    let server = keeping();
    for number in 0..20 {
        server.send(&format!("EVENT\t0\t0\t0\t5\t0\tnsent\tInumber\t{number}\n"));
    }
    let (begins, events, end) = answer(&mut server.reader(), &past("event=sent", "since=0"));
    let numbers = events.iter().map(|event| {
        let number = event.split("number=").nth(1).unwrap();
        number.split(' ').next().unwrap().parse::<u32>().unwrap()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    assert!(begins >= started);
    assert_eq!(end, "END\t0");
    let before = past("event=sent", &format!("since=0\tuntil={}", started - 1));
    let (_, events, _) = answer(&mut server.reader(), &before);
    assert_eq!(events, [""; 0]);
    let after = past("event=sent", &format!("since={}", i64::MAX));
    let (_, events, _) = answer(&mut server.reader(), &after);
    assert_eq!(events, [""; 0]);
    // Nothing was asked of the clients.
    assert!(!server.writer().filter.contains("sent"));
}

/// Kept events first, then live ones, none twice.
#[test]
fn live_events_follow_kept_ones() {
    let server = keeping();
    let event = |number: u32| format!("EVENT\t0\t0\t0\t5\t0\tnsent\tInumber\t{number}\n");
    server.send(&event(1));
    let mut reader = server.reader();
    let request = "FANTAIL-TAP\tevent=sent\tlogfmt\t1\t30\t1000\tsince=0";
    let (_, events, marker) = answer(&mut reader, request);
    assert_eq!((events.len(), marker.as_str()), (1, "LIVE"));
    assert!(server.writer().filter.contains("sent"));
    server.send(&event(2));
    let line = reader.line().unwrap();
    assert!(
        line.starts_with("E\t") && line.contains("number=2"),
        "{line}"
    );
    assert_eq!(reader.line().unwrap(), "END\t0");
}

#[test]
fn a_server_that_keeps_nothing_says_so() {
    let server = Fixture::new(OTHER);
    let answer = server.reader().ask(&past("event=sent", "since=0")).unwrap();
    assert!(answer.contains("keeps no recent events"), "{answer}");
}

/// Counts at each term, of kept and of live events.
#[test]
fn events_are_counted_at_each_term() {
    let server = keeping();
    let event = |user: &str| format!("EVENT\t0\t0\t0\t5\t0\tnsent\tSuser\t{user}\n");
    server.send(&event("bob"));
    let mut reader = server.reader();
    let filter = "event=sent AND user=anna";
    let options = "since=0\texplain=yes\task_for=event=wider";
    let request = format!("FANTAIL-TAP\t{filter}\tlogfmt\t1\t30\t1\t{options}");
    let (_, events, marker) = answer(&mut reader, &request);
    assert_eq!((events.len(), marker.as_str()), (0, "LIVE"));
    assert!(server.writer().filter.contains("wider"));
    server.send(&[event("ann"), event("anna")].concat());
    // Asks for the counts.
    reader.send("");
    let lines: Vec<String> = std::iter::from_fn(|| reader.line()).collect();
    assert_eq!(
        lines,
        [
            "SEEN\t3",
            "TERM\t0\t1\t-\t-\tall of\t",
            "TERM\t1\t3\t3\t0\tevent=sent\t",
            "TERM\t1\t1\t1\t2\tuser=anna\t\"ann\"",
            "END\t0",
        ]
    );
    eventually("clients are asked for less", || {
        !server.writer().filter.contains("wider")
    });
}
