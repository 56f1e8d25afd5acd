//! Attacks over the stats-writer socket.

use std::{thread, time::Duration};

use super::{
    Attack, MIB, Target,
    clients::{Writer, check_honest_client},
};
use crate::error::Error;

/// Counts the events of honest clients.
const HONEST: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n";

const EXPORTING: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n\
    event_exporter all {\n  format = json\n  format_args = time-rfc3339\n  transport = drop\n}\n\
    metric all {\n  filter = event=child\n  exporter = all\n}\n";

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "large-category-names",
        blocks: HONEST,
        arguments: &[],
        max_peak_bytes: 256 * MIB,
        max_end: Duration::from_secs(15),
        run: large_category_names,
    },
    Attack {
        name: "many-category-names",
        blocks: HONEST,
        arguments: &[],
        max_peak_bytes: 256 * MIB,
        max_end: Duration::from_secs(15),
        run: many_category_names,
    },
    Attack {
        name: "children-of-a-large-event",
        blocks: EXPORTING,
        arguments: &[],
        max_peak_bytes: 512 * MIB,
        max_end: Duration::from_secs(15),
        run: children_of_a_large_event,
    },
];

fn large_category_names(target: &Target) -> Result<(), Error> {
    let mut client = Writer::connect(&target.writer())?;
    let padding = "x".repeat(130_000);
    for number in 0..10_000 {
        if !client.send(&format!("CATEGORY\t{number}{padding}\n")) {
            break;
        }
    }
    check_honest_client(&target.writer(), target.http)
}

fn many_category_names(target: &Target) -> Result<(), Error> {
    for part in 0..20 {
        let mut client = Writer::connect(&target.writer())?;
        for number in 0..1_000 {
            if !client.send(&format!("CATEGORY\tc{part}-{number}\n")) {
                break;
            }
        }
        client.finish()?;
    }
    check_honest_client(&target.writer(), target.http)
}

/// Each child is 28 bytes, and inherits 62 MB.
fn children_of_a_large_event(target: &Target) -> Result<(), Error> {
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
    let honest = check_honest_client(&target.writer(), target.http);
    // The server ends while children are still to be read.
    drop(sending);
    honest
}
