//! The recordings of real Dovecots.

use fantail_event::Dialect;
use fantail_fuzz::SideBySide;
use fantail_wire::{Limits, capture::Capture};

/// A bit of everything that filters can ask of the recorded events.
const FILTERS: [&str; 20] = [
    "event=*",
    "event=imap_command_finished",
    "event=imap_command_* AND bytes_out>1000",
    "event=http_request_finished OR event=auth_*",
    "NOT event=*_finished",
    "category=storage",
    "category=mailbox AND NOT category=imap",
    "category=service:imap OR category=auth",
    "category=error",
    "category=debug AND event=*",
    "user=*a*",
    "user=\"\"",
    "session=* AND cmd_name=FETCH",
    "NOT mailbox=INBOX",
    "duration>1000",
    "duration<=50 AND event=*",
    "net_in_bytes>=0",
    "reason_code=*",
    "reason_code=imap:* OR reason_code=\"\"",
    "source_location=imap-client.c",
];

fn check(name: &str, dialect: Dialect) {
    let path = format!(
        "{}/../../testdata/captures/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes));
    assert!(read.is_ok(), "{name}: {read:?}");
    let capture = Capture::parse(&bytes);
    let filters = FILTERS.iter().map(|filter| filter.as_bytes());
    let mut servers = SideBySide::new(filters, dialect, &Limits::default());
    assert_eq!(servers.filters(), FILTERS.len());
    // In the order in which the lines were recorded.
    let mut lines = Vec::new();
    for (client, connection) in capture.connections.iter().enumerate() {
        let recorded = connection.lines.iter();
        lines.extend(recorded.map(|line| (line.number, client, line.line)));
    }
    lines.sort_unstable();
    assert!(lines.len() > 5_000);
    for (number, client, line) in lines {
        assert!(servers.line(client, line), "line {number}");
    }
    servers.finish();
}

#[test]
fn dovecot_2_3() {
    check("dovecot-2.3.19.tsv", Dialect::V2_3);
}

#[test]
fn dovecot_2_4() {
    check("dovecot-2.4.1.tsv", Dialect::V2_4);
}
