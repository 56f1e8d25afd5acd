//! What the servers are asked to do.

use std::fmt::Write as _;

use crate::measure::compare::{counting, feed::Writes};

/// One row of the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) name: String,
    /// `metric` and `event_exporter` blocks of Dovecot 2.3.
    pub(crate) blocks: String,
    pub(crate) feed: Feed,
    pub(crate) writes: Writes,
    /// How many times longer than usual its stream is: what takes little
    /// time needs many events to be told from what the start takes.
    pub(crate) times: u64,
    /// How many times less CPU we want to take.
    pub(crate) target: Option<f64>,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Feed {
    /// Its named events, each with all that it inherits in its line.
    Mixed,
    /// The recording as it was sent.
    Recorded,
    /// Commands of this number of users, twice.
    Users(u64),
    /// Events that match several metrics with fields.
    Counting,
}

/// All rows, cheap ones first.
pub(crate) fn all() -> Vec<Load> {
    let mut loads = of_typical_metrics();
    loads.extend(of_metrics_that_match());
    loads.extend(of_counting());
    for metrics in [10, 1_000] {
        loads.push(Load {
            feed: Feed::Recorded,
            ..load(
                format!("{metrics} metrics, events as they were recorded"),
                metrics_of(metrics, typical),
                None,
            )
        });
    }
    for (format, transport, target) in [
        ("json", "drop", Some(10.0)),
        ("tab-text", "drop", Some(6.0)),
        ("json", "log", None),
        ("tab-text", "log", None),
    ] {
        let name = format!("{format} of every event to {transport}");
        loads.push(load(name, exported(format, transport), target));
    }
    loads.push(Load {
        feed: Feed::Users(100_000),
        ..load(
            "group_by of 100,000 users".to_owned(),
            "metric users {\n  filter = event=imap_command_finished\n  group_by = user\n}\n"
                .to_owned(),
            Some(300.0),
        )
    });
    loads
}

fn of_typical_metrics() -> Vec<Load> {
    let mut loads = Vec::new();
    for (metrics, target) in [
        (1, None),
        (10, Some(7.0)),
        (100, None),
        (1_000, Some(40.0)),
        (10_000, Some(160.0)),
    ] {
        let name = format!("{metrics} metrics");
        loads.push(load(name, metrics_of(metrics, typical), target));
    }
    for (metrics, clients, target) in [
        (10, 1, 4.0),
        (1_000, 1, 30.0),
        (10, 500, 3.0),
        (10, 5_000, 3.0),
    ] {
        let by = match clients {
            1 => String::new(),
            _ => format!(", by {clients} clients in turn"),
        };
        let name = format!("{metrics} metrics, one write a line{by}");
        loads.push(Load {
            writes: Writes::EachLine(clients),
            ..load(name, metrics_of(metrics, typical), Some(target))
        });
    }
    for (metrics, target) in [(10, None), (10_000, Some(400.0))] {
        let name = format!("{metrics} metrics, a user each");
        loads.push(load(name, metrics_of(metrics, a_user), target));
    }
    loads
}

fn of_metrics_that_match() -> Vec<Load> {
    let mut loads = Vec::new();
    for (metrics, target) in [(10, 25.0), (100, 70.0)] {
        let name = format!("{metrics} metrics that match every event");
        let blocks = metrics_of(metrics, |_| "event=*".to_owned());
        loads.push(load(name, blocks, Some(target)));
    }
    loads.push(load(
        "10 metrics that match every event, by user and command".to_owned(),
        metrics_of(10, |_| "event=*\n  group_by = user cmd_name".to_owned()),
        Some(25.0),
    ));
    loads
}

/// Filters of five shapes, and fields.
fn of_counting() -> Vec<Load> {
    let targets = [(10, Some(12.0)), (100, None), (1_000, Some(60.0))];
    let loads = targets.map(|(metrics, target)| Load {
        feed: Feed::Counting,
        ..load(
            format!("{metrics} metrics of two fields"),
            counting::metrics(metrics),
            target,
        )
    });
    loads.into()
}

fn load(name: String, blocks: String, target: Option<f64>) -> Load {
    let is_cheap = blocks.matches("filter = ").count() <= 10;
    Load {
        times: if is_cheap { 5 } else { 1 },
        name,
        blocks,
        feed: Feed::Mixed,
        writes: Writes::Batched,
        target,
    }
}

fn metrics_of(count: usize, filter: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = writeln!(
            text,
            "metric m{number} {{\n  filter = {}\n}}",
            filter(number)
        );
    }
    text
}

/// Filters like those of real configurations: an event, then a user, a
/// command, a mailbox or a number.
fn typical(number: usize) -> String {
    const COMMANDS: &[&str] = &["SELECT", "FETCH", "STORE", "APPEND", "CREATE", "LOGOUT"];
    let command = COMMANDS[number / 6 % COMMANDS.len()];
    match number % 6 {
        0 => format!("event=imap_command_finished AND user=\"user{number}@example.com\""),
        1 => format!(
            "event=imap_command_finished AND cmd_name={command} AND tagged_reply_state=OK AND \
             bytes_out > {number}"
        ),
        2 => format!("event=mail_delivery_finished AND user=\"user{number}@example.com\""),
        3 => format!("event=auth_request_finished AND success=yes AND user=user{number}"),
        4 => format!(
            "event=smtp_server_command_finished AND cmd_name=RCPT AND status_code > {}",
            200 + number % 300
        ),
        _ => format!(
            "(event=imap_command_finished OR event=mail_opened) AND mailbox=\"box{number}\" AND \
             NOT user=nobody"
        ),
    }
}

fn a_user(number: usize) -> String {
    format!("event=imap_command_finished AND user=\"user{number}@example.com\"")
}

fn exported(format: &str, transport: &str) -> String {
    format!(
        "event_exporter all {{\n  format = {format}\n  format_args = time-rfc3339\n  \
         transport = {transport}\n}}\nmetric all {{\n  filter = event=*\n  exporter = all\n  \
         exporter_include = name hostname timestamps categories fields\n}}\n"
    )
}
