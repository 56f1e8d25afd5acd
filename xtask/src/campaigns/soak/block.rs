//! The lines that clients send over and over.

use std::fmt::Write as _;

/// The number of events in a block.
pub(super) const EVENTS: u64 = 1_000;

/// The categories of the events.
pub(super) const CATEGORIES: &str = "CATEGORY\timap\nCATEGORY\tstorage\nCATEGORY\tmail\tstorage\n";

/// Returns a block: sessions with events below them, which are ended.
pub(super) fn lines() -> String {
    let mut lines = String::new();
    let commands = ["SELECT", "FETCH", "STORE", "NOOP"].iter().cycle();
    for (number, command) in (0..EVENTS).zip(commands) {
        let id = 1 + number / 10;
        if number % 10 == 0 {
            let user = id % 50;
            let _ = writeln!(
                lines,
                "BEGIN\t{id}\t0\t1\t1795328191\t{number}\tsimap-client.c\t10\tcimap\t\
                 Suser\tuser{user}@example.com\tSsession\tsession{id}"
            );
        }
        let microseconds = number * 37 % 1_000;
        let _ = writeln!(
            lines,
            "EVENT\t0\t{id}\t1\t1795328191\t{number}\tl1795328191\t{}\tnimap_command_finished\t\
             cmail\tScmd_name\t{command}\tInet_in_bytes\t{}\tInet_out_bytes\t{}",
            number + microseconds,
            number * 13 % 500,
            number * 101 % 70_000
        );
        if number % 10 == 9 {
            let _ = writeln!(lines, "END\t{id}");
        }
    }
    lines
}
