//! The handshake: the filter that clients get.

use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use crate::fixture::{ALL, Fixture, Writer, event, eventually};

#[track_caller]
fn check(configuration: &str, filter: &str) {
    assert_eq!(Fixture::new(configuration).writer().filter, filter);
}

#[test]
fn clients_are_greeted_with_the_filter() {
    check(ALL, "(event=\"*\")");
}

#[test]
fn the_filter_is_empty_without_metrics() {
    check("", "");
}

/// Merged filters once lost what one of them asked for: no `event=`, or an
/// address.
#[test]
fn the_filter_has_the_events_of_all_metrics() {
    check(
        "metric a {\n  filter = event=x\n}\nmetric b {\n  filter = service=imap\n}\n",
        "(event=\"x\") OR (\"service\"=\"imap\")",
    );
    check(
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
         metric a {\n  filter = remote_ip=10.0.0.0/8\n}\n",
        "(\"remote_ip\"=\"10.0.0.0/8\")",
    );
}

#[test]
fn sockets_have_the_permissions_of_dovecots_own() {
    let fixture = Fixture::new(ALL);
    let check = |name: &str, expected: u32| {
        let metadata = fixture.path("run").join(name).metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, expected, "{name}");
    };
    check("stats-writer", 0o660);
    check("login/stats-writer", 0o600);
    check("stats-reader", 0o600);
    assert_eq!(
        Writer::connect(&fixture.path("run/login/stats-writer")).filter,
        "(event=\"*\")"
    );
}

#[test]
fn permissions_are_those_of_the_configuration() {
    let listener = |mode: &str| {
        format!(
            "{ALL}service stats {{\n  unix_listener stats-writer {{\n    mode = {mode}\n  }}\n}}\n"
        )
    };
    let check = |mode: &str, expected: u32| {
        let fixture = Fixture::new(&listener(mode));
        let metadata = fixture.path("run/stats-writer").metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, expected);
    };
    check("0640", 0o640);
    // Dovecot leaves the socket to us.
    check("0", 0o660);
}

#[test]
fn clients_hear_of_changes_once_a_second() {
    let fixture = Fixture::new("");
    let mut writer = fixture.writer();
    let start = Instant::now();
    let mut reader = fixture.reader();
    let added = |name: &str| format!("METRICS-ADD\t{name}\t\t\t\tevent={name}\t\t");
    for name in ["a", "b", "c"] {
        assert_eq!(reader.ask(&added(name)).unwrap(), "+");
    }
    // One for all three.
    let all = "(event=\"a\") OR (event=\"b\") OR (event=\"c\")";
    assert_eq!(writer.next_filter(), all);
    assert!(start.elapsed() >= Duration::from_millis(900));
    assert_eq!(reader.ask("METRICS-REMOVE\tb").unwrap(), "+");
    assert_eq!(writer.next_filter(), "(event=\"a\") OR (event=\"c\")");
}

#[test]
fn a_client_that_reads_nothing_delays_no_other() {
    let fixture = Fixture::with(ALL, |options| options.workers = 1);
    let deaf: Vec<Writer> = (0..20).map(|_| fixture.writer()).collect();
    let mut reader = fixture.reader();
    // More than the sockets' buffers hold.
    for number in 0..300 {
        let filter = format!("x{number}={}", "y".repeat(900));
        let line = format!("METRICS-ADD\tm{number}\t\t\t\t{filter}\t\t");
        assert_eq!(reader.ask(&line).unwrap(), "+");
    }
    eventually("the deaf ones are told", || {
        fixture.writer().filter.len() > 270_000
    });
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
    drop(deaf);
}

#[test]
fn sockets_that_vanish_are_bound_again() {
    let fixture = Fixture::new(ALL);
    let path = fixture.path("run/stats-writer");
    std::fs::remove_file(&path).unwrap();
    eventually("the socket is there again", || path.exists());
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
}
