//! What real Dovecots wrote for hostile events.
//!
//! Every expectation was read off the stats processes of Dovecot 2.3.19 and
//! 2.4.1: http-post bodies where strings are whole, the log where they are
//! cut. Only end times are ours: the time of sending.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod flat;
mod ids;
mod measured;
mod raw;
mod rules;

use fantail_event::{CategoryTree, Dialect, Event, Level, SentEvent, Timestamp, text};
use fantail_format::{FieldRules, Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};

/// An event chain as clients write it: the event, then its ancestors.
struct Sent<'t> {
    event: &'t [u8],
    parents: &'t [&'t [u8]],
    global: &'t [&'t [u8]],
}

fn settings(format: Format, dialect: Dialect) -> FormatterSettings {
    FormatterSettings {
        format,
        time_style: TimeStyle::Rfc3339,
        parts: Parts {
            name: true,
            fields: true,
            ..Parts::EMPTY
        },
        fields: Vec::new(),
        rules: FieldRules::default(),
        event_id: false,
        cut_long_strings: false,
        dialect,
    }
}

fn categories() -> CategoryTree {
    let mut tree = CategoryTree::default();
    tree.register(b"root1", None).unwrap();
    tree.register(b"mid1", Some(b"root1")).unwrap();
    tree.register(b"leaf1", Some(b"mid1")).unwrap();
    tree
}

fn write(sent: &Sent<'_>, settings: FormatterSettings) -> Vec<u8> {
    let categories = categories();
    let read = |line: &&'_ [u8]| -> Event<'static> {
        let line = [b"1795328191\t267241\tl1795328192\t5\t".as_slice(), line].concat();
        let arguments = line.split(|&b| b == b'\t');
        text::parse(arguments, &categories, settings.dialect)
            .unwrap()
            .into_owned()
    };
    let event = read(&sent.event);
    let [parents, global] =
        [sent.parents, sent.global].map(|chain| chain.iter().map(read).collect::<Vec<_>>());
    let mut out = Vec::new();
    Formatter::new(settings).write(
        &SentEvent {
            level: Level::Info,
            event: &event,
            parents: &parents.iter().collect::<Vec<_>>(),
            global: &global.iter().collect::<Vec<_>>(),
            categories: &categories,
        },
        Moment {
            hostname: b"vm",
            now: Timestamp::default(),
        },
        &mut out,
    );
    out
}

#[track_caller]
fn check_sent(sent: &Sent<'_>, settings: FormatterSettings, expected: &[u8]) {
    let got = write(sent, settings);
    assert!(
        got == expected,
        "\n     got {}\nexpected {}",
        got.escape_ascii(),
        expected.escape_ascii()
    );
}

/// Checks both formats without parts that differ by the time of day.
#[track_caller]
fn check(event: &[u8], dialect: Dialect, json: &[u8], tab_text: &[u8]) {
    let sent = Sent {
        event,
        parents: &[],
        global: &[],
    };
    check_sent(&sent, settings(Format::Json, dialect), json);
    check_sent(&sent, settings(Format::TabText, dialect), tab_text);
}
