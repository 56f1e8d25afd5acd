//! Collecting the events of all hosts into a file, each once, or onto an output.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fantail_fleet::events::{Collector, CollectorLimits, HEADER, StreamMessage, Taken};
use fantail_transport::PositionedFile;
use tokio::{
    runtime::Builder,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    super::{
        NatsOptions,
        connection::Connection,
        consumer::{Consumer, Delivered},
    },
    stream::{self, EventStreamSettings},
};
use crate::{
    Log, ServerError, ServerErrorKind,
    process::signals::{Caught, Signals},
};

/// The lines that are written at once.
const LINES_BYTES: usize = 4 << 20;

/// The pause after an error.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between two reports of dropped events.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// The subjects that a report names.
const MAX_REPORTED: usize = 10;

/// Where events are collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectTarget {
    /// A file with each event once, and the file of its position.
    File {
        /// The file of events.
        path: PathBuf,
        /// The file of the position.
        position: PathBuf,
    },
    /// Standard output, from the first message of the stream on. Nothing is saved.
    Output,
}

/// The options of a collection.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// The broker and the cluster.
    pub nats: NatsOptions,
    /// The settings of the stream, if it is created.
    pub stream: EventStreamSettings,
    /// The name of this process for the broker.
    pub hostname: Vec<u8>,
    /// Where events are collected.
    pub target: CollectTarget,
    /// The time between two writes.
    pub interval: Duration,
    /// Whether the collection ends once all is read.
    pub once: bool,
    /// The limits of what is kept.
    pub limits: CollectorLimits,
    /// The log.
    pub log: Log,
}

/// Collects events until a signal, or until all is read.
///
/// # Errors
/// The file or its position cannot be opened, or the broker's URL or files are wrong.
pub fn collect(options: CollectOptions) -> Result<(), ServerError> {
    let system = |error| ServerError::new(ServerErrorKind::System, error);
    let collection = Collection::open(options).map_err(system)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let collected = runtime.block_on(collection.run());
    runtime.shutdown_timeout(Duration::from_millis(100));
    collected.map_err(system)
}

/// Where lines go.
enum Sink {
    File(Box<PositionedFile>),
    Output,
}

struct Collection {
    options: CollectOptions,
    sink: Sink,
    collector: Collector,
    /// Lines that are not written.
    lines: Vec<u8>,
    /// Whether something was read that is not saved.
    is_changed: bool,
    /// Dropped events that were not reported, by subject.
    dropped: BTreeMap<String, u64>,
    reported: Option<Instant>,
    last_error: String,
}

impl Collection {
    fn open(options: CollectOptions) -> io::Result<Self> {
        let mut collector = Collector::new(options.limits);
        let sink = match &options.target {
            CollectTarget::Output => Sink::Output,
            CollectTarget::File { path, position } => {
                let (mut file, saved) = PositionedFile::open(path, position)?;
                match saved {
                    Some(saved) => collector = read(&saved, position, options.limits)?,
                    None => file.commit(b"", collector.save().as_bytes())?,
                }
                if file.was_shortened() {
                    options.log.say(format_args!(
                        "{} is shorter than it was: another program rotated it",
                        path.display()
                    ));
                }
                Sink::File(Box::new(file))
            }
        };
        Ok(Self {
            options,
            sink,
            collector,
            lines: Vec::new(),
            is_changed: false,
            dropped: BTreeMap::new(),
            reported: None,
            last_error: String::new(),
        })
    }

    async fn run(mut self) -> io::Result<()> {
        let mut signals = Signals::new(true)?;
        let name = &self.options.hostname;
        let connection = Connection::open(&self.options.nats, name, &self.options.log).await?;
        loop {
            let followed = tokio::select! {
                () = stopped(&mut signals) => Ok(()),
                followed = self.follow(&connection) => followed,
            };
            match followed {
                Ok(()) => break,
                // Nothing reads the output any more.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
                Err(error) => self.tell(&error),
            }
            tokio::select! {
                () = stopped(&mut signals) => break,
                () = sleep(RETRY_INTERVAL) => {}
            }
        }
        self.commit()?;
        self.report();
        let counts = self.collector.counts();
        self.options.log.say(format_args!(
            "{} events collected, {} repeated, {} dropped by hosts, {} missing; \
             {} messages skipped, {} refused",
            counts.events,
            counts.repeated,
            counts.dropped,
            counts.missing,
            counts.skipped,
            counts.refused,
        ));
        Ok(())
    }

