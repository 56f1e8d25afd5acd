//! Whether a slow target slows the engine: events a second with a target that
//! takes 10 events a second, and with others, in interleaved rounds.
//!
//! A round is the engine, with one metric that exports every event as JSON,
//! once over a recording. Printed are the fastest round of each target, which
//! other programs on the machine disturb least, and its ratio to that of the
//! slow target.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program whose output is the result, and that may stop"
)]

use std::{
    thread,
    time::{Duration, Instant},
};

use fantail_benches::Recording;
use fantail_config::{Options, load_text};
use fantail_engine::{Engine, ExporterId};
use fantail_event::Timestamp;
use fantail_format::Moment;
use fantail_transport::{
    Batch, BatchLimits, DeliveryLevel, DropTransport, Overflow, Queue, QueueSettings, Transport,
    TransportError, spool::SpoolSettings,
};

const CONFIG: &str = "\
dovecot_config_version = 2.4.1
event_exporter all {
  driver = drop
  format = json
}
metric all {
  filter = event=*
  exporter = all
}
";

const ROUNDS: usize = 500;

/// Payloads that a worker gathers before it offers them.
const GATHERED: usize = 64;

/// Ten events a second.
struct Slow;

impl Transport for Slow {
    fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
        thread::sleep(Duration::from_millis(100));
        Ok(())
    }

    fn batch_limits(&self) -> BatchLimits {
        BatchLimits {
            payloads: 1,
            ..BatchLimits::default()
        }
    }
}

fn start(transport: impl Transport + 'static, settings: QueueSettings) -> Option<Queue> {
    Some(Queue::start("bench", Box::new(transport), settings).expect("threads are to be had"))
}

fn main() {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let loaded = load_text("bench.conf", CONFIG, &Options::default()).accept();
    let settings = loaded.expect("the configuration is right").settings;
    let mut engine = Engine::new(&settings).expect("the settings fit");
    let folder = tempfile::tempdir().expect("a folder for the spool");
    let oldest = QueueSettings {
        overflow: Overflow::DropOldest,
        ..QueueSettings::default()
    };
    let spooled = QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings {
            bytes: 256 << 20,
            ..SpoolSettings::new(folder.path().join("spool"))
        }),
        ..QueueSettings::default()
    };
    let targets = [
        ("slow", start(Slow, QueueSettings::default())),
        ("slow, oldest dropped", start(Slow, oldest)),
        ("slow, spooled", start(Slow, spooled)),
        ("drop", start(DropTransport, QueueSettings::default())),
        ("no queue", None),
    ];
    let mut times = [Duration::MAX; 5];
    for _ in 0..ROUNDS {
        for ((_, queue), time) in targets.iter().zip(&mut times) {
            let mut batch = Batch::new();
            let mut sink = |_: ExporterId, payload: &[u8]| {
                batch.push(payload);
                if batch.len() == GATHERED {
                    match queue {
                        Some(queue) => queue.offer(&mut batch),
                        None => batch.clear(),
                    }
                }
            };
            let moment = Moment {
                hostname: b"mail.example.org",
                now: Timestamp::from_unix_micros(0),
            };
            let begun = Instant::now();
            for sending in &sendings {
                sending.with(&categories, |sent| {
                    engine.handle(sent, moment, &mut sink);
                });
            }
            *time = begun.elapsed().min(*time);
        }
    }
    println!("target                  events/s   throughput of slow / of this");
    for ((name, _), time) in targets.iter().zip(&times) {
        let rate = sendings.len() as f64 / time.as_secs_f64();
        let ratio = time.as_secs_f64() / times[0].as_secs_f64();
        println!("{name:<22} {rate:>9.0}   {ratio:.3}");
    }
}
