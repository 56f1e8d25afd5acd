//! Events that inherit megabytes: what they may cost.

use std::{sync::Arc, time::Duration};

use fantail_server::ServerOptions;

use crate::fixture::{Fixture, VERSION, Writer, event, eventually};

const EXPORTING: &str = "event_exporter out {\n  format = json\n  format_args = time-rfc3339\n  \
    transport = drop\n}\nmetric all {\n  filter = event=*\n  exporter = out\n}\n";

fn with_http(options: &mut ServerOptions) {
    options.workers = 1;
    options.http = Some(([127, 0, 0, 1], 0).into());
}

/// Sends an event that others inherit this many times 100,000 bytes from.
fn begin(writer: &mut Writer, updates: usize) {
    writer.send(format!("{VERSION}BEGIN\t1\t0\t1\t100\t0\n").as_bytes());
    let value = "v".repeat(100_000);
    for number in 0..updates {
        let update = format!("UPDATE\t1\t0\t100\t0\tSf{number}\t{value}\n");
        writer.send(update.as_bytes());
    }
}

const CHILD: &str = "EVENT\t0\t1\t1\t100\t0\tna\n";

/// The exported and dropped events of the only exporter.
fn exported(fixture: &Fixture) -> (u64, u64) {
    let (_, body) = fixture.get("/api/v1/exporters", "");
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let number = |pointer: &str| json.pointer(pointer).unwrap().as_u64().unwrap();
    (
        number("/exporters/0/queued"),
        number("/exporters/0/dropped/too_large"),
    )
}

#[test]
fn events_larger_than_a_payload_are_counted_and_not_exported() {
    let fixture = Fixture::with(EXPORTING, with_http);
    let mut writer = fixture.writer();
    begin(&mut writer, 10);
    writer.send(CHILD.as_bytes());
    // From here on, the child inherits more than 1 MiB.
    writer.send(format!("UPDATE\t1\t0\t100\t0\tSmore\t{}\n", "v".repeat(50_000)).as_bytes());
    writer.send(CHILD.repeat(2).as_bytes());
    writer.send(event("a", 1).as_bytes());
    writer.finish();
    assert_eq!(fixture.count(), 4);
    eventually("all are exported or dropped", || {
        exported(&fixture) == (2, 2)
    });
    let (_, body) = fixture.get("/metrics", "");
    let text = String::from_utf8(body).unwrap();
    let line = "fantail_export_dropped_total{exporter=\"out\",reason=\"too_large\"} 2";
    assert!(text.lines().any(|here| here == line), "{text}");
}

#[test]
fn a_payload_that_grows_by_escapes_is_dropped_too() {
    let fixture = Fixture::with(EXPORTING, with_http);
    let mut writer = fixture.writer();
    // Each byte has six in JSON.
    let value = "\u{1}".repeat(50_000);
    writer.send(format!("{VERSION}BEGIN\t1\t0\t1\t100\t0\n").as_bytes());
    for number in 0..4 {
        let value = value.replace('\u{1}', "\u{1}1");
        writer.send(format!("UPDATE\t1\t0\t100\t0\tSf{number}\t{value}\n").as_bytes());
    }
    writer.send(CHILD.as_bytes());
    writer.finish();
    assert_eq!(fixture.count(), 1);
    eventually("it is dropped", || exported(&fixture) == (0, 1));
}

/// A line that takes milliseconds ends its turn: the end is not delayed by the
/// thousands that were read with it.
#[test]
fn the_end_does_not_wait_for_lines_that_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let keeping = |options: &mut ServerOptions| {
        with_http(options);
        options.state = Some(options.config.with_file_name("state"));
        options.patience = Duration::from_millis(100);
        options.limits.payload = usize::MAX;
    };
    let fixture = Fixture::within(folder, EXPORTING, keeping);
    let mut writer = fixture.writer();
    // A busy machine must take less than the time that the save has for one of them.
    begin(&mut writer, 8);
    let children = 60_000 / CHILD.len();
    writer.send(CHILD.repeat(children).as_bytes());
    eventually("the children are read", || fixture.count() > 0);
    let log = Arc::clone(&fixture.log);
    let folder = fixture.stop();
    let again = Fixture::within(folder, EXPORTING, keeping);
    let counted = again.count();
    assert!(
        (1..children as u64).contains(&counted),
        "{counted} of {children}: {:?}",
        log.lock().unwrap()
    );
}
