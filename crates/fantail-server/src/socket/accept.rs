//! Accepting connections, and passing them on to workers and readers.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    Handle, Log,
    handle::{Tally, count},
    process::turn::Turns,
    socket::readers,
    socket::seats::Seats,
    worker::greeting::{FilterLine, greet},
    worker::inbox::Inbox,
    worker::{Message, Worker},
};

/// The pause after a failed accept.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Passes clients of the stats-writer sockets on to the workers.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher {
    workers: Vec<(Inbox, Arc<AtomicUsize>)>,
    limit: usize,
    tally: Arc<Tally>,
    /// The turns of the thread that accepts.
    turns: Arc<Turns>,
    filters: watch::Receiver<FilterLine>,
}

impl Dispatcher {
    pub(crate) fn new(
        workers: &[Worker],
        limit: usize,
        (tally, turns): (Arc<Tally>, Arc<Turns>),
        filters: watch::Receiver<FilterLine>,
    ) -> Self {
        let workers = workers.iter();
        let ends = |worker: &Worker| (worker.inbox.clone(), Arc::clone(&worker.connections));
        Self {
            workers: workers.map(ends).collect(),
            limit,
            tally,
            turns,
            filters,
        }
    }

    /// Passes a client on to the worker with the fewest connections.
    fn dispatch(&self, stream: UnixStream) {
        let counts = self.workers.iter().map(|(_, connections)| connections);
        let all: usize = counts.map(|count| count.load(Ordering::Relaxed)).sum();
        let idlest = self
            .workers
            .iter()
            .min_by_key(|(_, connections)| connections.load(Ordering::Relaxed));
        let (Some((inbox, connections)), true) = (idlest, all < self.limit) else {
            count(&self.tally.refused);
            return;
        };
        let greeted = greet(&stream, &self.filters);
        if let Ok(stream) = stream.into_std() {
            connections.fetch_add(1, Ordering::Relaxed);
            // The main loop ends the server if a worker has ended.
            inbox.send(Message::Connection(stream, greeted));
        }
    }
}

/// The protocol of a listener's connections.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    Writer(Dispatcher),
    Reader {
        handle: Handle,
        log: Log,
        seats: Seats,
    },
}

impl Purpose {
    /// The turns of the thread that accepts.
    pub(crate) const fn turns(&self) -> &Arc<Turns> {
        match self {
            Self::Writer(dispatcher) => &dispatcher.turns,
            Self::Reader { handle, .. } => &handle.turns,
        }
    }

    fn take(&self, stream: UnixStream) {
        match self {
            Self::Writer(dispatcher) => dispatcher.dispatch(stream),
            Self::Reader { handle, log, seats } => {
                if let Some(seat) = seats.take() {
                    let serve = readers::serve(stream, seat, handle.clone(), log.clone());
                    handle.turns.spawn(serve);
                }
            }
        }
    }
}

/// Accepts until `stop`; clients that have connected by then are still served.
pub(crate) async fn accept(
    listener: UnixListener,
    purpose: Purpose,
    mut stop: watch::Receiver<bool>,
    log: Log,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, _)) => purpose.take(stream),
            Err(error) => {
                pause(&error, &log).await;
            }
        }
    }
    while let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
        purpose.take(stream);
    }
}

/// Waits after a failed accept: without file descriptors, the next one would fail
/// at once.
pub(crate) async fn pause(error: &io::Error, log: &Log) {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        return;
    }
    log.say(format_args!("cannot accept connections: {error}"));
    sleep(RETRY_INTERVAL).await;
}
