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
mod readers;

use fantail_event::{CategoryTree, Dialect};
use fantail_wire::{Connection, Limits, WireError};

/// Plays lines after the handshake; what was sent is given as
/// `name key=value…` by flattened fields.
fn play(lines: &[&[u8]], dialect: Dialect, limits: Limits) -> (Vec<String>, Result<(), WireError>) {
    let mut categories = CategoryTree::default();
    let mut connection = Connection::new(dialect, limits);
    let mut sent = Vec::new();
    let greeting: &[u8] = b"VERSION\tstats-client\t4\t0";
    for line in std::iter::once(&greeting).chain(lines) {
        let outcome = connection.handle(line, &mut categories, |event| {
            let flat = event.flatten();
            let name = flat
                .name
                .as_deref()
                .unwrap_or(b"-")
                .escape_ascii()
                .to_string();
            let fields = flat
                .fields()
                .iter()
                .map(|f| format!(" {}={}", f.key.escape_ascii(), show(&f.value)));
            sent.push(name + &fields.collect::<String>());
        });
        if let Err(error) = outcome {
            return (sent, Err(error));
        }
    }
    (sent, Ok(()))
}

fn show(value: &fantail_event::Value<'_>) -> String {
    use fantail_event::Value;
    match value {
        Value::Str(text) => text.escape_ascii().to_string(),
        Value::Int(number) => number.to_string(),
        Value::Time(time) => format!("{}.{:06}", time.seconds(), time.subsec_micros()),
        Value::Ip(ip) => ip.to_string(),
        Value::List(list) => {
            let list: Vec<_> = list.iter().map(|e| e.escape_ascii().to_string()).collect();
            format!("[{}]", list.join(","))
        }
    }
}
