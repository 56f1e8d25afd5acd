//! What clients may send, what comes of it, and what ends a connection.
//!
//! Which lines are refused was read off the stats processes of Dovecot
//! 2.3.19 and 2.4.1.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod captures;
mod commands;
mod connections;
mod ends;
mod readers;
mod restarts;

use fantail_event::{Activity, Dialect, EffectiveBuffers, ValueRef};
use fantail_wire::{Connection, Intake, Limits, WireError};

const GREETING: &[u8] = b"VERSION\tstats-client\t4\t0";

/// Plays lines after the handshake; what was sent is given as
/// `name key=value…` with all that it inherits.
fn play(lines: &[&[u8]], dialect: Dialect, limits: Limits) -> (Vec<String>, Result<(), WireError>) {
    let mut intake = Intake::new();
    let mut connection = Connection::new(dialect, limits);
    let mut sent = Vec::new();
    for line in std::iter::once(&GREETING).chain(lines) {
        let outcome = connection.handle(line, &mut intake, |activity| {
            if let Activity::Sent { event, .. } = activity {
                let mut buffers = EffectiveBuffers::new();
                let effective = buffers.gather(&event);
                let name = effective.name().unwrap_or(b"-");
                let mut text = name.escape_ascii().to_string();
                effective.each_field(|key, value| {
                    text += &format!(" {}={}", key.escape_ascii(), show(value));
                });
                sent.push(text);
            }
        });
        if let Err(error) = outcome {
            return (sent, Err(error));
        }
    }
    (sent, Ok(()))
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Str(text) => text.escape_ascii().to_string(),
        ValueRef::Int(number) => number.to_string(),
        ValueRef::Time(time) => format!("{}.{:06}", time.seconds(), time.subsec_micros()),
        ValueRef::Ip(ip) => ip.to_string(),
        ValueRef::List(list) => {
            let list = list.to_vec();
            let list: Vec<_> = list.iter().map(|e| e.escape_ascii().to_string()).collect();
            format!("[{}]", list.join(","))
        }
        other => panic!("no client sends {other:?}"),
    }
}
