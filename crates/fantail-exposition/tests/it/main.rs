//! Tests of dumps and scrapes: Dovecot's own layout byte for byte, and the two
//! valid formats with separate rules and external checkers.

// A helper that cannot continue fails its test.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../replay/mod.rs"]
mod replay;

mod bulk;
mod checkers;
mod decoded;
mod dovecot_scrapes;
mod dumps;
mod exemplars;
mod exposition;
mod hostile;
mod instruments;
mod lines;
mod native;
mod prometheus;
mod pushes;
mod regressions;
mod rules;
mod series_runs;
mod top;

use fantail_event::Dialect;
use fantail_metrics::Snapshot;

use crate::replay::Player;

/// A configuration and the events that were played with it.
struct Case {
    name: &'static str,
    dialect: Dialect,
    config: &'static str,
    events: Events,
    /// The answer of the real Dovecot.
    answer: &'static [u8],
}

enum Events {
    Escaped(&'static str),
    Capture(&'static [u8]),
}

impl Case {
    fn snapshot(&self) -> Snapshot {
        let mut player = Player::new(self.config, self.dialect);
        match self.events {
            Events::Escaped(events) => player.play_events(events),
            Events::Capture(capture) => player.play_capture(capture),
        }
        player.registry.snapshot()
    }
}

macro_rules! small {
    ($name:literal, $dialect:ident, $config:literal, $real:literal) => {
        Case {
            name: concat!($name, "-", $config),
            dialect: Dialect::$dialect,
            config: include_str!(concat!("../../testdata/", $name, "-", $config, ".conf")),
            events: Events::Escaped(include_str!(concat!("../../testdata/", $name, ".events"))),
            answer: include_bytes!(concat!(
                "../../testdata/",
                $name,
                "-",
                $real,
                ".openmetrics"
            )),
        }
    };
}

const SMALL: [Case; 10] = [
    small!("values", V2_3, "2.3", "2.3.19"),
    small!("values", V2_4, "2.4", "2.4.1"),
    small!("paths", V2_3, "2.3", "2.3.19"),
    small!("paths", V2_4, "2.4", "2.4.1"),
    small!("kinds", V2_3, "2.3", "2.3.19"),
    small!("kinds", V2_4, "2.4", "2.4.1"),
    small!("buckets", V2_3, "2.3", "2.3.19"),
    small!("buckets", V2_4, "2.4", "2.4.1"),
    small!("leftovers", V2_3, "2.3", "2.3.19"),
    small!("leftovers", V2_4, "2.4", "2.4.1"),
];

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../../../testdata/captures/", $name))
    };
}

const RECORDED: [Case; 3] = [
    Case {
        name: "2.3.19-seed",
        dialect: Dialect::V2_3,
        config: recording!("2.3.19-seed/dovecot.conf"),
        events: Events::Capture(recording!("dovecot-2.3.19.tsv").as_bytes()),
        answer: recording!("2.3.19-seed/openmetrics.txt").as_bytes(),
    },
    Case {
        name: "2.3.19-wide",
        dialect: Dialect::V2_3,
        config: recording!("2.3.19-wide/dovecot.conf"),
        events: Events::Capture(recording!("dovecot-2.3.19.tsv").as_bytes()),
        answer: recording!("2.3.19-wide/openmetrics.txt").as_bytes(),
    },
    Case {
        name: "2.4.1-wide",
        dialect: Dialect::V2_4,
        config: include_str!("../../testdata/wide-2.4.conf"),
        events: Events::Capture(recording!("dovecot-2.4.1.tsv").as_bytes()),
        answer: recording!("2.4.1-wide/openmetrics.txt").as_bytes(),
    },
];
