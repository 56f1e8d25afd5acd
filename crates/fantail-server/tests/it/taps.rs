//! Events as they pass: what a tap shows, and that it goes away again.

use crate::fixture::{Fixture, VERSION, eventually};

fn tap(filter: &str, events: u32, seconds: u32, rate: u32) -> String {
    format!("FANTAIL-TAP\t{filter}\tlogfmt\t{events}\t{seconds}\t{rate}")
}

fn event(number: u32) -> String {
    format!("EVENT\t0\t0\t0\t1795328118\t0\tnpassed\tInumber\t{number}\n")
}

#[test]
fn shows_what_matches_and_ends_after_so_many() {
    let server = Fixture::new("metric m {\n  filter = event=other\n}\n");
    let mut reader = server.reader();
    assert_eq!(
        reader
            .ask(&tap("number=7 OR number=9", 2, 30, 1000))
            .unwrap(),
        "+"
    );
    let events: String = (0..20).map(event).collect();
    server.send(&events);
    for number in [7, 9] {
        let line = reader.line().unwrap();
        assert!(line.starts_with("E\t"), "{line}");
        assert!(line.contains(&format!("number={number}")), "{line}");
    }
    assert_eq!(reader.line().unwrap(), "END\t0");
}

/// What an event inherits is matched and shown; so is an event that is derived.
#[test]
fn shows_what_is_inherited_and_derived() {
    let sessions = "metric sessions {\n  filter = event=fantail_session_finished\n}\n";
    let server = Fixture::new(sessions);
    let mut reader = server.reader();
    let filter = "user=anna AND (event=passed OR event=fantail_session_finished)";
    assert_eq!(reader.ask(&tap(filter, 2, 30, 1000)).unwrap(), "+");
    let below = event(3).replace("EVENT\t0\t0", "EVENT\t0\t7");
    server.send(&format!(
        "CATEGORY\timap\nBEGIN\t7\t0\t0\t1795328118\t0\tcimap\tSuser\tanna\n{below}END\t7\n"
    ));
    let line = reader.line().unwrap();
    for part in ["event=passed", "user=anna", "number=3"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let line = reader.line().unwrap();
    for part in [
        "event=fantail_session_finished",
        "user=anna",
        "service=imap",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(reader.line().unwrap(), "END\t0");
}

#[test]
fn clients_are_asked_for_its_events_while_it_lasts() {
    let server = Fixture::new("metric m {\n  filter = event=other\n}\n");
    let mut reader = server.reader();
    assert_eq!(reader.ask(&tap("event=tapped", 1, 30, 1000)).unwrap(), "+");
    let filter = server.writer().filter;
    assert!(filter.contains("tapped"), "{filter}");
    assert!(filter.contains("other"), "{filter}");
    drop(reader);
    // It is gone with its client.
    eventually("the tap is gone", || {
        !server.writer().filter.contains("tapped")
    });
}

#[test]
fn a_flood_is_passed_over_and_counted() {
    let server = Fixture::new("metric all {\n  filter = event=*\n}\n");
    let mut reader = server.reader();
    assert_eq!(reader.ask(&tap("event=*", 4, 30, 5)).unwrap(), "+");
    let events: String = (0..5000).map(event).collect();
    server.send(&events);
    assert_eq!(server.count(), 5000);
    for _ in 0..4 {
        assert!(reader.line().unwrap().starts_with("E\t"));
    }
    let end = reader.line().unwrap();
    let skipped: u64 = end.strip_prefix("END\t").unwrap().parse().unwrap();
    assert!(skipped > 0, "{end}");
}

/// Fewer events wait than fit into the queue, if they are large.
#[test]
fn events_that_wait_take_what_is_accounted() {
    const EVENTS: u32 = 40;
    let server = Fixture::with("metric all {\n  filter = event=*\n}\n", |options| {
        options.limits.memory = 4 << 20;
        options.workers = 1;
    });
    let mut reader = server.reader();
    assert_eq!(reader.ask(&tap("event=*", 50, 2, 1)).unwrap(), "+");
    let value = "v".repeat(900);
    let fields: String = (0..100)
        .map(|number| format!("\tSf{number}\t{value}"))
        .collect();
    let large = event(0).replace('\n', &format!("{fields}\n"));
    server.send(&large.repeat(40));
    assert_eq!(server.count(), u64::from(EVENTS));
    let mut line = reader.line().unwrap();
    while line.starts_with("E\t") {
        line = reader.line().unwrap();
    }
    // The limit of answers is 1.4 MiB, which is 16 events.
    let skipped: u32 = line.strip_prefix("END\t").unwrap().parse().unwrap();
    assert!(skipped >= EVENTS - 20, "{line}");
}

#[test]
fn a_tap_that_is_not_read_delays_no_client() {
    let server = Fixture::new("metric all {\n  filter = event=*\n}\n");
    let mut reader = server.reader();
    assert_eq!(
        reader.ask(&tap("event=*", 1_000_000, 30, 1000)).unwrap(),
        "+"
    );
    let mut writer = server.writer();
    writer.send(VERSION.as_bytes());
    for _ in 0..50 {
        let events: String = (0..1000).map(event).collect();
        writer.send(events.as_bytes());
    }
    writer.finish();
    assert_eq!(server.count(), 50_000);
}

#[test]
fn what_is_wrong_is_said() {
    let server = Fixture::new("metric m {\n  filter = event=x\n}\n");
    for (filter, format) in [("a = (", "json"), ("a=b", "xml"), ("", "json")] {
        let mut reader = server.reader();
        let answer = reader.ask(&format!("FANTAIL-TAP\t{filter}\t{format}\t1\t1\t1"));
        let line = answer.unwrap();
        assert!(line.starts_with("-FANTAIL-TAP: "), "{line}");
    }
}
