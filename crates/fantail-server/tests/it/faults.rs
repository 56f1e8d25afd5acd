//! Clients that send invalid lines, or break off.

use std::{io::Write as _, os::unix::net::UnixStream};

use fantail_wire::lines::MAX_WRITER_LINE_BYTES;

use crate::fixture::{ALL, Fixture, VERSION, event};

/// Checks that a client that sends this is closed for this kind of error, that its
/// earlier events count, and that others are served.
#[track_caller]
fn check(input: &str, kind: &str, counted: u64) {
    let fixture = Fixture::with(ALL, |options| {
        options.workers = 1;
        options.http = Some(([127, 0, 0, 1], 0).into());
        options.limits.live.live_events = 1_000;
    });
    let mut other = fixture.writer();
    other.send(VERSION.as_bytes());
    let mut writer = fixture.writer();
    writer.send(input.as_bytes());
    if kind.is_empty() {
        writer.finish();
    } else {
        writer.wait_for_the_end();
    }
    other.send(event("other", 1).as_bytes());
    other.finish();
    assert_eq!(fixture.count(), counted + 1);
    let (_, body) = fixture.get("/api/v1/server", "");
    let server: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let errors = &server["protocol_errors"];
    let expected = if kind.is_empty() {
        serde_json::json!({})
    } else {
        serde_json::json!({ kind: 1 })
    };
    assert_eq!(*errors, expected);
    assert_eq!(
        fixture.logged().is_empty(),
        kind.is_empty(),
        "{}",
        fixture.logged()
    );
}

/// The same after a handshake and an event.
#[track_caller]
fn check_line(input: &str, kind: &str) {
    check(&format!("{VERSION}{}{input}", event("a", 1)), kind, 1);
}

#[test]
fn garbage_ends_the_connection() {
    check("\0\x01\u{fffd}garbage\n", "handshake", 0);
    check("VERSION\tstats-client\t5\t0\n", "handshake", 0);
    check_line("GARBAGE\t1\n", "unknown_command");
    check_line("EVENT\tx\n", "bad_id");
    check_line("EVENT\t0\t0\t9\t1\t1\n", "bad_level");
    check_line("EVENT\t0\t0\t1\t1\t1\tna\tcunknown\n", "bad_event");
    check_line("CATEGORY\n", "bad_category");
    check_line("CATEGORY\ta\tunknown\n", "bad_category");
}

#[test]
fn an_empty_line_ends_the_connection() {
    check_line("\n", "empty_line");
    check_line("\r\n", "empty_line");
    check("\n", "handshake", 0);
}

#[test]
fn a_cr_at_the_end_of_a_line_is_dropped() {
    let text = format!("{VERSION}{}", event("a", 1)).replace('\n', "\r\n");
    check(&text, "", 1);
}

#[test]
fn an_id_that_lives_cannot_begin_again() {
    check_line(
        "BEGIN\t1\t0\t1\t1\t1\nBEGIN\t1\t0\t1\t1\t1\n",
        "duplicate_id",
    );
}

/// A recursive event once made Dovecot send unknown ids.
#[test]
fn unknown_ids_end_one_connection_only() {
    check_line("UPDATE\t7\t0\t1\t1\tSk\tv\n", "unknown_id");
    check_line("EVENT\t7\t0\t1\t1\t1\tna\n", "unknown_id");
    check_line("EVENT\t0\t7\t1\t1\t1\tna\n", "unknown_id");
}

#[test]
fn ends_without_begin_end_one_connection_only() {
    check_line("END\t1\n", "unknown_id");
    check_line("BEGIN\t1\t0\t1\t1\t1\nEND\t1\nEND\t1\n", "unknown_id");
}

/// 2.3.13 sent them itself.
#[test]
fn bad_microseconds_end_one_connection_only() {
    check_line(
        "BEGIN\t1\t0\t1\t1\t1\nUPDATE\t1\t0\t1\t1000000\n",
        "bad_event",
    );
}

#[test]
fn lines_are_as_long_as_they_may_be() {
    let padded = |length: usize| {
        let start = event("a", 1).trim_end().to_owned() + "\tSpad\t";
        let pad = "p".repeat(length - start.len());
        format!("{VERSION}{start}{pad}\n")
    };
    check(&padded(MAX_WRITER_LINE_BYTES), "", 1);
    check(&padded(MAX_WRITER_LINE_BYTES + 1), "line_too_long", 0);
    // And one that never ends.
    check(
        &format!("{VERSION}{}", "x".repeat(3 * MAX_WRITER_LINE_BYTES)),
        "line_too_long",
        0,
    );
}

#[test]
fn a_million_begins_without_end_are_too_many() {
    let begins: String = (1..=1_000_000_u32)
        .map(|id| format!("BEGIN\t{id}\t0\t1\t1\t1\n"))
        .collect();
    check_line(&begins, "too_many_events");
}

/// The count before a list once reserved memory.
#[test]
fn the_count_of_a_list_reserves_no_memory() {
    check_line("EVENT\t0\t0\t1\t1\t1\tna\tLl\t4000000000\n", "bad_event");
}

