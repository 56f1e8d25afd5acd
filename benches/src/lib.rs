//! What the benchmarks run on: the recordings of real Dovecots.
//!
//! Each benchmark walks a whole recording, so that the mix of short and long
//! events, of names and of fields is that of a mail server. What is measured
//! lies in the files beside this package's manifest, one a layer.

// The generator of a load of `cargo xtask bench compare`; xtask uses no crate of
// this repository, and the text is the same here.
#[path = "../../xtask/src/measure/compare/counting.rs"]
mod counting;
pub mod pipeline;
pub mod rounds;
pub mod rules;
pub mod series;
pub mod slots;

use std::{path::Path, time::Duration};

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use fantail_event::{Activity, Ancestor, CategoryTree, Dialect, Event, Level, SentEvent};
use fantail_wire::{Command, Connection, Intake, Limits, capture::Capture};

/// All that the processes of one Dovecot sent.
#[derive(Debug)]
pub struct Recording {
    /// The dialect of that Dovecot.
    pub dialect: Dialect,
    bytes: Vec<u8>,
}

/// One sending of an event, with all that it inherits, kept.
#[derive(Debug)]
pub struct Sending {
    level: Level,
    event: Event,
    parents: Vec<Event>,
    global: Vec<Event>,
}

/// One event as text, in its place: without command and ids.
#[derive(Debug)]
pub struct Texts<'a> {
    /// In the order in which they were sent; parents (`BEGIN`) are there,
    /// updates are not.
    pub events: Vec<&'a [u8]>,
    /// All categories that were registered.
    pub categories: CategoryTree,
}

impl Recording {
    /// The recording of Dovecot 2.4.1.
    ///
    /// # Panics
    /// The file is missing.
    #[must_use]
    #[allow(
        clippy::expect_used,
        clippy::disallowed_methods,
        reason = "test data of our own: without it there is nothing to measure"
    )]
    pub fn dovecot_2_4() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../testdata/captures")
            .join("dovecot-2.4.1.tsv");
        Self {
            dialect: Dialect::V2_4,
            bytes: std::fs::read(path).expect("the recording is in testdata"),
        }
    }

    /// The lines of each client, its handshake first.
    #[must_use]
    pub fn clients(&self) -> Vec<Vec<&[u8]>> {
        Capture::parse(&self.bytes)
            .connections
            .iter()
            .map(|connection| connection.lines.iter().map(|line| line.line).collect())
            .collect()
    }

    /// The events as text.
    #[must_use]
    pub fn texts(&self) -> Texts<'_> {
        let mut texts = Texts {
            events: Vec::new(),
            categories: CategoryTree::default(),
        };
        for line in self.clients().concat() {
            match Command::parse(line) {
                Ok(Command::Category { name, parent }) => {
                    // Clients repeat each other's, which changes nothing.
                    texts.categories.register(&name, parent.as_deref()).ok();
                }
                Ok(Command::Begin { event, .. } | Command::Event { event, .. }) => {
                    texts.events.push(event);
                }
                _ => {}
            }
        }
        texts
    }

    /// All sendings, and the categories that their events name.
    #[must_use]
    pub fn sendings(&self) -> (Vec<Sending>, CategoryTree) {
        let mut intake = Intake::new();
        let mut sendings = Vec::new();
        for lines in self.clients() {
            let mut connection = Connection::new(self.dialect, Limits::default());
            for line in lines {
                let handled = connection.handle(line, &mut intake, |activity| {
                    if let Activity::Sent { event, .. } = activity {
                        sendings.push(Sending::keep(&event));
                    }
                });
                // The tests hold that recordings are read without an error.
                handled.ok();
            }
            connection.close(&mut intake, |_| {});
        }
        (sendings, intake.categories)
    }
}

impl Sending {
    fn keep(sent: &SentEvent<'_>) -> Self {
        let keep = |events: &[Ancestor<'_>]| {
            let owned = events.iter().map(|ancestor| ancestor.event.clone());
            owned.collect()
        };
        Self {
            level: sent.level,
            event: sent.event.to_event(),
            parents: keep(sent.parents),
            global: keep(sent.global),
        }
    }

    /// Calls `run` with the sent event.
    pub fn with<R>(&self, categories: &CategoryTree, run: impl FnOnce(&SentEvent<'_>) -> R) -> R {
        let lend = |event| Ancestor { event, live: None };
        let parents: Vec<Ancestor<'_>> = self.parents.iter().map(lend).collect();
        let global: Vec<Ancestor<'_>> = self.global.iter().map(lend).collect();
        run(&SentEvent {
            level: self.level,
            event: self.event.as_event_ref(),
            parents: &parents,
            global: &global,
            categories,
        })
    }
}

/// A group whose figures per element are for one of `elements`.
pub fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    elements: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(elements as u64));
    group.warm_up_time(Duration::from_secs(1));
    group
}