    /// Logs an error, once.
    fn tell(&mut self, error: &io::Error) {
        let error = error.to_string();
        if error != self.last_error {
            self.options
                .log
                .say(format_args!("the stream of events: {error}"));
            self.last_error = error;
        }
    }

    /// Reads what was not read before, and what follows; returns when all is read, if that
    /// is wanted. Nothing is lost if it is given up at any time.
    async fn follow(&mut self, connection: &Connection) -> io::Result<()> {
        // What could not be written comes first: nothing is read without room for it.
        self.commit()?;
        let mut link = connection.link.clone();
        let up = link.wait_for(|link| link.is_up).await;
        up.map_err(io::Error::other)?;
        let state = stream::state(&self.options.nats, connection, self.options.stream).await?;
        let start = self.collector.resume(&state.created, state.last);
        let (mut consumer, there) = Consumer::start(connection, &state.name, start).await?;
        if there == 0 && self.options.once {
            return Ok(());
        }
        let mut ticks = interval(self.options.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = consumer.next() => message?,
                _ = ticks.tick() => {
                    self.commit()?;
                    continue;
                }
            };
            let Some(delivered) = consumer.accept(message).await? else {
                continue;
            };
            self.take(&delivered)?;
            if self.lines.len() >= LINES_BYTES {
                self.commit()?;
            }
            if delivered.pending == 0 {
                self.last_error.clear();
                if self.options.once {
                    return Ok(());
                }
            }
        }
    }

    fn take(&mut self, delivered: &Delivered) -> io::Result<()> {
        let message = &delivered.message;
        let head = message.headers.as_ref().and_then(|all| all.get(HEADER));
        let head = head.map(async_nats::HeaderValue::as_str);
        let subject = &message.subject;
        let taken = self.collector.take(
            &StreamMessage {
                subject,
                sequence: delivered.sequence,
                stored_at: delivered.stored_at,
                head,
                body: &message.payload,
            },
            &mut self.lines,
        );
        let Taken {
            dropped, skipped, ..
        } = taken.map_err(io::Error::other)?;
        self.is_changed = true;
        if dropped > 0 {
            *self.dropped.entry(subject.to_string()).or_default() += dropped;
        }
        if skipped > 0 {
            self.options.log.say(format_args!(
                "the stream removed {skipped} messages before they were read"
            ));
        }
        Ok(())
    }

    /// Writes the lines and saves the position.
    fn commit(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::File(_) if !self.is_changed => {}
            Sink::File(file) => file.commit(&self.lines, self.collector.save().as_bytes())?,
            Sink::Output => {
                let mut output = io::stdout().lock();
                output.write_all(&self.lines)?;
                output.flush()?;
            }
        }
        self.lines.clear();
        self.is_changed = false;
        if self
            .reported
            .is_none_or(|at| at.elapsed() >= REPORT_INTERVAL)
        {
            self.report();
        }
        Ok(())
    }

    /// Reports the events that hosts have dropped.
    fn report(&mut self) {
        if self.dropped.is_empty() {
            return;
        }
        self.reported = Some(Instant::now());
        let all = std::mem::take(&mut self.dropped);
        let others = all.len().saturating_sub(MAX_REPORTED);
        for (subject, count) in all.into_iter().take(MAX_REPORTED) {
            self.options.log.say(format_args!(
                "{subject}: the exporter dropped {count} events"
            ));
        }
        if others > 0 {
            self.options
                .log
                .say(format_args!("{others} other exporters dropped events"));
        }
    }
}

fn read(saved: &[u8], position: &Path, limits: CollectorLimits) -> io::Result<Collector> {
    let bad = |error: String| {
        let what = format!("{}: {error}", position.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    let text = std::str::from_utf8(saved).map_err(|error| bad(error.to_string()))?;
    Collector::from_saved(text, limits).map_err(|error| bad(error.to_string()))
}

/// Waits for the signal to stop.
async fn stopped(signals: &mut Signals) {
    while signals.next().await != Caught::Stop {}
}
