//! The loop of a worker: messages, clients, and what is due at a time.

use std::{
    io,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use nix::sys::epoll::EpollTimeout;
use tokio::sync::oneshot;

use crate::{
    process::turn::Turns,
    worker::client::Seat,
    worker::clients::Clients,
    worker::greeting::{FilterLine, Greeting},
    worker::inbox::Messages,
    worker::shard::Shard,
    worker::{Message, Report, Setup},
};

/// How long exports wait for more, to be handed over together: each hand-over
/// wakes a thread of an exporter.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

/// How often series and events are looked for that are too old.
const TIDY_INTERVAL: Duration = Duration::from_secs(10);

/// Time without input after which clients are taken to have sent everything.
const DRAIN_QUIET: Duration = Duration::from_millis(50);

/// A worker on its thread.
#[derive(Debug)]
pub(crate) struct Run {
    shard: Shard,
    setup: Setup,
    clients: Clients,
    messages: Messages,
    /// The connections, with those that were not received yet.
    connections: Arc<AtomicUsize>,
    turns: Arc<Turns>,
    started: Instant,
    /// The filter in force.
    filter: FilterLine,
    due: Due,
}

/// The times at which something is due; `None` if it is not.
#[derive(Debug, Default)]
struct Due {
    flush: Option<Instant>,
    tidy: Option<Instant>,
    filter: Option<Instant>,
    drain: Option<Drain>,
}

/// An order to read what clients have sent.
#[derive(Debug)]
struct Drain {
    until: Instant,
    done: oneshot::Sender<()>,
    /// Bytes that were read at the last check.
    before: u64,
    check: Instant,
}

impl Due {
    fn next(&self) -> Option<Instant> {
        let drain = self.drain.as_ref().map(|drain| drain.check);
        let all = [self.flush, self.tidy, self.filter, drain];
        all.into_iter().flatten().min()
    }
}

/// Returns whether a time has come, and clears it.
fn take(due: &mut Option<Instant>, now: Instant) -> bool {
    due.take_if(|due| *due <= now).is_some()
}

/// The time to wait for what is due: in whole milliseconds, and not too short.
fn timeout(due: Option<Instant>, now: Instant) -> EpollTimeout {
    due.map_or(EpollTimeout::NONE, |due| {
        let millis = due
            .saturating_duration_since(now)
            .as_micros()
            .div_ceil(1_000);
        let millis = u16::try_from(millis).unwrap_or(u16::MAX);
        EpollTimeout::from(millis)
    })
}

impl Run {
    pub(crate) fn new(
        mut shard: Shard,
        setup: Setup,
        clients: Clients,
        messages: Messages,
        connections: Arc<AtomicUsize>,
    ) -> Self {
        if let Some(recorder) = &setup.recorder {
            shard.use_recorder(recorder.clone());
        }
        let started = Instant::now();
        Self {
            turns: Arc::new(Turns::new(Arc::clone(&setup.stop))),
            filter: Arc::clone(&setup.filter),
            shard,
            setup,
            clients,
            messages,
            connections,
            started,
            due: Due::default(),
        }
    }

    /// Runs until all senders of messages are gone.
    ///
    /// # Errors
    /// The system refuses to wait for clients.
    pub(crate) fn run(mut self) -> io::Result<()> {
        loop {
            while let Some(message) = self.messages.next() {
                self.take_message(message)?;
            }
            if self.messages.has_ended() {
                self.shard.outbox.flush();
                return Ok(());
            }
            self.do_what_is_due();
            // Lines that came after a message are handled after it.
            match self.clients.is_batch_done() {
                true => self.wait()?,
                false => self.visit(),
            }
        }
    }

    /// Waits for clients, messages, or what is due next.
    fn wait(&mut self) -> io::Result<()> {
        if self.clients.has_queued() {
            return self.look();
        }
        let delay = self.clients.next_delay();
        if delay.is_some_and(|delay| self.messages.comes_within(delay)) {
            return self.look();
        }
        let timeout = timeout(self.due.next(), Instant::now());
        self.wait_for(timeout)
    }

    /// Queues clients that have sent something, without waiting.
    fn look(&mut self) -> io::Result<()> {
        self.wait_for(EpollTimeout::ZERO)
    }

    fn wait_for(&mut self, timeout: EpollTimeout) -> io::Result<()> {
        if self.clients.wait(timeout)? {
            self.messages.acknowledge();
        }
        Ok(())
    }

    /// Visits clients for a turn, or until a message comes.
    fn visit(&mut self) {
        let turn = self.turns.begin();
        let Self {
            setup,
            messages,
            connections,
            ..
        } = self;
        let after = |shard: &mut Shard| {
            tell_categories(setup, shard);
            messages.is_empty()
        };
        self.clients
            .visit(&mut self.shard, &turn, connections, after);
        if self.shard.outbox.is_waiting() && self.due.flush.is_none() {
            self.due.flush = Some(Instant::now() + FLUSH_INTERVAL);
        }
        if self.due.tidy.is_none() && self.shard.grows_old() {
            self.due.tidy = Some(Instant::now() + TIDY_INTERVAL);
        }
    }

    fn take_message(&mut self, message: Message) -> io::Result<()> {
        // A report reads what clients have sent before.
        if matches!(message, Message::Report(..)) {
            self.look()?;
            self.visit();
        }
        let turns = Arc::clone(&self.turns);
        let _turn = turns.begin();
        match message {
            Message::Connection(stream, greeting) => self.connect(stream, greeting),
            Message::Plan(plan, exporters, done) => {
                self.shard.outbox.replace(exporters);
                let former = self.shard.engine.adopt(plan);
                self.shard.reserve_categories();
                let _ = done.send(former);
            }
            Message::Filter(line) => {
                self.filter = line;
                self.due.filter = Some(Instant::now());
            }
            Message::Observers(observers, recent) => {
                self.shard.observe(observers);
                if let Some(reply) = recent {
                    let _ = reply.send(self.shard.recent());
                }
            }
            Message::Record(recorder) => self.shard.use_recorder(recorder),
            Message::Restore(state, reply) => {
                let _ = reply.send(self.shard.engine.restore(&state));
            }
            Message::Report(reset, reply) => {
                let _ = reply.send(self.report(reset));
            }
            Message::Ping(reply) => {
                let _ = reply.send(());
            }
            Message::Categories(categories) => {
                tell_categories(&self.setup, &mut self.shard);
                self.shard.learn(&categories);
            }
            Message::Drain(until, done) => {
                self.due.drain = Some(Drain {
                    until,
                    done,
                    before: self.shard.counts.bytes,
                    check: Instant::now() + DRAIN_QUIET,
                });
            }
        }
        Ok(())
    }

    fn connect(&mut self, stream: UnixStream, greeting: Greeting) {
        self.shard.counts.accepted += 1;
        let limits = self.setup.limits.live.clone();
        let mut seat = Seat::new(stream, greeting, &self.shard, limits);
        seat.be_admitted(&mut self.shard);
        // The filter may have changed since the client was greeted.
        let filter = seat.greeting.due(&self.filter);
        self.due.filter = filter.into_iter().chain(self.due.filter).min();
        if let Err(error) = self.clients.add(seat) {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            self.shard
                .complaints
                .say(format_args!("cannot serve a connection: {error}"));
        }
    }

    fn do_what_is_due(&mut self) {
        if self.clients.has_taken_filter() {
            self.due.filter = Some(self.started);
        }
        if self.due.next().is_none() {
            return;
        }
        let now = Instant::now();
        if take(&mut self.due.flush, now) {
            self.shard.outbox.flush();
        }
        if take(&mut self.due.tidy, now) {
            self.shard.engine.tidy(now - self.started);
            self.shard.tidy_recent();
            self.due.tidy = self.shard.grows_old().then(|| now + TIDY_INTERVAL);
        }
        if take(&mut self.due.filter, now) {
            self.due.filter = self.clients.tell_filter(&self.filter, now);
        }
        self.drain(now);
    }

    /// Answers a [`Drain`] when all clients are gone, nothing has come for a while, or
    /// its time is over.
    fn drain(&mut self, now: Instant) {
        let Some(drain) = self.due.drain.as_mut().filter(|drain| drain.check <= now) else {
            return;
        };
        let is_quiet = self.shard.counts.bytes == drain.before && !self.clients.has_queued();
        let no_clients = self.connections.load(Ordering::Relaxed) == 0;
        if !is_quiet && !no_clients && now < drain.until {
            drain.before = self.shard.counts.bytes;
            drain.check = now + DRAIN_QUIET;
            return;
        }
        self.shard.outbox.flush();
        if let Some(drain) = self.due.drain.take() {
            let _ = drain.done.send(());
        }
    }

    fn report(&mut self, reset: bool) -> Report {
        let shard = &mut self.shard;
        let snapshot = match reset {
            true => shard.engine.take(),
            false => shard.engine.snapshot(),
        };
        Report {
            snapshot,
            engine: shard.engine.counters(),
            intake: shard.counts.clone(),
            connections: self.connections.load(Ordering::Relaxed),
            held: shard.held(),
            running: shard.engine.running_sessions(),
            longest_turn: self.turns.longest(),
            workers: 1,
            plan: Arc::clone(shard.engine.plan()),
            counted_since: None,
        }
    }
}

/// Passes the categories that clients of this worker registered on to the others.
fn tell_categories(setup: &Setup, shard: &mut Shard) {
    let new = shard.new_categories();
    if !new.is_empty() {
        let _ = setup.categories.send((setup.number, new));
    }
}
