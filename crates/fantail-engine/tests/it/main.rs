//! Events as they were read against events as values: the same lines through
//! two engines give the same, to the last byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod random;
mod reconfigured;
mod recorded;

use fantail_config::{Options, Settings, load_text};
use fantail_engine::{Engine, ExporterId};
use fantail_event::{CategoryTree, Dialect, Scan, Timestamp};
use fantail_format::Moment;
use fantail_metrics::{Exemplar, dump};
use fantail_wire::{Connection, Limits};

const MOMENT: Moment<'_> = Moment {
    hostname: b"vm",
    now: Timestamp::from_unix_micros(1_795_328_191_000_000),
};

fn settings(text: &[u8], dialect: Dialect) -> Settings {
    let options = Options {
        dialect: Some(dialect),
        ..Options::default()
    };
    let loaded = load_text("dovecot.conf", text, &options).accept();
    loaded
        .unwrap_or_else(|refused| panic!("{refused}"))
        .settings
}

/// What came of lines: what was exported, each line's outcome, the dump, the
/// exemplars.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    exports: Vec<(ExporterId, Vec<u8>)>,
    lines: Vec<Result<(), String>>,
    live: usize,
    dump: String,
    /// Of each series.
    exemplars: Vec<Option<Exemplar>>,
}

/// Plays connections after their handshakes, one after another; a line that
/// is refused ends its connection.
fn play(settings: &Settings, connections: &[Vec<&[u8]>], limits: &Limits, is_raw: bool) -> Outcome {
    let mut engine = Engine::new(settings).unwrap();
    let mut categories = CategoryTree::default();
    let (mut scan, mut exports, mut outcomes, mut live) = (Scan::new(), Vec::new(), Vec::new(), 0);
    for lines in connections {
        let mut connection = Connection::new(settings.dialect, limits.clone());
        for line in lines {
            let mut sink = |id, payload: &[u8]| exports.push((id, payload.to_vec()));
            let handled = if is_raw {
                connection.handle_raw(line, &mut categories, &mut scan, |sending| {
                    engine.handle_raw(sending, MOMENT, &mut sink);
                })
            } else {
                connection.handle(line, &mut categories, |sent| {
                    engine.handle(sent, MOMENT, &mut sink);
                })
            };
            let handled = handled.map_err(|error| error.to_string());
            let is_refused = handled.is_err();
            outcomes.push(handled);
            if is_refused {
                break;
            }
        }
        live += connection.live_events();
    }
    let snapshot = engine.snapshot();
    let series = snapshot
        .metrics()
        .iter()
        .flat_map(|metric| metric.series().iter());
    let exemplars = series.map(|series| series.exemplar().cloned()).collect();
    let mut table = Vec::new();
    dump::write_table(&snapshot, &dump::default_columns(), &mut table);
    Outcome {
        exports,
        lines: outcomes,
        live,
        dump: String::from_utf8_lossy(&table).into_owned(),
        exemplars,
    }
}

/// Plays both ways; gives what came of it.
#[track_caller]
fn check(settings: &Settings, connections: &[Vec<&[u8]>], limits: &Limits) -> Outcome {
    let [raw, plain] = [true, false].map(|is_raw| play(settings, connections, limits, is_raw));
    for (raw, plain) in raw.exports.iter().zip(&plain.exports) {
        let shown = |payload: &[u8]| payload.escape_ascii().to_string();
        assert_eq!(shown(&raw.1), shown(&plain.1));
    }
    assert_eq!(raw, plain);
    raw
}
