//! Transports by what arrives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod http;
mod journal;
mod peers;
mod queue;
mod spool;
mod syslog;
mod target;
mod unix;

use std::{fs, os::unix::fs::PermissionsExt};

use fantail_transport::{
    DropTransport, FileTransport, LogTransport, Transport, TransportErrorKind,
};

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

#[test]
fn a_file_is_appended_to_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    send(&mut FileTransport::open(&path).unwrap(), &["one"]);
    send(&mut FileTransport::open(&path).unwrap(), &["two", "three"]);
    assert_eq!(
        fs::File::open(&path)
            .unwrap()
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(contents(&path), "one\ntwo\nthree\n");
}

#[test]
fn reopening_follows_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("events"), folder.path().join("events.1"));
    let mut file = FileTransport::open(&path).unwrap();
    file.send(b"before").unwrap();
    fs::rename(&path, &old).unwrap();
    file.send(b"still before").unwrap();
    file.reopen().unwrap();
    send(&mut file, &["after"]);
    assert_eq!(
        (contents(&old).as_str(), contents(&path).as_str()),
        ("before\nstill before\n", "after\n")
    );
}

#[test]
fn a_symbolic_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("events"), folder.path().join("target"));
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let error = FileTransport::open(&path).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Open);
    assert!(!target.exists());
}

fn contents(path: &std::path::Path) -> String {
    use std::io::Read;
    let mut text = String::new();
    fs::File::open(path)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}
