//! Workers: threads that read events.
//!
//! A worker owns its connections, its matcher and a shard of every metric, and
//! shares nothing with other workers. It receives [`Message`]s in order: a dump
//! that is asked for after a change shows the change.

pub(crate) mod accounts;
pub(crate) mod census;
mod client;
mod clients;
pub(crate) mod closed;
pub(crate) mod explain;
pub(crate) mod greeting;
pub(crate) mod inbox;
pub(crate) mod observers;
pub(crate) mod outbox;
mod read_delay;
pub(crate) mod recent;
mod run;
pub(crate) mod shard;
pub(crate) mod tap;

use std::{
    io,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use fantail_engine::{Counters, Engine, Plan, RunningSessions};
use fantail_event::Timestamp;
use fantail_format::EventIds;
use fantail_metrics::{
    Snapshot,
    state::{Restored, State},
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    Limits, Log,
    exporters::Exporters,
    memory::{Memory, Part, SharedMemory},
    process::log::Complaints,
    process::record::Recorder,
    process::turn::LongestTurn,
    worker::clients::Clients,
    worker::greeting::{FilterLine, Greeting},
    worker::inbox::Inbox,
    worker::observers::Observers,
    worker::outbox::Outbox,
    worker::recent::{RecentEvents, RecentLimits, RecentSnapshot},
    worker::run::Run,
    worker::shard::{IntakeCounts, Shard},
};

/// A category and its parent.
pub(crate) type Category = (Vec<u8>, Option<Vec<u8>>);

/// A message from the control task to a worker.
pub(crate) enum Message {
    /// A client of the stats-writer socket, and how far it was greeted.
    Connection(UnixStream, Greeting),
    /// Another configuration; answered with the former plan once it is in force.
    Plan(Arc<Plan>, Exporters, oneshot::Sender<Arc<Plan>>),
    /// Another filter for the clients.
    Filter(FilterLine),
    /// The observers of events, and a request for the events that are kept at this
    /// moment.
    Observers(Arc<Observers>, Option<oneshot::Sender<RecentSnapshot>>),
    /// Records what clients send.
    Record(Recorder),
    /// Counts from before a restart.
    Restore(Box<State>, oneshot::Sender<Restored>),
    /// A request for its counts; with `true`, they start again from zero.
    Report(bool, oneshot::Sender<Report>),
    /// A request for an answer.
    Ping(oneshot::Sender<()>),
    /// Categories that clients of another worker registered.
    Categories(Arc<Vec<Category>>),
    /// An order to read what clients have sent, until this time at most.
    Drain(Instant, oneshot::Sender<()>),
}

/// The counts of one worker, or of all merged.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) snapshot: Snapshot,
    pub(crate) engine: Counters,
    pub(crate) intake: IntakeCounts,
    pub(crate) connections: usize,
    pub(crate) held: usize,
    pub(crate) running: RunningSessions,
    pub(crate) longest_turn: LongestTurn,
    /// How many workers these are the counts of.
    pub(crate) workers: usize,
    /// The plan by which they are counted.
    pub(crate) plan: Arc<Plan>,
    /// When counting began, of a merged report; `None` if counts of an earlier run were
    /// restored.
    pub(crate) counted_since: Option<Timestamp>,
}

/// The control's end of a worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) inbox: Inbox,
    /// Its connections, with those that it has not received yet.
    pub(crate) connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// The settings of a new worker.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) number: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) exporters: Exporters,
    pub(crate) hostname: Arc<[u8]>,
    /// The ids of the events that it exports.
    pub(crate) ids: EventIds,
    pub(crate) limits: Limits,
    /// The memory of the server.
    pub(crate) memory: Memory,
    /// The filter that clients are sent.
    pub(crate) filter: FilterLine,
    /// Records from the first connection on.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) recent: RecentLimits,
    /// Set when clients are read no further.
    pub(crate) stop: Arc<AtomicBool>,
    /// Takes the categories that its clients registered.
    pub(crate) categories: mpsc::UnboundedSender<(usize, Vec<Category>)>,
    pub(crate) log: Log,
    /// Notified when the worker has ended.
    pub(crate) ended: Arc<Notify>,
}

/// Notifies when it is dropped, also by a panic.
struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Worker {
    /// Starts a worker.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub(crate) fn start(setup: Setup) -> io::Result<Self> {
        let (inbox, messages) = inbox::channel()?;
        let clients = Clients::new(&messages)?;
        let connections = Arc::new(AtomicUsize::new(0));
        let mut engine = Engine::with_plan(Arc::clone(&setup.plan));
        engine.use_ids(setup.ids.clone());
        let series = setup.memory.budget(Part::Series);
        engine.share_memory(Arc::new(SharedMemory::of_series(&series)));
        let counted = Arc::clone(&connections);
        let name = format!("worker {}", setup.number);
        let thread = thread::Builder::new().name(name).spawn(move || {
            let _ended = NotifyOnDrop(Arc::clone(&setup.ended));
            let shard = Shard::new(
                engine,
                Outbox::new(setup.exporters.clone()),
                Complaints::new(setup.log.clone()),
                Arc::clone(&setup.hostname),
                &setup.memory,
                setup.limits.payload,
                RecentEvents::reserved(setup.recent, &setup.memory.budget(Part::Recent)),
            );
            let log = setup.log.clone();
            if let Err(error) = Run::new(shard, setup, clients, messages, counted).run() {
                log.say(format_args!("cannot wait for clients: {error}"));
            }
        })?;
        Ok(Self {
            inbox,
            connections,
            thread: Some(thread),
        })
    }

    /// Ends the worker, and waits for the end.
    pub(crate) fn join(self) {
        let Self { inbox, thread, .. } = self;
        drop(inbox);
        if let Some(thread) = thread {
            // The message of a panic was printed by its thread.
            let _ = thread.join();
        }
    }
}
