//! A thread that reads events.
//!
//! It shares nothing with the others: its connections, its matcher, its part
//! of every metric. What it needs from outside comes as a [`Message`], in
//! order: a dump that was asked for after a change shows the change.

pub(crate) mod client;
pub(crate) mod observers;
pub(crate) mod outbox;
pub(crate) mod read_delay;
pub(crate) mod shard;
pub(crate) mod tap;

use std::{
    cell::RefCell,
    io,
    os::unix::net::UnixStream as StdUnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
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
    Exporters, Limits, Log, Recorder,
    process::log::Complaints,
    socket::greeting::{FilterLine, Greeted},
    worker::client::attend,
    worker::observers::Observers,
    worker::outbox::Outbox,
    worker::read_delay::ReadDelay,
    worker::shard::{Category, IntakeCounts, Shard},
};

/// What a worker is told.
pub(crate) enum Message {
    /// A client of the writer's socket, and how far it was greeted.
    Connection(StdUnixStream, Greeted),
    /// Another configuration; says when it is in force.
    Plan(Arc<Plan>, Exporters, oneshot::Sender<()>),
    /// What looks at events beside the metrics.
    Observers(Arc<Observers>),
    /// What was counted before a restart.
    Restore(Box<State>, oneshot::Sender<Restored>),
    /// What it has counted; with `true`, it begins anew.
    Report(bool, oneshot::Sender<Report>),
    /// Are you there?
    Ping(oneshot::Sender<()>),
    /// What clients of another worker registered.
    Categories(Arc<Vec<Category>>),
    /// Read what clients have sent already, until then at most.
    Drain(Instant, oneshot::Sender<()>),
}

/// What a worker has counted, or all of them together.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) snapshot: Snapshot,
    pub(crate) engine: Counters,
    pub(crate) intake: IntakeCounts,
    pub(crate) connections: usize,
    pub(crate) held: usize,
    pub(crate) running: RunningSessions,
    /// How many workers.
    pub(crate) workers: usize,
}

/// The control's end of a worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) inbox: mpsc::UnboundedSender<Message>,
    /// How many connections it has, those on their way included.
    pub(crate) connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// What a worker begins with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) number: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) exporters: Exporters,
    pub(crate) hostname: Arc<[u8]>,
    /// Of what it exports.
    pub(crate) ids: EventIds,
    pub(crate) limits: Limits,
    /// Its part of the memory.
    pub(crate) memory: usize,
    pub(crate) filters: watch::Receiver<FilterLine>,
    pub(crate) recorder: Option<Recorder>,
    /// For what its clients registered.
    pub(crate) categories: mpsc::UnboundedSender<(usize, Vec<Category>)>,
    pub(crate) log: Log,
}

/// What the tasks of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) shard: RefCell<Shard>,
    pub(crate) setup: Setup,
    pub(crate) connections: Arc<AtomicUsize>,
    /// There is something in the outbox.
    pub(crate) flush: Notify,
    /// What all connections read into.
    pub(crate) buffer: RefCell<Vec<u8>>,
    pub(crate) gathering: Arc<ReadDelay>,
}

/// How long what exporters get is gathered: each hand-over wakes a thread,
/// and under load the mail processes want the processors, too.
const GATHER: Duration = Duration::from_millis(25);

/// The buffer that all connections of a worker share.
const BUFFER: usize = 64 * 1024;

impl Worker {
    pub(crate) fn start(setup: Setup) -> io::Result<Self> {
        let (inbox, messages) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let gathering = Arc::new(ReadDelay::default());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_park({
                let gathering = Arc::clone(&gathering);
                move || gathering.pause()
            })
            .build()?;
        let mut engine = Engine::with_plan(Arc::clone(&setup.plan)).map_err(io::Error::other)?;
        engine.use_ids(setup.ids.clone());
        let counted = Arc::clone(&connections);
        let name = format!("worker {}", setup.number);
        let thread = thread::Builder::new().name(name).spawn(move || {
            let shard = Shard::new(
                engine,
                Outbox::new(setup.exporters.clone()),
                Complaints::new(setup.log.clone()),
                Arc::clone(&setup.hostname),
                setup.memory,
            );
            let shared = Rc::new(Shared {
                shard: RefCell::new(shard),
                setup,
                connections: counted,
                flush: Notify::new(),
                buffer: RefCell::new(vec![0; BUFFER]),
                gathering,
            });
            LocalSet::new().block_on(&runtime, work(shared, messages));
        })?;
        Ok(Self {
            inbox,
            connections,
            thread: Some(thread),
        })
    }

    /// Ends it, and waits until it has.
    pub(crate) fn join(self) {
        let Self { inbox, thread, .. } = self;
        drop(inbox);
        if let Some(thread) = thread {
            // A panic was printed where it happened.
            let _ = thread.join();
        }
    }
}

async fn work(shared: Rc<Shared>, mut messages: mpsc::UnboundedReceiver<Message>) {
    spawn_local(flush(Rc::clone(&shared)));
    spawn_local(tidy(Rc::clone(&shared)));
    while let Some(message) = messages.recv().await {
        match message {
            Message::Connection(stream, greeted) => connect(&shared, stream, greeted),
            Message::Plan(plan, exporters, done) => {
                let mut shard = shared.shard.borrow_mut();
                shard.outbox.replace(exporters);
                if let Err(error) = shard.engine.adopt(plan) {
                    let log = &shared.setup.log;
                    log.say(format_args!("the configuration cannot be used: {error}"));
                }
                let _ = done.send(());
            }
            Message::Observers(observers) => shared.shard.borrow_mut().observe(observers),
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
                spawn_local(drain(Rc::clone(&shared), until, done));
            }
        }
    }
    shared.shard.borrow_mut().outbox.flush();
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
                .say(format_args!("a connection cannot be served: {error}"));
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
        workers: 1,
    }
}

/// Tells the other workers what clients of this one registered.
pub(crate) fn tell_categories(shared: &Shared) {
    let new = shared.shard.borrow_mut().new_categories();
    if !new.is_empty() {
        let _ = shared.setup.categories.send((shared.setup.number, new));
    }
}

/// Hands over what there is for exporters, but not for each event.
async fn flush(shared: Rc<Shared>) {
    loop {
        shared.flush.notified().await;
        tokio::time::sleep(GATHER).await;
        shared.shard.borrow_mut().outbox.flush();
    }
}

/// Drops series that have been idle for long, if the configuration says so.
async fn tidy(shared: Rc<Shared>) {
    const PERIOD: Duration = Duration::from_secs(10);
    let start = Instant::now();
    loop {
        tokio::time::sleep(PERIOD).await;
        shared.shard.borrow_mut().engine.tidy(start.elapsed());
    }
}

/// Waits until all clients are gone, or nothing came for a moment.
async fn drain(shared: Rc<Shared>, until: Instant, done: oneshot::Sender<()>) {
    const QUIET: Duration = Duration::from_millis(50);
    let read = || shared.shard.borrow().counts.bytes;
    let mut before = read();
    while shared.connections.load(Ordering::Relaxed) > 0 && Instant::now() < until {
        tokio::time::sleep(QUIET).await;
        let now = read();
        if now == before {
            break;
        }
        before = now;
    }
    shared.shard.borrow_mut().outbox.flush();
    let _ = done.send(());
}
