//! Workers: threads that read events.
//!
//! A worker owns its connections, its matcher and a shard of every metric, and
//! shares nothing with other workers. It receives [`Message`]s in order: a dump
//! that is asked for after a change shows the change.

pub(crate) mod accounts;
pub(crate) mod client;
pub(crate) mod closed;
pub(crate) mod explain;
pub(crate) mod greeting;
pub(crate) mod observers;
pub(crate) mod outbox;
pub(crate) mod read_delay;
pub(crate) mod recent;
pub(crate) mod shard;
pub(crate) mod tap;

use std::{
    cell::{Cell, RefCell},
    io,
    os::unix::net::UnixStream as StdUnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use fantail_engine::{Counters, Engine, Plan, RunningSessions};
use fantail_format::EventIds;
use fantail_metrics::{
    Snapshot,
    state::{Restored, State},
};
use tokio::{
    net::UnixStream,
    runtime::Builder,
    sync::{Notify, mpsc, oneshot, watch},
    task::{LocalSet, spawn_local},
    time::Instant,
};

use crate::{
    Limits, Log,
    exporters::Exporters,
    memory::{Memory, Part, SharedMemory},
    process::log::Complaints,
    process::record::Recorder,
    process::turn::{LongestTurn, Turns},
    worker::client::attend,
    worker::greeting::{FilterLine, Greeted},
    worker::observers::Observers,
    worker::outbox::Outbox,
    worker::read_delay::ReadDelay,
    worker::recent::{RecentEvents, RecentLimits, RecentSnapshot},
    worker::shard::{IntakeCounts, Shard},
};

/// A category and its parent.
pub(crate) type Category = (Vec<u8>, Option<Vec<u8>>);

/// A message from the control task to a worker.
pub(crate) enum Message {
    /// A client of the stats-writer socket, and how far it was greeted.
    Connection(StdUnixStream, Greeted),
    /// Another configuration; answered with the former plan once it is in force.
    Plan(Arc<Plan>, Exporters, oneshot::Sender<Arc<Plan>>),
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
}

/// The control's end of a worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) inbox: mpsc::UnboundedSender<Message>,
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
    pub(crate) filters: watch::Receiver<FilterLine>,
    /// Records from the first connection on.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) recent: RecentLimits,
    /// Set when clients are read no further.
    pub(crate) stop: Arc<AtomicBool>,
    /// Takes the categories that its clients registered.
    pub(crate) categories: mpsc::UnboundedSender<(usize, Vec<Category>)>,
    pub(crate) log: Log,
}

/// The state that the tasks of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) shard: RefCell<Shard>,
    pub(crate) setup: Setup,
    pub(crate) connections: Arc<AtomicUsize>,
    /// Notified when the outbox has something to flush.
    pub(crate) flush: Notify,
    /// The buffer that all connections read into.
    pub(crate) buffer: RefCell<Vec<u8>>,
    pub(crate) read_delay: Arc<ReadDelay>,
    pub(crate) turns: Arc<Turns>,
    /// Clients whose live events and sessions are being ended.
    pub(crate) closing: Cell<usize>,
    /// Set when the last exports were handed over.
    pub(crate) has_ended: Cell<bool>,
}

/// How long exports wait for more, to be handed over together: each hand-over
/// wakes a thread of an exporter.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

/// Bytes of the buffer that all connections of a worker share.
const READ_BUFFER_BYTES: usize = 64 * 1024;

