//! Transports by what arrives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod faults;
mod file;
mod full_disk;
mod http;
mod journal;
mod peers;
mod queue;
mod spool;
mod spooled;
mod syslog;
mod target;
mod unix;

use std::fs;

use fantail_transport::{DropTransport, LogTransport, Transport, TransportErrorKind};

fn send(transport: &mut dyn Transport, payloads: &[&str]) {
    for payload in payloads {
        transport.send(payload.as_bytes()).unwrap();
    }
    transport.flush().unwrap();
}

#[test]
fn a_log_gets_a_line_for_each_payload() {
    let mut log = LogTransport::new(Vec::new());
    send(&mut log, &["a\tb", "", "c"]);
    assert_eq!(log.into_inner(), b"a\tb\n\nc\n");
}

#[test]
fn drop_takes_everything() {
    send(&mut DropTransport, &["a", "b"]);
}

#[test]
fn a_log_that_cannot_be_written_says_so() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let error = LogTransport::new(full).send(b"lost").unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Write);
    assert!(
        error
            .to_string()
            .starts_with("cannot write to the target: ")
    );
}
