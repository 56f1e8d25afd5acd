//! Many events and connections at once.

use std::{
    io::Write as _,
    os::unix::net::{UnixListener, UnixStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::fixture::{ALL, Fixture, VERSION, Writer, event, eventually};

/// The last events of a process that ends at once were lost.
#[test]
fn a_burst_before_the_end_is_read_to_its_end() {
    let fixture = Fixture::new(ALL);
    let one = event("a", 1);
    let count = (1 << 20) / one.len();
    let burst = format!("{VERSION}{}", one.repeat(count));
    let path = fixture.path("run/stats-writer");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut stream = UnixStream::connect(&path).unwrap();
                stream.write_all(burst.as_bytes()).unwrap();
            });
        }
    });
    eventually("all is counted", || fixture.count() == 3 * count as u64);
}

/// A client that floods does not delay others.
#[test]
fn a_flood_does_not_delay_other_clients() {
    let fixture = Fixture::with(ALL, |options| options.workers = 1);
    let over = AtomicBool::new(false);
    let flood = event("flood", 1).repeat(1_000);
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut writer = fixture.writer();
            writer.send(VERSION.as_bytes());
            let (flood, over) = (&flood, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    writer.send(flood.as_bytes());
                }
                writer.finish();
            });
        }
        // Each has its turn although the flood never ends.
        for _ in 0..5 {
            fixture.send(&event("a", 1));
        }
        assert!(fixture.count() >= 5);
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn connections_come_and_go_without_a_trace() {
    let fixture = Fixture::alone(ALL, |_| {});
    fixture.send(&event("a", 1));
    let files = crate::fixture::open_files();
    for _ in 0..2_000 {
        let writer = Writer::connect(&fixture.path("run/stats-writer"));
        drop(writer);
    }
    eventually("all are closed", || crate::fixture::open_files() <= files);
}

/// An exporter whose target takes nothing drops events once its queue is full;
/// neither clients nor the end wait for it.
#[test]
fn a_stuck_exporter_delays_neither_clients_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unread");
    // Connects clients, and never reads what they send.
    let unread = UnixListener::bind(&path).unwrap();
    let configuration = format!(
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
         event_exporter stuck {{\n  format = json\n  driver = unix\n  unix_path = {}\n}}\n\
         metric all {{\n  filter = event=*\n  exporter = stuck\n  exporter_include = name\n}}\n",
        path.display()
    );
    let fixture = Fixture::within(folder, &configuration, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
        options.patience = Duration::from_millis(200);
    });
    // More than the socket and the queue hold together.
    let count = 100_000;
    fixture.send(&event("a", 1).repeat(count));
    assert_eq!(fixture.count(), count as u64);
    // The last events reach the queue some milliseconds later.
    eventually("events are dropped", || {
        let (_, body) = fixture.get("/api/v1/exporters", "");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let dropped = json.pointer("/exporters/0/dropped/full").unwrap();
        dropped.as_u64().unwrap() > 0
    });
    let start = Instant::now();
    drop(fixture);
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(unread);
}
