//! Attacks over the stats-writer socket.

use std::thread;

use super::{Attack, BASE, HONEST, MIB, Target, clients::Writer};
use crate::error::Error;

const EXPORTING: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n\
    event_exporter all {\n  format = json\n  format_args = time-rfc3339\n  transport = drop\n}\n\
    metric all {\n  filter = event=child\n  exporter = all\n}\n";

const SESSIONS: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n\
    metric sessions {\n  filter = event=fantail_session_finished\n}\n";

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "large-category-names",
        blocks: HONEST,
        run: large_category_names,
        ..BASE
    },
    Attack {
        name: "many-category-names",
        blocks: HONEST,
        run: many_category_names,
        ..BASE
    },
    Attack {
        name: "children-of-a-large-event",
        blocks: EXPORTING,
        max_peak_bytes: 512 * MIB,
        run: children_of_a_large_event,
        ..BASE
    },
    Attack {
        name: "sessions-of-large-clients",
        blocks: SESSIONS,
        max_peak_bytes: 1_536 * MIB,
        run: sessions_of_large_clients,
        ..BASE
    },
    Attack {
        name: "flood-into-an-unread-log",
        blocks: HONEST,
        unread_log: true,
        run: flood_of_bad_lines,
        ..BASE
    },
];

/// Each session remembers an event of 100,000 bytes that has ended.
fn sessions_of_large_clients(target: &mut Target) -> Result<(), Error> {
    let mut clients = Vec::new();
    let value = "v".repeat(100_000);
    for _ in 0..20 {
        let mut client = Writer::connect(&target.writer())?;
        client.send("CATEGORY\timap\n");
        for id in (2..1_000).step_by(2) {
            let child = id + 1;
            let lines = format!(
                "BEGIN\t{id}\t0\t1\t1\t0\tcimap\n\
                 BEGIN\t{child}\t{id}\t1\t1\t0\tSsession\t{id}\tSv\t{value}\nEND\t{child}\n"
            );
            if !client.send(&lines) {
                break;
            }
        }
        clients.push(client);
    }
    // New clients need memory, too.
    drop(clients);
    target.check_honest_client()
}

fn flood_of_bad_lines(target: &mut Target) -> Result<(), Error> {
    for _ in 0..2_000 {
        let mut client = Writer::connect(&target.writer())?;
        client.send(&format!("NONSENSE\t{}\n", "x".repeat(200)));
        client.finish()?;
    }
    target.check_honest_client()
}

fn large_category_names(target: &mut Target) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    let padding = "x".repeat(130_000);
    for number in 0..10_000 {
        if !client.send(&format!("CATEGORY\t{number}{padding}\n")) {
            break;
        }
    }
    target.check_honest_client()
}

fn many_category_names(target: &mut Target) -> Result<(), Error> {
    for part in 0..20 {
        let mut client = Writer::connect(&target.writer())?;
        for number in 0..1_000 {
            if !client.send(&format!("CATEGORY\tc{part}-{number}\n")) {
                break;
            }
        }
        client.finish()?;
    }
    target.check_honest_client()
}

/// Each child is 28 bytes, and inherits 62 MB.
fn children_of_a_large_event(target: &mut Target) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    client.send("BEGIN\t1\t0\t1\t100\t0\n");
    let value = "v".repeat(130_000);
    for number in 0..480 {
        if !client.send(&format!("UPDATE\t1\t0\t100\t0\tSf{number}\t{value}\n")) {
            return Err(Error::new("the server refused a large event"));
        }
    }
    let children = "EVENT\t0\t1\t1\t100\t0\tnchild\n".repeat(5_000);
    let sending = thread::spawn(move || {
        client.send(&children);
        client
    });
    let honest = target.check_honest_client();
    // The server ends while children are still to be read.
    drop(sending);
    honest
}