impl Worker {
    pub(crate) fn start(setup: Setup) -> io::Result<Self> {
        let (inbox, messages) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let read_delay = Arc::new(ReadDelay::default());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_park({
                let read_delay = Arc::clone(&read_delay);
                move || read_delay.pause()
            })
            .build()?;
        let mut engine = Engine::with_plan(Arc::clone(&setup.plan));
        engine.use_ids(setup.ids.clone());
        let series = setup.memory.budget(Part::Series);
        engine.share_memory(Arc::new(SharedMemory::of_series(&series)));
        let counted = Arc::clone(&connections);
        let name = format!("worker {}", setup.number);
        let thread = thread::Builder::new().name(name).spawn(move || {
            let shard = Shard::new(
                engine,
                Outbox::new(setup.exporters.clone()),
                Complaints::new(setup.log.clone()),
                Arc::clone(&setup.hostname),
                &setup.memory,
                setup.limits.payload,
                RecentEvents::reserved(setup.recent, &setup.memory.budget(Part::Recent)),
            );
            let shared = Rc::new(Shared {
                shard: RefCell::new(shard),
                turns: Arc::new(Turns::new(Arc::clone(&setup.stop))),
                setup,
                connections: counted,
                flush: Notify::new(),
                buffer: RefCell::new(vec![0; READ_BUFFER_BYTES]),
                read_delay,
                closing: Cell::new(0),
                has_ended: Cell::new(false),
            });
            let turns = Arc::clone(&shared.turns);
            let work = turns.measure(work(shared, messages));
            LocalSet::new().block_on(&runtime, work);
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

async fn work(shared: Rc<Shared>, mut messages: mpsc::UnboundedReceiver<Message>) {
    if let Some(recorder) = &shared.setup.recorder {
        shared.shard.borrow_mut().use_recorder(recorder.clone());
    }
    spawn_local(shared.turns.measure(flush(Rc::clone(&shared))));
    spawn_local(shared.turns.measure(tidy(Rc::clone(&shared))));
    while let Some(message) = messages.recv().await {
        match message {
            Message::Connection(stream, greeted) => connect(&shared, stream, greeted),
            Message::Plan(plan, exporters, done) => {
                let mut shard = shared.shard.borrow_mut();
                shard.outbox.replace(exporters);
                let former = shard.engine.adopt(plan);
                shard.reserve_categories();
                let _ = done.send(former);
            }
            Message::Observers(observers, recent) => {
                let mut shard = shared.shard.borrow_mut();
                shard.observe(observers);
                if let Some(reply) = recent {
                    let _ = reply.send(shard.recent());
                }
            }
            Message::Record(recorder) => shared.shard.borrow_mut().use_recorder(recorder),
            Message::Restore(state, reply) => {
                let restored = shared.shard.borrow_mut().engine.restore(&state);
                let _ = reply.send(restored);
            }
            Message::Report(reset, reply) => {
                let _ = reply.send(report(&shared, reset));
            }
            Message::Ping(reply) => {
                let _ = reply.send(());
            }
            Message::Categories(categories) => {
                tell_categories(&shared);
                shared.shard.borrow_mut().learn(&categories);
            }
            Message::Drain(until, done) => {
                let drain = drain(Rc::clone(&shared), until, done);
                spawn_local(shared.turns.measure(drain));
            }
        }
    }
    shared.shard.borrow_mut().outbox.flush();
    shared.has_ended.set(true);
}

fn connect(shared: &Rc<Shared>, stream: StdUnixStream, greeted: Greeted) {
    shared.shard.borrow_mut().counts.accepted += 1;
    match UnixStream::from_std(stream) {
        Ok(stream) => {
            spawn_local(attend(Rc::clone(shared), stream, greeted));
        }
        Err(error) => {
            shared.connections.fetch_sub(1, Ordering::Relaxed);
            let mut shard = shared.shard.borrow_mut();
            shard
                .complaints
                .say(format_args!("cannot serve a connection: {error}"));
        }
    }
}

fn report(shared: &Shared, reset: bool) -> Report {
    let mut shard = shared.shard.borrow_mut();
    let snapshot = if reset {
        shard.engine.take()
    } else {
        shard.engine.snapshot()
    };
    Report {
        snapshot,
        engine: shard.engine.counters(),
        intake: shard.counts.clone(),
        connections: shared.connections.load(Ordering::Relaxed),
        held: shard.held(),
        running: shard.engine.running_sessions(),
        longest_turn: shared.turns.longest(),
        workers: 1,
    }
}

/// Passes the categories that clients of this worker registered on to the others.
pub(crate) fn tell_categories(shared: &Shared) {
    let new = shared.shard.borrow_mut().new_categories();
    if !new.is_empty() {
        let _ = shared.setup.categories.send((shared.setup.number, new));
    }
}

/// Hands exports over to the queues, many at a time.
async fn flush(shared: Rc<Shared>) {
    loop {
        shared.flush.notified().await;
        tokio::time::sleep(FLUSH_INTERVAL).await;
        shared.shard.borrow_mut().outbox.flush();
    }
}

/// Drops series that were idle for the time that the configuration allows, and events
/// that were kept for theirs.
async fn tidy(shared: Rc<Shared>) {
    const PERIOD: Duration = Duration::from_secs(10);
    let start = Instant::now();
    loop {
        tokio::time::sleep(PERIOD).await;
        let mut shard = shared.shard.borrow_mut();
        shard.engine.tidy(start.elapsed());
        shard.tidy_recent();
    }
}

/// Waits until all clients are gone, or nothing has come for a while.
async fn drain(shared: Rc<Shared>, until: Instant, done: oneshot::Sender<()>) {
    const QUIET: Duration = Duration::from_millis(50);
    let read = || shared.shard.borrow().counts.bytes;
    let mut before = read();
    while shared.connections.load(Ordering::Relaxed) > 0 && Instant::now() < until {
        tokio::time::sleep(QUIET).await;
        let now = read();
        if now == before && shared.closing.get() == 0 {
            break;
        }
        before = now;
    }
    shared.shard.borrow_mut().outbox.flush();
    let _ = done.send(());
}
