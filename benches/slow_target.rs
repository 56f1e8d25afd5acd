//! The effect of a slow target on the engine: the cost of an event for the
//! thread that makes it, with a target that accepts 10 events a second, and
//! with others.
//!
//! A round is one recording through the engine, with one metric that exports
//! every event as JSON. All targets have their rounds in turn, each time in
//! another order. Two times are measured: that of the round, and the CPU time
//! of the engine's thread. On a busy machine the first shows the share of the
//! cores; the second is the cost of the queue.
//!
//! It prints the medians, and the median of the ratios of each round to that of
//! the same turn with a target that accepts all events.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program whose output is the result, and that may stop"
)]

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fantail_benches::Recording;
use fantail_config::{LoadOptions, load_text};
use fantail_engine::{Engine, Exported};
use fantail_event::Timestamp;
use fantail_format::ExportContext;
use fantail_transport::{
    Batch, BatchLimits, DeliveryLevel, DropTransport, Overflow, Queue, QueueSettings, Transport,
    TransportError, spool::SpoolSettings,
};
use rustix::time::{ClockId, clock_gettime};

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

const ROUNDS: usize = 300;

/// The number of payloads that a worker collects before it offers them.
const GATHERED: usize = 64;

/// A target that accepts ten events a second.
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

/// A target, and the costs of its rounds.
struct Lane {
    name: &'static str,
    queue: Option<Queue>,
    rounds: Vec<Cost>,
}

/// The cost of a round.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// The CPU time of the thread that made the events.
    cpu: Duration,
}

impl Lane {
    fn new(
        name: &'static str,
        transport: impl Transport + 'static,
        settings: QueueSettings,
    ) -> Self {
        let queue = Queue::start("bench", Box::new(transport), settings);
        Self {
            name,
            queue: Some(queue.expect("threads are to be had")),
            rounds: Vec::new(),
        }
    }

    /// Runs the engine once over the recording.
    fn round(&mut self, run: impl FnOnce(&mut dyn FnMut(&[u8]))) {
        let mut batch = Batch::new();
        let queue = &self.queue;
        let (begun, cpu) = (Instant::now(), thread_time());
        run(&mut |payload| {
            batch.push(payload);
            if batch.len() == GATHERED {
                match queue {
                    Some(queue) => queue.offer(&mut batch),
                    None => batch.clear(),
                }
            }
        });
        self.rounds.push(Cost {
            wall: begun.elapsed(),
            cpu: thread_time() - cpu,
        });
        // The threads of this queue must not disturb the next round.
        if let Some(queue) = queue {
            let _ = queue.flush(Duration::from_millis(20));
        }
    }
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).expect("less than a second");
    Duration::new(u64::try_from(time.tv_sec).expect("not before"), nanos)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn lanes(folder: &Path) -> Vec<Lane> {
    let oldest = QueueSettings {
        overflow: Overflow::DropOldest,
        ..QueueSettings::default()
    };
    let spooled = |name: &str| QueueSettings {
        level: DeliveryLevel::Spool(SpoolSettings {
            bytes: 256 << 20,
            ..SpoolSettings::new(folder.join(name))
        }),
        ..QueueSettings::default()
    };
    let none = Lane {
        name: "no queue",
        queue: None,
        rounds: Vec::new(),
    };
    vec![
        Lane::new("drop", DropTransport, QueueSettings::default()),
        none,
        Lane::new("slow", Slow, QueueSettings::default()),
        Lane::new("slow, oldest dropped", Slow, oldest),
        Lane::new("slow, spooled", Slow, spooled("slow")),
        Lane::new("drop, spooled", DropTransport, spooled("drop")),
    ]
}

fn main() {
    let recording = Recording::dovecot_2_4();
    let (sendings, categories) = recording.sendings();
    let loaded = load_text("bench.conf", CONFIG, &LoadOptions::default()).accept();
    let settings = loaded.expect("the configuration is right").settings;
    let mut engine = Engine::new(&settings).expect("the settings fit");
    let folder = tempfile::tempdir().expect("a folder for the spool");
    let mut lanes = lanes(folder.path());
    for turn in 0..ROUNDS {
        for place in 0..lanes.len() {
            let at = (turn + place) % lanes.len();
            lanes[at].round(|export| {
                let mut sink = |one: Exported<'_>| export(one.payload);
                let context = ExportContext {
                    host: b"mail.example.org",
                    received_at: Timestamp::from_unix_micros(0),
                };
                for sending in &sendings {
                    sending.with(&categories, |sent| {
                        engine.handle(sent, context, &mut sink);
                    });
                }
            });
        }
    }
    report(&lanes, sendings.len());
}

fn report(lanes: &[Lane], events: usize) {
    type Get = fn(&Cost) -> Duration;
    let of = |lane: &Lane, get: Get| {
        let each = lane.rounds.iter().map(|cost| get(cost).as_nanos() as f64);
        median(each.collect()) / events as f64
    };
    let ratio = |lane: &Lane, get: Get| {
        let turns = lane.rounds.iter().zip(&lanes[0].rounds);
        median(
            turns
                .map(|(this, first)| get(first).div_duration_f64(get(this)))
                .collect(),
        )
    };
    println!(
        "{:<22} {:>10} {:>12} {:>12} {:>12}",
        "target", "wall ns", "CPU ns", "throughput", "by CPU"
    );
    for lane in lanes {
        println!(
            "{:<22} {:>10.0} {:>12.0} {:>12.3} {:>12.3}",
            lane.name,
            of(lane, |cost| cost.wall),
            of(lane, |cost| cost.cpu),
            ratio(lane, |cost| cost.wall),
            ratio(lane, |cost| cost.cpu),
        );
    }
    for lane in lanes {
        if let Some(queue) = &lane.queue {
            let status = queue.status();
            println!(
                "{}: {} offered, {} dropped, {} wait",
                lane.name,
                status.counters.queued,
                status.counters.dropped_in_all(),
                status.waiting
            );
        }
    }
}
