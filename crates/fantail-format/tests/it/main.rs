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

mod end_times;
mod event;
mod flat;
mod ids;
mod inherited;
mod measured;
mod rules;
mod values;

use fantail_event::Dialect;
use fantail_format::{FieldRules, Format, FormatterSettings, Parts, TimeStyle};

use crate::event::{Sent, write};

fn settings(format: Format, dialect: Dialect) -> FormatterSettings {
    FormatterSettings {
        parts: Parts {
            name: true,
            fields: true,
            ..Parts::EMPTY
        },
        ..FormatterSettings::new(format, dialect)
    }
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
    let sent = Sent::alone(event);
    check_sent(&sent, settings(Format::Json, dialect), json);
    check_sent(&sent, settings(Format::TabText, dialect), tab_text);
}