/// The LF of the longest line comes in a read of its own.
#[test]
fn the_longest_line_may_come_in_parts() {
    let fixture = Fixture::with(ALL, |options| {
        options.workers = 1;
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let start = event("a", 1).trim_end().to_owned() + "\tSpad\t";
    for (length, counted) in [(MAX_WRITER_LINE_BYTES, 1), (MAX_WRITER_LINE_BYTES + 1, 0)] {
        let before = (fixture.count(), fixture.held_bytes());
        let mut writer = fixture.writer();
        let line = start.clone() + &"p".repeat(length - start.len());
        writer.send(format!("{VERSION}{line}").as_bytes());
        if counted == 1 {
            let whole = before.1 + MAX_WRITER_LINE_BYTES as u64;
            crate::fixture::eventually("the line is held", || fixture.held_bytes() >= whole);
        }
        writer.send(b"\n");
        writer.finish();
        assert_eq!(fixture.count(), before.0 + counted, "{length}");
    }
}

/// One client once took gigabytes for good, and shut all others out.
#[test]
fn categories_of_one_client_are_bounded_and_do_not_shut_others_out() {
    let fixture = Fixture::with("metric all {\n  filter = category=mail\n}\n", |options| {
        options.workers = 1;
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let mut number = 0;
    let mut names = |prefix: &str, count: usize| {
        let lines = (0..count).map(|_| {
            number += 1;
            format!("CATEGORY\t{prefix}{number}\n")
        });
        lines.collect::<String>()
    };
    let mut long = fixture.writer();
    long.send(format!("{VERSION}{}", names(&"x".repeat(130_000), 1)).as_bytes());
    long.wait_for_the_end();
    // Many clients with as many categories as they may have.
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = fixture.writer();
        client.send(format!("{VERSION}{}", names("c", 256)).as_bytes());
        clients.push(client);
    }
    let line = "CATEGORY\tmail\nEVENT\t0\t0\t1\t1\t1\tna\tcmail\n";
    fixture.send(line);
    assert_eq!(fixture.count(), 1);
    let all = fixture.held_bytes();
    assert!((9_000 * 5..8 << 20).contains(&all), "{all}");
    for client in clients {
        client.finish();
    }
    // Those that are gone make room for others.
    fixture.send(&format!("{}{line}", names("other", 200)));
    assert_eq!(fixture.count(), 2);
}

#[test]
fn a_line_without_end_is_no_line() {
    let fixture = Fixture::new(ALL);
    let path = fixture.path("run/stats-writer");
    for cut in 1..event("a", 1).len() {
        let mut stream = UnixStream::connect(&path).unwrap();
        let text = format!("{VERSION}{}{}", event("a", 1), &event("a", 1)[..cut]);
        // Gone at once, without reading the handshake.
        stream.write_all(text.as_bytes()).unwrap();
    }
    let cuts = event("a", 1).len() - 1;
    crate::fixture::eventually("all are counted", || fixture.count() == cuts as u64);
    assert_eq!(fixture.logged(), "");
}

#[test]
fn all_connections_together_hold_only_so_much() {
    let fixture = Fixture::with(ALL, |options| {
        options.workers = 1;
        // 24 of 64 parts of it are for connections at most, less what categories
        // take of the common pool.
        options.limits.memory = 1_200_000 / 24 * 64;
    });
    let text = format!(
        "{VERSION}BEGIN\t1\t0\t1\t1\t1\tSk\t{}\n{}",
        "v".repeat(100_000),
        event("a", 1)
    );
    // One is read after the other; of the last, a part is too much already.
    let mut more: Vec<_> = (1..=11)
        .map(|number| {
            let mut writer = fixture.writer();
            writer.send(text.as_bytes());
            let read = number.min(10);
            crate::fixture::eventually("it is read", || fixture.count() == read);
            writer
        })
        .collect();
    let mut first = more.remove(0);
    more.last_mut().unwrap().wait_for_the_end();
    first.send(event("a", 1).as_bytes());
    first.finish();
    assert_eq!(fixture.count(), 11);
    assert!(
        fixture
            .logged()
            .contains("all connections together hold too much")
    );
}

#[test]
fn there_are_only_so_many_connections() {
    let fixture = Fixture::with(ALL, |options| options.limits.connections = 3);
    let mut writers: Vec<_> = (0..3).map(|_| fixture.writer()).collect();
    let mut refused = UnixStream::connect(fixture.path("run/stats-writer")).unwrap();
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut refused, &mut read).unwrap();
    assert_eq!(read, b"");
    // The next client is served once one is gone.
    writers.pop().unwrap().finish();
    fixture.send(&event("a", 1));
}

/// A category is known to the whole server, whichever client registered it.
#[test]
fn categories_are_for_all_connections() {
    let fixture = Fixture::new(ALL);
    let mut registrar = fixture.writer();
    registrar.send(format!("{VERSION}CATEGORY\tmine\nCATEGORY\tmore\tmine\n").as_bytes());
    let line = "EVENT\t0\t0\t1\t1\t1\tna\tcmore\n";
    // On either worker; the other one hears of it a moment later.
    crate::fixture::eventually("all know the category", || {
        let before = fixture.count();
        fixture.send(line);
        fixture.send(line);
        fixture.count() == before + 2
    });
    registrar.finish();
}
