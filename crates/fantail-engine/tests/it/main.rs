//! One engine that takes activities against one that takes sent events as events
//! of another type; sessions, observers, own types, several threads.
//!
//! Which filters match is compared with a second implementation by the tests of
//! `fantail-oracle`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod edge_cases;
mod exports;
mod memos;
mod observers;
mod own_types;
mod random;
mod reason_codes;
mod reconfigured;
mod recorded;
mod sessions;
mod sessions_recorded;
mod sharded;

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::{Engine, ExportSink, Exported, ExporterId, ObserverId};
use fantail_event::{Activity, Dialect, EffectiveEvent, Timestamp};
use fantail_exposition::dump;
use fantail_format::ExportContext;
use fantail_fuzz::ByKey;
use fantail_metrics::{Exemplar, Snapshot};
use fantail_wire::{Connection, Intake, Limits};

const CONTEXT: ExportContext<'_> = ExportContext {
    host: b"vm",
    received_at: Timestamp::from_unix_micros(1_795_328_191_000_000),
};

const GREETING: &str = "VERSION\tstats-client\t4\t0";

fn settings(text: &[u8], dialect: Dialect) -> Settings {
    let options = LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    };
    let loaded = load_text("dovecot.conf", text, &options).accept();
    loaded
        .unwrap_or_else(|refused| panic!("{refused}"))
        .settings
}

/// Keeps what was exported and observed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Recorded {
    exports: Vec<(ExporterId, Vec<u8>)>,
    observed: Vec<(ObserverId, String)>,
}

impl ExportSink for Recorded {
    fn export(&mut self, exported: Exported<'_>) {
        self.exports
            .push((exported.exporter, exported.payload.to_vec()));
    }

    fn observed(
        &mut self,
        observer: ObserverId,
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
    ) {
        assert_eq!(context, CONTEXT);
        self.observed.push((observer, described(event)));
    }
}

/// All of an event in a line.
fn described(event: &EffectiveEvent<'_>) -> String {
    let name = event.name().unwrap_or(b"-").escape_ascii();
    let times = (event.created(), event.sent());
    let mut text = format!("{name} {times:?} {:?}", event.categories());
    event.each_field(|key, value| text += &format!(" {}={value:?}", key.escape_ascii()));
    text
}

/// The table of a dump.
fn table(snapshot: &Snapshot) -> String {
    let mut table = Vec::new();
    dump::write_table(snapshot, &dump::default_columns(), &mut table);
    String::from_utf8_lossy(&table).into_owned()
}

/// What came of lines: what was exported and observed, each line's outcome, the
/// dump, the exemplars.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    recorded: Recorded,
    lines: Vec<Result<(), String>>,
    dump: String,
    /// Of each series.
    exemplars: Vec<Option<Exemplar>>,
}

/// How events come to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arm {
    /// As activities: its slots are found.
    Slots,
    /// As events of another type, by key.
    Keys,
}

/// Plays connections after their handshakes, one after another; a line that
/// is refused ends its connection. Each metric's filter is that of an observer
/// too.
fn play(settings: &Settings, connections: &[Vec<&[u8]>], limits: &Limits, arm: Arm) -> Outcome {
    let mut engine = Engine::new(settings).unwrap();
    engine.observe(settings.metrics.iter().map(|metric| metric.filter.clone()));
    let mut intake = Intake::new();
    let (mut recorded, mut outcomes) = (Recorded::default(), Vec::new());
    for lines in connections {
        let mut connection = Connection::new(settings.dialect, limits.clone());
        let mut on = |activity: Activity<'_>| match (arm, &activity) {
            (Arm::Slots, _) => engine.step(&activity, CONTEXT, &mut recorded),
            (Arm::Keys, Activity::Sent { event, .. }) => {
                engine.handle(&ByKey(event), CONTEXT, &mut recorded);
            }
            (Arm::Keys, _) => {}
        };
        for line in lines {
            let handled = connection.handle(line, &mut intake, &mut on);
            let handled = handled.map_err(|error| error.to_string());
            let is_refused = handled.is_err();
            outcomes.push(handled);
            if is_refused {
                break;
            }
        }
        connection.close(&mut intake, &mut on);
        assert!(intake.live_events().is_empty());
    }
    let snapshot = engine.snapshot();
    let series = snapshot
        .metrics()
        .iter()
        .flat_map(|metric| metric.series().iter());
    Outcome {
        recorded,
        lines: outcomes,
        exemplars: series.map(|series| series.exemplar().cloned()).collect(),
        dump: table(&snapshot),
    }
}

/// Plays both ways; gives what came of it.
#[track_caller]
fn check(settings: &Settings, connections: &[Vec<&[u8]>], limits: &Limits) -> Outcome {
    let [slots, keys] = [Arm::Slots, Arm::Keys].map(|arm| play(settings, connections, limits, arm));
    let exports = slots.recorded.exports.iter();
    for (slots, keys) in exports.zip(&keys.recorded.exports) {
        let shown = |payload: &[u8]| payload.escape_ascii().to_string();
        assert_eq!(shown(&slots.1), shown(&keys.1));
    }
    assert_eq!(slots, keys);
    slots
}

/// A client that an engine follows.
struct Client {
    connection: Connection,
}

impl Client {
    fn new(intake: &mut Intake, dialect: Dialect) -> Self {
        let mut connection = Connection::new(dialect, Limits::default());
        let greeted = connection.handle(GREETING.as_bytes(), intake, |_| {});
        assert_eq!(greeted, Ok(()));
        Self { connection }
    }

    /// Plays lines.
    #[track_caller]
    fn play(
        &mut self,
        lines: &[&str],
        (intake, engine): (&mut Intake, &mut Engine),
        sink: &mut impl ExportSink,
    ) {
        for line in lines {
            let handled = self.connection.handle(line.as_bytes(), intake, |activity| {
                engine.step(&activity, CONTEXT, sink);
            });
            assert_eq!(handled, Ok(()), "{line}");
        }
    }

    fn close(self, (intake, engine): (&mut Intake, &mut Engine), sink: &mut impl ExportSink) {
        self.connection
            .close(intake, |activity| engine.step(&activity, CONTEXT, sink));
    }
}
